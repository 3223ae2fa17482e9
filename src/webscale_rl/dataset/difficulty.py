"""The measured difficulty of the examples: rates.parquet, and how the dataset's column is filled from it.

The rates lie beside the dataset and not only in it, for the dataset is written anew whenever its run goes on. What was
measured of an example holds as long as its id does: document, persona, question and answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from webscale_rl.dataset import arrow
from webscale_rl.files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

RATES_FILE = "rates.parquet"
RATE_COLUMNS = ("id", "difficulty", "solved", "wrong", "undecided", "failed")
_METADATA = b"webscale_rl"
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("difficulty", "<f8")])


class Measure(msgspec.Struct, frozen=True):
    """How difficulty was measured: which model, how many samples of each question, and how it was asked."""

    model: str
    samples: int
    temperature: float | None
    prompt: str


def write_rates(path: Path, rows: Iterable[Mapping[str, Any]], measure: Measure) -> None:
    """Write the rates, whole or not at all. Raises OSError if the disk is full."""
    import pyarrow as pa

    kinds = {"id": pa.string(), "difficulty": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.int64())) for name in RATE_COLUMNS])
    with replace_whole(path) as temporary:
        values = (tuple(map(row.get, RATE_COLUMNS)) for row in rows)
        arrow.write(temporary, values, schema.with_metadata({_METADATA: msgspec.json.encode(measure)}))


class Rates:
    """Difficulty by example: a file of `scratch`, sorted and mapped, 24 bytes of disk and no memory for each.

    It fills the dataset's column batch by batch, and counts what it filled in.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        import pyarrow.parquet as pq

        metadata = pq.read_schema(path).metadata
        self.measure = msgspec.json.decode(metadata[_METADATA], type=Measure)
        self._index = _build(path, scratch / "difficulty.index")
        self._counts: Counter[str] = Counter()
        self._sum = 0.0

    def of(self, example: str) -> float | None:
        """The difficulty of an example: None if no sample of it was decided. Raises KeyError if it was not measured."""
        high, low = _halves(example)
        at = int(np.searchsorted(self._index["high"], np.uint64(high)))
        while at < len(self._index) and self._index["high"][at] == high:
            if self._index["low"][at] == low:
                found = float(self._index["difficulty"][at])
                return None if math.isnan(found) else found
            at += 1
        raise KeyError(example)

    def fill(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch of examples with its difficulty filled in."""
        import pyarrow as pa

        values = [self._count(example) for example in batch.column("id").to_pylist()]
        filled = {"difficulty": arrow.column(values, pa.float64())}
        columns = [filled.get(name, batch.column(name)) for name in batch.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _count(self, example: str) -> float | None:
        try:
            rate = self.of(example)
        except KeyError:
            self._counts["not_measured"] += 1
            return None
        word = "undecided" if rate is None else "never" if rate == 0 else "always" if rate == 1 else "sometimes"
        self._counts[word] += 1
        self._sum += rate or 0.0
        return rate

    def told(self) -> dict[str, Any]:
        """What was filled in: how it was measured, how many examples are solved how often, and the mean rate."""
        counts = {word: self._counts[word] for word in ("never", "sometimes", "always", "undecided", "not_measured")}
        decided = counts["never"] + counts["sometimes"] + counts["always"]
        mean = round(self._sum / decided, 6) if decided else None
        return {**msgspec.structs.asdict(self.measure), **counts, "mean": mean}


def read_rates(folder: Path, scratch: Path) -> Rates | None:
    """The rates that were measured in this folder; None if there are none."""
    path = folder / RATES_FILE
    return Rates(path, scratch) if path.exists() else None


def _build(rates: Path, path: Path) -> Any:
    import pyarrow.parquet as pq

    with path.open("wb") as out, pq.ParquetFile(rates) as file:
        for batch in file.iter_batches(batch_size=4096, columns=["id", "difficulty"]):
            ids, values = (batch.column(name).to_pylist() for name in ("id", "difficulty"))
            pairs = zip(ids, values, strict=True)
            entries = [(*_halves(name), math.nan if value is None else value) for name, value in pairs]
            out.write(np.array(entries, _ENTRY).tobytes())
    if path.stat().st_size == 0:
        return np.empty(0, _ENTRY)
    index = np.memmap(path, _ENTRY, mode="r+")
    index.sort(order=("high", "low"))
    return index


def _halves(example: str) -> tuple[int, int]:
    data = bytes.fromhex(example)
    return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
