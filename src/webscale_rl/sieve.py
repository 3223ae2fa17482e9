"""What a Sieve is: a pass over all finished examples that says of each whether it stays. It knows nothing of models.

A new sieve is a file in `sieves/`, or any importable class named by its dotted path in `sieves:`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import pyarrow as pa


class SieveOptions(BaseModel):
    """What the configuration can set for every sieve: nothing. A sieve's own Options derive from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rejected(NamedTuple):
    """Example number `row` does not stay. `reason` is a word from the sieve's closed list."""

    row: int
    reason: str
    detail: str


class Examples(Protocol):
    """All examples that are still in, in the order of the corpus. Read as often as needed, a batch at a time."""

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[list[int], pa.RecordBatch]]:
        """Batches of these columns, each with the row numbers of its examples."""
        ...


class Sieve(Protocol):
    """Judges all examples. Memory must not grow with their number: what does goes to files in `scratch`."""

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]
    Options: ClassVar[Any]

    def __init__(self, options: SieveOptions) -> None:
        """A sieve as the configuration wants it."""
        ...

    @property
    def options(self) -> SieveOptions:
        """What it was told."""
        ...

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """The examples that do not stay, by ascending row."""
        ...
