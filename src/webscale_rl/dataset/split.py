"""Which split a document is in: decided by a digest of its group and the seed, so that it stays there when others come.

    train=0.98,test=0.02

Shares are of documents, and what falls to a split is near its share as far as chance allows: of N documents, a split of
share p gets N p, give or take twice the root of N p (1 - p), in 19 seeds of 20.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from webscale_rl.errors import ExportError
from webscale_rl.types import framed

WHOLE = 2**64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TOLERANCE = Decimal("1e-6")
"""So far from 1 may shares sum: thirds are written with finitely many digits."""


class Split(NamedTuple):
    """A part of the dataset: its name, which becomes a file's, and its share of the documents."""

    name: str
    share: Decimal


def parse(text: str) -> tuple[Split, ...]:
    """The splits of `NAME=SHARE,NAME=SHARE`. Raises ExportError that says what is wrong."""
    splits = tuple(_one(part, text) for part in text.split(","))
    names = [split.name.lower() for split in splits]  # files whose names differ in case alone are one on some systems
    if len(set(names)) < len(names):
        raise ExportError(f"--split {text}: a name stands twice")
    total = sum((split.share for split in splits), Decimal(0))
    if abs(total - 1) > _TOLERANCE:
        raise ExportError(f"--split {text}: the shares sum to {total.normalize():f}; they must sum to 1")
    return splits


def _one(part: str, text: str) -> Split:
    name, sign, number = (piece.strip() for piece in part.partition("="))
    if not sign or not name or not number:
        raise ExportError(f"--split {text}: {part.strip() or 'an empty part'!r} is no NAME=SHARE, such as train=0.98")
    if not _NAME.fullmatch(name) or name.lower() == "all":  # what datasets takes as a split's name; all is its own word
        raise ExportError(f"--split {text}: {name!r} cannot name a split; use letters, digits and _")
    try:
        share = Decimal(number)
    except InvalidOperation:
        raise ExportError(f"--split {text}: {number!r} is no number") from None
    if not share.is_finite() or not 0 < share <= 1:
        raise ExportError(f"--split {text}: the share of {name} must be above 0 and at most 1 (it is {number})")
    return Split(name, share)


def digest(*parts: str) -> int:
    """64 bits of the parts, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(framed(parts), digest_size=8).digest(), "big")


class Splitter:
    """Says of each group of documents in which split it is. Pure."""

    def __init__(self, splits: Sequence[Split], seed: int) -> None:
        self.names = [split.name for split in splits]
        self._seed = str(seed)
        shares = [split.share for split in splits]
        # The last one ends at the end, however the shares were rounded.
        self._ends = [int(sum(shares[: at + 1], Decimal(0)) * WHOLE) for at in range(len(shares) - 1)] + [WHOLE]

    def of(self, group: int) -> str:
        """The split of a group, which is named by 64 bits."""
        drawn = digest("split", self._seed, str(group))
        return next(name for name, end in zip(self.names, self._ends, strict=True) if drawn < end)
