"""Which rows of a dataset are exported: those of a difficulty, and a sample of them.

The sample is the rows with the smallest digests of seed and id: it is the same whatever the order, and a smaller one is
part of a larger one.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from webscale_rl.dataset.split import digest
from webscale_rl.errors import ExportError

_BLOCK = 1 << 16


class Bounds(NamedTuple):
    """The difficulties that are wanted, both ends included."""

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> Bounds:
        """The bounds of `LOW:HIGH`, of which one may be left out. Raises ExportError that says what is wrong."""
        low, colon, high = (part.strip() for part in text.partition(":"))
        if not colon or not (low or high):
            raise ExportError(f"--difficulty {text}: write LOW:HIGH, such as 0.1:0.9")
        try:
            bounds = cls(float(low or 0), float(high or 1))
        except ValueError:
            raise ExportError(f"--difficulty {text}: LOW and HIGH are numbers, such as 0.1:0.9") from None
        if not 0 <= bounds.low <= bounds.high <= 1:
            raise ExportError(f"--difficulty {text}: a share of right answers is within 0 and 1, LOW not above HIGH")
        return bounds

    def hold(self, difficulty: float | None) -> bool:
        """Whether a row is wanted; one whose difficulty is not known is not."""
        return difficulty is not None and self.low <= difficulty <= self.high


class Sample:
    """At most `most` rows of all that are noted: digests lie in a file, 8 bytes each, until `settle` has found the
    largest that is still in. Then `take` says of each row, once, whether it is."""

    def __init__(self, most: int, seed: int, scratch: Path) -> None:
        self._most, self._seed = most, str(seed)
        self._path = scratch / "sample"
        self._held: list[int] = []
        self._limit, self._ties = 2**64, 0

    def note(self, row: str, file: IO[bytes]) -> None:
        """A row that may be taken, by its id."""
        self._held.append(self._drawn(row))
        if len(self._held) >= _BLOCK:
            self._flush(file)

    def settle(self, file: IO[bytes]) -> None:
        """All rows were noted; `file` is closed."""
        self._flush(file)
        file.close()
        if self._path.stat().st_size // 8 <= self._most:
            return
        drawn = np.memmap(self._path, np.uint64, mode="r+")
        drawn.partition(self._most - 1)
        self._limit = int(drawn[self._most - 1])
        self._ties = self._most - int(np.count_nonzero(drawn[: self._most] < self._limit))

    def open(self) -> IO[bytes]:
        """The file to note rows in."""
        return self._path.open("wb")

    def take(self, row: str) -> bool:
        """Whether the row is in the sample. Of rows with one id, the first ones are, if not all can be."""
        drawn = self._drawn(row)
        if drawn == self._limit and self._ties:
            self._ties -= 1
            return True
        return drawn < self._limit

    def _drawn(self, row: str) -> int:
        return digest("sample", self._seed, row)

    def _flush(self, file: IO[bytes]) -> None:
        file.write(np.array(self._held, np.uint64).tobytes())
        self._held.clear()
