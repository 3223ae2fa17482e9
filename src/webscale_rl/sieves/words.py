"""Texts as words, and words as 64-bit numbers: all of a batch of texts at once, the same on every machine.

What does not change the meaning does not change the words: case, punctuation, white space, accents and the form of
characters (NFKD), invisible characters, commands of LaTeX that are for the eye alone. A number keeps its digits,
without commas and points ("1,200.5" is "12005"); an apostrophe inside a word is dropped; in scripts without spaces,
each character is a word. The letters of a text, without what stands between them, are numbered too: a text from which
someone has deleted the punctuation, which glues its words together, still has the same letters.

Signs go: 2+3 and 2-3 are the same words. That is for matchers that want both, such as decontamination.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from webscale_rl.corpus.record import printable

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_BASE = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2^64. (The golden ratio's digits: nothing up the sleeve.)"""
_BREAK, _LETTER, _GLUE, _ALONE, _SEVERAL, _UNKNOWN = 0, 1, 2, 3, 4, 6
"""What a character is to a word: it ends one, belongs to it, is passed over, is one by itself, stands for several
characters. Odd numbers are letters."""
_APOSTROPHES = "’‘ʼ`´"
_BACKSLASH = 92
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x31FFF),
)
_LAYOUT = (
    "left right big bigg displaystyle textstyle limits text textbf textit textrm mathrm mathbf mathit mathbb mathcal"
    " operatorname quad qquad cdot times div pm le leq leqslant ge geq geqslant ne neq circ"
)
"""LaTeX commands for the eye alone, and those whose sign in plain text is no word."""
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_SAME = {"dfrac": "frac", "tfrac": "frac", "varepsilon": "ε", "varphi": "φ"} | {
    unicodedata.name(letter).rpartition(" ")[2].lower().replace("lamda", "lambda"): letter for letter in _GREEK
}
"""LaTeX commands and what else stands for the same."""


class Words(NamedTuple):
    """The words of some texts, one after the other. Those of text `i` are `ends[i - 1]` to `ends[i]`."""

    numbers: Numbers
    weak: npt.NDArray[np.bool_]
    """Words that tell nothing by themselves: a single letter, a number of one or two digits."""
    ends: Places
    letters: Numbers
    """`letters[b] - letters[a]` is what the letters from `a` to `b` add up to; see `spelt`."""
    letter_ends: Places
    """Where the letters of each text end."""
    first: Places
    """The letter that each word begins with."""
    last: Places
    """The letter behind each word."""
    places: Places
    """Where each letter stands in `plain`."""
    plain: str
    """All texts, with a blank behind each."""

    def starts(self) -> Places:
        """The first word of each text."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])

    def whole(self) -> tuple[Numbers, Places]:
        """What all letters of each text add up to, and how many they are."""
        begin = np.concatenate([np.zeros(1, np.int64), self.letter_ends[:-1]])
        return self.spelt(begin, self.letter_ends), self.letter_ends - begin

    def spelt(self, first: Any, last: Any) -> Any:
        """The numbers of runs of letters, each from letter `first` to before letter `last`."""
        return _spelt(self.letters, first, last)

    def shown(self, first: int, last: int, most: int = 80) -> str:
        """The text of these words, cut to `most` characters."""
        begin = self.places[self.first[first]]
        end = self.places[self.last[last - 1] - 1] + 1
        text = " ".join(printable(self.plain[begin : min(end, begin + 2 * most)]).split())
        return text if len(text) <= most else text[: most - 1] + "…"


def read(texts: Sequence[str]) -> Words:
    """The words of the texts. Memory grows with their length: about a hundred bytes a character."""
    joined, lengths, codes, kinds = _joined(texts)
    kinds[_inside(codes, kinds)] = _GLUE
    places = np.flatnonzero(kinds & 1)  # letters, and characters that are words
    letters = np.zeros(len(places) + 1, np.uint64)
    spoken = codes[places]
    np.cumsum((spoken.astype(np.uint64) + np.uint64(1)) * _powers(len(places) + 1, 1)[:-1], out=letters[1:])
    breaks = np.cumsum(kinds == _BREAK, dtype=np.int32)[places]
    new = np.ones(len(places), bool)
    new[1:] = breaks[1:] != breaks[:-1]
    alone = kinds[places] == _ALONE
    if alone.any():
        new |= alone
        new[1:] |= alone[:-1]
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(places))
    sizes = last - first
    weak = (sizes == 1) & ~alone[first] | (sizes == 2) & (spoken[first] - 48 < 10)
    numbers = mixed(_spelt(letters, first, last))
    if "\\" in joined:
        numbers, kept = _without_layout(numbers, codes[np.maximum(places[first] - 1, 0)] == _BACKSLASH)
        numbers, weak, first, last = numbers[kept], weak[kept], first[kept], last[kept]
    bounds = np.cumsum(lengths)
    letter_ends = np.searchsorted(places, bounds)
    return Words(numbers, weak, np.searchsorted(first, letter_ends), letters, letter_ends, first, last, places, joined)


def _without_layout(numbers: Numbers, command: Any) -> tuple[Numbers, Any]:
    """The words, LaTeX commands that mean the same made the same, and which of them are not for the eye alone."""
    layout, names, meant = _commands()
    numbers = numbers.copy()
    at = np.flatnonzero(command & np.isin(numbers, names))
    numbers[at] = meant[np.searchsorted(names, numbers[at])]
    return numbers, ~(command & np.isin(numbers, layout))


@lru_cache(maxsize=1)
def _commands() -> tuple[Numbers, Numbers, Numbers]:
    layout, names, meant = (read(texts).numbers for texts in (_LAYOUT.split(), list(_SAME), list(_SAME.values())))
    order = np.argsort(names)
    return layout, names[order], meant[order]


def mixed(values: Numbers) -> Numbers:
    """The numbers stirred, so that all bits depend on all bits (the finaliser of SplitMix64, S. Vigna 2015)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _spelt(letters: Numbers, first: Any, last: Any) -> Any:
    return (letters[last] - letters[first]) * _powers(len(letters), -1)[first]


def _joined(texts: Sequence[str]) -> tuple[str, Places, Any, Any]:
    """All texts with a blank behind each, their lengths with it, their characters' codes, and what each of these is."""
    plain = [*texts]
    joined = " ".join([*plain, ""])
    codes, kinds = _characters().look_up(joined)
    if not joined.isascii() and (kinds == _SEVERAL).any():
        ends = np.cumsum(_lengths(plain))
        for row in np.unique(np.searchsorted(ends, np.flatnonzero(kinds == _SEVERAL), side="right")):
            plain[row] = unicodedata.normalize("NFKD", plain[row]).casefold()
        joined = " ".join([*plain, ""])
        codes, kinds = _characters().look_up(joined)
    return joined, _lengths(plain), codes, kinds


def _lengths(texts: Sequence[str]) -> Places:
    return np.fromiter(map(len, texts), np.int64, len(texts)) + 1


class _Characters:
    """What each character is, and its code without case and accents: looked up once for each that comes along."""

    def __init__(self) -> None:
        self._kinds = np.full(sys.maxunicode + 1, _UNKNOWN, np.uint8)
        self._bare = np.arange(sys.maxunicode + 1, dtype=np.uint32)
        self._learn(range(128))
        ascii_ = slice(0, 128)
        self._byte_kinds = self._kinds[ascii_].tobytes().ljust(256, b"\0")
        self._byte_bare = self._bare[ascii_].astype(np.uint8).tobytes().ljust(256, b"\0")

    def look_up(self, text: str) -> tuple[Any, Any]:
        """The codes without case and accents, and the kinds, of a text's characters."""
        if text.isascii():
            return self._bytes(text.encode("ascii"))
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        narrow, kinds = self._bytes(codes.astype(np.uint8).tobytes())
        bare = narrow.astype(np.uint32)
        other = np.flatnonzero(codes > 127)  # few, in most texts: the rest goes byte by byte
        found = codes[other]
        its = self._kinds[found]
        if (its == _UNKNOWN).any():
            self._learn(np.unique(found[its == _UNKNOWN]).tolist())
            its = self._kinds[found]
        kinds[other], bare[other] = its, self._bare[found]
        return bare, kinds

    def _bytes(self, text: bytes) -> tuple[Any, Any]:
        kinds = np.frombuffer(bytearray(text.translate(self._byte_kinds)), np.uint8)
        return np.frombuffer(text.translate(self._byte_bare), np.uint8), kinds

    def _learn(self, codes: Iterable[int]) -> None:
        for code in codes:
            self._bare[code], self._kinds[code] = _character(chr(code))


@lru_cache(maxsize=1)
def _characters() -> _Characters:
    return _Characters()


def _character(character: str) -> tuple[int, int]:
    if "\uac00" <= character <= "\ud7a3":  # a syllable of Hangul, which is several letters to NFKD
        return ord(character), _LETTER
    if character in _APOSTROPHES:
        return ord("'"), _BREAK
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return ord(character), _GLUE
    bare = unicodedata.normalize("NFKD", character).casefold()
    bare = "".join(one for one in bare if unicodedata.category(one)[0] != "M")
    if not any(unicodedata.category(one)[0] in "LN" for one in bare):
        return ord(character), _BREAK if bare else _GLUE
    if len(bare) != 1:
        return ord(character), _SEVERAL
    return ord(bare), _ALONE if any(first <= ord(bare) <= last for first, last in _UNSPACED) else _LETTER


def _inside(codes: Any, kinds: Any) -> Places:
    """Where an apostrophe stands inside a word, or a comma or a point inside a number."""
    marks = np.flatnonzero((codes == 39) | (codes == 44) | (codes == 46))
    marks = marks[(marks > 0) & (marks < len(codes) - 1)]
    before, after = marks - 1, marks + 1
    digits = (codes[before] - 48 < 10) & (codes[after] - 48 < 10)
    word = (codes[marks] == 39) & (kinds[before] == _LETTER) & (kinds[after] == _LETTER)
    found: Places = marks[word | (codes[marks] != 39) & digits]
    return found


def _powers(count: int, sign: int) -> Numbers:
    """The powers of the base, or of its inverse, from the zeroth one."""
    rounded = max(1 << 16, 1 << (count - 1).bit_length())
    return (_kept_powers if rounded <= 1 << 20 else _kept_powers.__wrapped__)(rounded, sign)[:count]


@lru_cache(maxsize=16)
def _kept_powers(count: int, sign: int) -> Numbers:
    powers = np.full(count, pow(_BASE, sign, 1 << 64), np.uint64)
    powers[0] = 1
    return np.cumprod(powers)
