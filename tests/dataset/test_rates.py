"""The difficulty column is filled from what was measured, example by example, and says what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webscale_rl.dataset.difficulty import RATES_FILE, Measure, Rates, read_rates, write_rates
from webscale_rl.types import content_id

MEASURE = Measure("student", 4, 1.0, "digest")


def written(folder: Path, rates: dict[str, float | None]) -> Rates:
    rows: list[dict[str, Any]] = [
        {"id": name, "difficulty": rate, "solved": 0, "wrong": 0, "undecided": 0, "failed": 0}
        for name, rate in rates.items()
    ]
    write_rates(folder / RATES_FILE, rows, MEASURE)
    found = read_rates(folder, folder)
    assert found is not None
    return found


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.integers(0, 10_000).map(str), st.none() | st.floats(0, 1), max_size=60))
def test_every_example_has_the_rate_that_was_measured_of_it(
    tmp_path_factory: pytest.TempPathFactory, numbers: dict[str, float | None]
) -> None:
    rates = {content_id(name): rate for name, rate in numbers.items()}
    found = written(tmp_path_factory.mktemp("rates"), rates)
    assert {name: found.of(name) for name in rates} == rates
    with pytest.raises(KeyError):
        found.of(content_id("another"))


def test_the_column_is_filled_and_counted(tmp_path: Path) -> None:
    names = [content_id(str(number)) for number in range(6)]
    rates = written(tmp_path, dict(zip(names[:5], (0.0, 1.0, 0.25, None, 0.5), strict=True)))
    batch = pa.RecordBatch.from_pylist([{"id": name, "difficulty": 9.0, "answer": name[:3]} for name in names])
    filled = rates.fill(batch)
    assert filled.schema == batch.schema
    assert filled.column("difficulty").to_pylist() == [0.0, 1.0, 0.25, None, 0.5, None]
    assert filled.column("answer").to_pylist() == [name[:3] for name in names]
    assert rates.told() == {
        "model": "student", "samples": 4, "temperature": 1.0, "prompt": "digest",
        "never": 1, "sometimes": 2, "always": 1, "undecided": 1, "not_measured": 1, "mean": 0.4375,
    }  # fmt: skip


def test_what_was_never_measured_has_no_rates(tmp_path: Path) -> None:
    assert read_rates(tmp_path, tmp_path) is None
    assert read_rates(tmp_path / "difficulty", tmp_path) is None
