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

from webscale_rl.dataset.arrow import column, lengths, rows, table

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


@settings(deadline=None)  # Arrow imports its functions once
@given(st.lists(st.tuples(st.none() | TEXT, st.none() | st.integers(0, 9)), max_size=20), st.data())
def test_rows_and_lengths_are_what_arrow_takes_and_counts(values: list[tuple[Any, Any]], data: st.DataObject) -> None:
    whole = pa.RecordBatch.from_arrays(
        [pa.array([text for text, _ in values], pa.string()), pa.array([number for _, number in values], pa.int64())],
        names=["text", "number"],
    )
    skipped = data.draw(st.integers(0, len(values)))
    batch = whole.slice(skipped)
    numbers = sorted(data.draw(st.sets(st.integers(0, len(batch) - 1) if len(batch) else st.nothing())))
    taken = rows(batch, numbers)
    taken.validate(full=True)
    assert taken.equals(batch.take(pa.array(numbers, pa.int64())))
    assert lengths(batch.column("text")).tolist() == [len((text or "").encode()) for text, _ in values[skipped:]]


def test_half_a_character_is_refused_as_arrow_refuses_it() -> None:
    with pytest.raises(UnicodeEncodeError):
        column(["\ud800"], pa.string())


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_a_run_imports_neither_pandas_nor_arrows_functions(tmp_path: Path) -> None:
    script = f"""
import sys
from webscale_rl import Run, run
run(Run(inputs=["sample:"], out={str(tmp_path / "run")!r}, limit=3))
assert not sys.modules.keys() & {{"pandas", "pyarrow.compute"}}
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
