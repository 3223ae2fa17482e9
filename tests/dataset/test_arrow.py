"""Columns made of buffers are what Arrow would have made, and nothing but Arrow is imported for them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webscale_rl.dataset.arrow import column, places, table, word

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), TEXT),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.binary(16), st.binary(min_size=16, max_size=16)),
]


@settings(deadline=None)  # Arrow imports pandas once
@given(st.data(), st.sampled_from(KINDS))
def test_a_column_is_what_arrow_makes_of_the_same_values(data: st.DataObject, kind: Any) -> None:
    values = data.draw(st.lists(st.none() | kind[1], max_size=20))
    made = column(values, kind[0])
    made.validate(full=True)
    assert made.equals(pa.array(values, kind[0]))


@settings(deadline=None)  # Arrow imports pandas once
@given(st.lists(st.fixed_dictionaries({}, optional={"a": TEXT, "b": st.integers(0, 9)}), max_size=9))
def test_a_table_is_what_arrow_makes_of_the_same_rows(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([("a", pa.string()), ("b", pa.int64())], metadata={"m": "1"})
    made = table(rows, schema)
    assert made.equals(pa.Table.from_pylist(rows, schema), check_metadata=True)


def test_constants_and_places_are_arrows() -> None:
    assert word("kept").equals(pa.scalar("kept"))
    assert places([2, 0]).equals(pa.array([2, 0], pa.int64()))


def test_half_a_character_is_refused_as_arrow_refuses_it() -> None:
    with pytest.raises(UnicodeEncodeError):
        column(["\ud800"], pa.string())


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_a_run_does_not_import_pandas(tmp_path: Path) -> None:
    script = f"""
import sys
from webscale_rl import Run, run
run(Run(inputs=["sample:"], out={str(tmp_path / "run")!r}, limit=3))
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
