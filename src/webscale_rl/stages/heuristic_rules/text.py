"""A text's statistics: each is computed once, when the first rule asks for it, and shared by all rules.

Words are what stands between white space, as `str.split` finds it; lines are without the white space around them, and
empty ones do not count. Words are first found as places in the UTF-8 bytes, by numpy: most rules need no more of them
than how many there are and how long, and a list of strings costs more than all of that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value")
Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_WHITE = bytes([*range(0x09, 0x0E), *range(0x1C, 0x21)])
_ODD_CONTROLS = bytes({*range(0x20)} - {*_WHITE})
_NOISE = bytes({*range(0x20), 0x7F} - {*b"\t\n\r"})
_IS_WHITE = np.isin(np.arange(256), list(_WHITE))
_IS_LETTER = np.array([chr(code).isascii() and chr(code).isalpha() for code in range(256)])

# As pairs of first and one past the last, in order.
_WIDE_WHITE = np.array(
    [0x85, 0x86, 0xA0, 0xA1, 0x1680, 0x1681, 0x2000, 0x200B, 0x2028, 0x202A, 0x202F, 0x2030, 0x205F, 0x2060, 0x3000, 0x3001]
)  # fmt: skip
_UNSPACED = np.array(
    [0xE00, 0xF00, 0x1000, 0x10A0, 0x1780, 0x1800, 0x3040, 0x3100, 0x3400, 0xA000, 0xF900, 0xFB00]
)  # fmt: skip


class lazy(Generic[Value]):  # noqa: N801  it is used as a decorator
    """A property that is computed when it is first asked for. Not for several threads: that is what
    `functools.cached_property` takes a lock for, which costs more than many of these values."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Any, kind: Any = None) -> Value:
        value = owner.__dict__[self._name] = self._compute(owner)
        return value


class TextStatistics:
    """What rules measure of one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    # ---------------------------------------------------------------- characters

    @lazy
    def data(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode("utf-8", "surrogatepass")

    @lazy
    def wide(self) -> Integers:
        """The code points beyond ASCII, in their order."""
        if self.text.isascii():
            return np.empty(0, np.int64)
        points = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), np.uint32)
        return points[points > 0x7F].astype(np.int64)

    @lazy
    def wide_white(self) -> int:
        """How many characters are white space beyond ASCII."""
        return _within(self.wide, _WIDE_WHITE)

    @lazy
    def visible(self) -> int:
        """How many characters are no white space."""
        white = len(self.data) - len(self.data.translate(None, _WHITE))
        return len(self.text) - white - self.wide_white

    @lazy
    def digits(self) -> int:
        """How many characters are decimal digits, of any script."""
        count = len(self.data) - len(self.data.translate(None, b"0123456789"))
        if self.wide.size and int(self.wide.max()) >= _FIRST_WIDE_DIGIT:
            zeros = _wide_zeros()
            places = np.searchsorted(zeros, self.wide, "right")
            known = places > 0
            count += int(np.count_nonzero(self.wide[known] - zeros[places[known] - 1] < 10))
        return count

    @lazy
    def noise(self) -> int:
        """How many characters are controls or stand for bytes that could not be read."""
        controls = len(self.data) - len(self.data.translate(None, _NOISE))
        return controls + self.text.count("\ufffd")

    # ---------------------------------------------------------------- words

    @lazy
    def words(self) -> list[str]:
        """The words."""
        return self.text.split()

    @lazy
    def spaced(self) -> Bytes:
        """The bytes with white space of ASCII around every word, also before the first and after the last."""
        data = self.data if not self.wide_white else " ".join(self.words).encode("utf-8", "surrogatepass")
        return np.frombuffer(b" %b " % data, np.uint8)

    @lazy
    def edges(self) -> Integers:
        """Where words start and end in `spaced`, in turn: start, end, start, end ..."""
        plain = len(self.data.translate(None, _ODD_CONTROLS)) == len(self.data)
        white = self.spaced <= 0x20 if plain else _IS_WHITE[self.spaced]
        return np.flatnonzero(white[1:] != white[:-1]) + 1

    @lazy
    def lengths(self) -> Integers:
        """The words' lengths in bytes: at least what they have in characters."""
        return self.edges[1::2] - self.edges[::2]

    @lazy
    def longest(self) -> int:
        """The longest word's length in bytes."""
        return int(self.lengths.max()) if self.lengths.size else 0

    @lazy
    def word_count(self) -> int:
        """How many words there are."""
        return len(self.edges) // 2

    @lazy
    def tokens(self) -> int:
        """How many words there are, and each character of a script without spaces counts as one more."""
        return self.word_count + (_within(self.wide, _UNSPACED) if self.wide.size else 0)

    @property
    def is_unspaced(self) -> bool:
        """Whether the script has no spaces, so that the words' lengths say nothing."""
        return self.tokens > 1.2 * self.word_count

    @lazy
    def plain_letter_words(self) -> int:
        """How many words have a letter of ASCII: at least so many have a letter."""
        if not self.word_count:
            return 0
        letters = _IS_LETTER[self.spaced]
        return int(np.count_nonzero(np.logical_or.reduceat(letters, self.edges[::2])))

    # ---------------------------------------------------------------- lines

    @lazy
    def lines(self) -> list[str]:
        """The lines that are not empty, without the white space around them."""
        return [stripped for line in self.text.splitlines() if (stripped := line.strip())]

    @lazy
    def paragraphs(self) -> list[str]:
        """What stands between empty lines."""
        text = self.text.replace("\r\n", "\n") if "\r" in self.text else self.text
        return [stripped for block in text.split("\n\n") if (stripped := block.strip())]

    @lazy
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()


_FIRST_WIDE_DIGIT = 0x660


@cache
def _wide_zeros() -> Integers:
    """The digits zero beyond ASCII: nine more digits follow each."""
    points = range(_FIRST_WIDE_DIGIT, 0x20000)
    return np.array([point for point in points if unicodedata.decimal(chr(point), -1) == 0])


def _within(points: Integers, ranges: Integers) -> int:
    """How many of the points lie within one of the ranges."""
    if not points.size:
        return 0
    return int(np.count_nonzero(np.searchsorted(ranges, points, "right") & 1))
