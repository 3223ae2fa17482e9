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
Integers = npt.NDArray[np.integer[Any]]
Bytes = npt.NDArray[np.uint8]

_ASCII = bytes(range(0x80))
_WHITE = bytes([*range(0x09, 0x0E), *range(0x1C, 0x21)])
_IS_WHITE = np.isin(np.arange(256), list(_WHITE))
_NOISE = bytes({*range(0x20), 0x7F} - {*b"\t\n\r"})
_IS_LETTER = np.array([code < 0x80 and chr(code).isalpha() for code in range(256)])
_WITHOUT_LETTER = bytes(code for code in range(256) if code not in _WHITE and not _IS_LETTER[code])

_WIDE_WHITE, _UNSPACED, _WITH_DIGITS = 1, 2, 4
_RANGES = (
    (_WIDE_WHITE, ((0x85, 0x86), (0xA0, 0xA1), (0x1680, 0x1681), (0x2000, 0x200B), (0x2028, 0x202A), (0x202F, 0x2030))),
    (_WIDE_WHITE, ((0x205F, 0x2060), (0x3000, 0x3001))),
    (_UNSPACED, ((0xE00, 0xF00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3040, 0x3100), (0x3400, 0xA000))),
    (_UNSPACED, ((0xF900, 0xFB00),)),
    (_WITH_DIGITS, ((0x660, 0x2000), (0xA620, 0x20000))),  # there are others in between, but none is a decimal digit
)
"""Which characters beyond ASCII matter to a rule: from the first to before the second."""
_BOUNDS = np.array(sorted({bound for _, ranges in _RANGES for pair in ranges for bound in pair}))
_MARKS = np.zeros(len(_BOUNDS) + 1, np.uint8)
for _mark, _ranges in _RANGES:
    for _first, _end in _ranges:
        _MARKS[1:][(_first <= _BOUNDS) & (_end > _BOUNDS)] |= _mark


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
        wide = self.data.translate(None, _ASCII).decode("utf-8", "surrogatepass")
        return np.frombuffer(wide.encode("utf-32-le", "surrogatepass"), np.int32)

    @lazy
    def marks(self) -> Bytes:
        """What each of the wide characters is."""
        return _MARKS[np.searchsorted(_BOUNDS, self.wide, "right")]

    @lazy
    def marked(self) -> int:
        """What at least one of them is."""
        return int(np.bitwise_or.reduce(self.marks)) if self.wide.size else 0

    @lazy
    def visible(self) -> int:
        """How many characters are no white space."""
        inner_bytes = len(self.spaced) - 1 - len(self.text)  # of the characters that have several, those but the first
        return int(self.lengths.sum()) - inner_bytes

    @lazy
    def digits(self) -> int:
        """How many characters are decimal digits, of any script."""
        count = len(self.data) - len(self.data.translate(None, b"0123456789"))
        if self.marked & _WITH_DIGITS:
            zeros = _wide_zeros()
            points = self.wide[self.marks & _WITH_DIGITS > 0]
            count += int(np.count_nonzero(points - zeros[np.searchsorted(zeros, points, "right") - 1] < 10))
        return count

    def _count(self, mark: int) -> int:
        return int(np.count_nonzero(self.marks & mark)) if self.marked & mark else 0

    @lazy
    def controls(self) -> int:
        """How many characters are controls other than tabs and line breaks."""
        return len(self.data) - len(self.data.translate(None, _NOISE))

    @lazy
    def noise(self) -> int:
        """How many characters are controls or stand for bytes that could not be read."""
        return self.controls + self.text.count("\ufffd")

    @lazy
    def ellipses(self) -> int:
        """How many ellipses there are, of three dots or as one character."""
        return self.data.count(b"...") + self.text.count("…")

    # ---------------------------------------------------------------- words

    @lazy
    def words(self) -> list[str]:
        """The words."""
        return self.text.split()

    @lazy
    def _padded(self) -> Bytes:
        data = self.data
        if self.marked & _WIDE_WHITE:
            text = self.text
            for point in np.unique(self.wide[self.marks & _WIDE_WHITE > 0]).tolist():
                text = text.replace(chr(point), " ")
            data = text.encode("utf-8", "surrogatepass")
        return np.frombuffer(b" %b " % data, np.uint8)

    @lazy
    def spaced(self) -> Bytes:
        """The bytes with white space of ASCII around every word, also after the last."""
        return self._padded[1:]

    @lazy
    def edges(self) -> Integers:
        """Where words start and end in `spaced`, in turn: start, end, start, end ..."""
        white = _IS_WHITE[self._padded] if self.controls else self._padded <= 0x20
        found: Integers = (white[1:] != white[:-1]).nonzero()[0]
        return found

    @lazy
    def first_bytes(self) -> Bytes:
        """The words' first bytes."""
        return self.spaced[self.edges[::2]]

    @lazy
    def lengths(self) -> Integers:
        """The words' lengths in bytes: at least what they have in characters."""
        return self.edges[1::2] - self.edges[::2]

    @lazy
    def heaviest(self) -> int:
        """No word has more bytes than this in all its occurrences together: words are told apart by their lengths and
        first bytes only, which is enough to say of most texts that none of their words stands everywhere."""
        if not self.word_count:
            return 0
        kinds = (self.lengths * 37 + self.first_bytes) & 0x1FF
        return int(np.bincount(kinds, self.lengths).max())

    @lazy
    def longest(self) -> int:
        """The longest word's length in bytes."""
        return int(self.lengths.max()) if self.lengths.size else 0

    def words_of(self, least: int) -> str:
        """The words of at least so many bytes, with a space between them."""
        if self.longest < least:
            return ""
        data = self.spaced.tobytes()
        places = np.flatnonzero(self.lengths >= least) * 2
        return b" ".join(
            data[start:end]
            for start, end in zip(self.edges[places].tolist(), self.edges[places + 1].tolist(), strict=True)
        ).decode("utf-8", "surrogatepass")

    @lazy
    def word_count(self) -> int:
        """How many words there are."""
        return len(self.edges) // 2

    @lazy
    def tokens(self) -> int:
        """How many words there are, and each character of a script without spaces counts as one more."""
        return self.word_count + self._count(_UNSPACED)

    @property
    def is_unspaced(self) -> bool:
        """Whether the script has no spaces, so that the words' lengths say nothing."""
        return self.tokens > 1.2 * self.word_count

    @lazy
    def letter_first_words(self) -> int:
        """How many words start with a letter of ASCII."""
        return int(np.count_nonzero(_IS_LETTER[self.first_bytes]))

    @lazy
    def plain_letter_words(self) -> int:
        """At least so many words have a letter: those with one of ASCII, as they stand between its white space."""
        white = np.frombuffer(b" " + self.data.translate(None, _WITHOUT_LETTER), np.uint8) <= 0x20
        return int(np.count_nonzero(white[:-1] > white[1:]))

    # ---------------------------------------------------------------- lines

    @lazy
    def lines(self) -> list[str]:
        """The lines that are not empty, without the white space around them."""
        return list(filter(None, map(str.strip, self.text.splitlines())))

    @lazy
    def distinct_lines(self) -> frozenset[str]:
        """The lines, each once."""
        return frozenset(self.lines)

    @property
    def has_repeated_lines(self) -> bool:
        """Whether a line stood before. Where none did, no paragraph did."""
        return len(self.distinct_lines) < len(self.lines)

    @lazy
    def paragraphs(self) -> list[str]:
        """What stands between empty lines."""
        text = self.text.replace("\r\n", "\n") if "\r" in self.text else self.text
        return list(filter(None, map(str.strip, text.split("\n\n"))))

    @lazy
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @lazy
    def plain_lower(self) -> bytes:
        """The text in UTF-8 with the capitals of ASCII in lower case."""
        return self.data.lower()


@cache
def _wide_zeros() -> Integers:
    """The digits zero beyond ASCII, in order: nine more digits follow each."""
    points = range(0x660, 0x20000)
    return np.array([point for point in points if unicodedata.decimal(chr(point), -1) == 0], np.int32)
