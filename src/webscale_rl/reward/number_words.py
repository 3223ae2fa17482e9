"""English number words, exactly: cardinals, ordinals, fractions, dozens and years said in pairs.

Not covered: digits said one by one ("one two three"), other languages.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_UNITS = {
    word: value for value, word in enumerate("zero one two three four five six seven eight nine".split(), start=0)
}
_TEENS = {
    word: value
    for value, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), start=10
    )
}
_TENS = {
    word: value * 10
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
} | {"fourty": 40}
_SMALL = _UNITS | _TEENS | _TENS | {"nought": 0, "naught": 0}
SCALES = {
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
    "quintillion": 10**18,
}
"""Short scale: a billion is 10**9, as in English today."""
_SCALES = SCALES | {f"{word}s": value for word, value in SCALES.items()}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
} | {f"{word}th": value for word, value in _TEENS.items() if value > 12}
_ORDINAL_TENS = {f"{word[:-1]}ieth": value for word, value in _TENS.items()}
_ORDINAL_LARGE = {"hundredth": 100, "thousandth": 10**3, "millionth": 10**6, "billionth": 10**9}
_DENOMINATORS = (
    {word: value for word, value in (_ORDINALS | _ORDINAL_TENS | _ORDINAL_LARGE).items() if value > 2}
    | {f"{word}s": value for word, value in (_ORDINALS | _ORDINAL_TENS | _ORDINAL_LARGE).items() if value > 2}
    | {"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
)
_GROUPS = {"dozen": 12}
_LINKS = frozenset(("and", "a", "an", "point"))
VOCABULARY = frozenset(
    (*_SMALL, "hundred", "hundreds", *_SCALES, *_ORDINALS, *_ORDINAL_TENS, *_ORDINAL_LARGE, *_DENOMINATORS, *_GROUPS)
)
"""Every word that can stand in a number, but for "and", "a" and "point", which only link."""
_TOKEN = re.compile(r"[A-Za-z]+")
_JOINT = re.compile(r"(?:,?[ \t\n\u00a0]{1,2}|-)$")
_LONGEST = 16
"""Words read as one number: seven hundred and seventy-seven thousand seven hundred and seventy-seven has twelve."""


class Spoken(NamedTuple):
    """What number words say. `form` is "words", "fraction" or "year" (said in pairs: nineteen eighty-four)."""

    value: Fraction
    form: str
    ordinal: bool


def value(words: str) -> Spoken | None:
    """The number that all of these words say together, None if they do not say one."""
    runs = _runs(words)
    if len(runs) != 1 or words[: runs[0][0].start()].strip(" -") or words[runs[0][-1].end() :].strip(" -"):
        return None
    length, spoken = _Reading().longest([word[0].lower() for word in runs[0]])
    return spoken if length == len(runs[0]) else None


def find(text: str) -> list[tuple[int, int, Spoken]]:
    """All numbers said in words, each as long as it can be, with their places."""
    found = []
    for run in _runs(text):
        tokens = [word[0].lower() for word in run]
        first = 0
        while first < len(run):
            length, spoken = _Reading().longest(tokens[first : first + _LONGEST])
            # a quarter that nobody counts is a coin, a place or three months
            if spoken and not (length == 1 and tokens[first].startswith("quarter")):
                found.append((run[first].start(), run[first + length - 1].end(), spoken))
            first += length or 1
    return found


def _runs(text: str) -> list[list[re.Match[str]]]:
    """Runs of neighbouring words that are number words or links, with one number word at least."""
    runs: list[list[re.Match[str]]] = []
    run: list[re.Match[str]] = []
    spoken = False
    for word in _TOKEN.finditer(text):
        lower = word[0].lower()
        number = lower in VOCABULARY
        if not number and lower not in _LINKS:
            if spoken:
                runs.append(run)
            run, spoken = [], False
            continue
        if run and not _JOINT.match(text, run[-1].end(), word.start()):
            if spoken:
                runs.append(run)
            run, spoken = [], False
        if not run and (lower in ("and", "point") or text[word.start() - 1 : word.start()].isalnum()):
            continue
        run.append(word)
        spoken = spoken or number
    if spoken:
        runs.append(run)
    return runs


class _Reading:
    """One pass over the tokens. `current` is the part under a thousand, `total` what stands before it."""

    def __init__(self) -> None:
        self.total = Fraction(0)
        self.current: Fraction | None = None
        self.last_scale: int | None = None
        self.article = self.joined = self.ordinal = self.closed = False
        self.form = "words"
        self.decimals = 0
        self.waiting: tuple[Fraction, int] | None = None  # a whole, and the numerator after "and": one and two thirds

    def longest(self, tokens: list[str]) -> tuple[int, Spoken | None]:
        """The longest start of the tokens that says a number: how many tokens, and what they say."""
        best: tuple[int, Spoken | None] = (0, None)
        for count, token in enumerate(tokens, start=1):
            if token in _LINKS:
                if not self._link(token):
                    break
                continue
            if self.closed or not self._take(token):
                break
            self.article = self.joined = False
            if self.waiting is None and (self.form != "decimal" or self.decimals):
                best = (count, Spoken(self.total + (self.current or 0), self.form, self.ordinal))
        return best

    def _link(self, token: str) -> bool:
        if token == "and":
            started = self.current is not None or bool(self.total)
            fresh, self.joined = started and not self.joined and not self.article, True
            return fresh
        if token == "point":
            fresh, self.form = self.form == "words" and self.current is not None and not self.joined, "decimal"
            return fresh
        fresh, self.article = not self.article, True
        return fresh

    def _take(self, token: str) -> bool:
        if token in _SMALL:
            return not self.article and self._small(_SMALL[token])
        if token in ("hundred", "hundreds"):
            return self._hundred(plural=token == "hundreds")
        if token in _SCALES:
            return self._scale(_SCALES[token], plural=token.endswith("s"))
        if token in _GROUPS:
            return self._group(_GROUPS[token])
        if token in _DENOMINATORS and self._part(token, _DENOMINATORS[token]):
            return True
        return self._order(token)

    def _small(self, number: int) -> bool:
        current = self.current
        if self.form == "decimal":
            self.decimals += 1
            self.current = (current or 0) + Fraction(number, 10**self.decimals)
            return number < 10
        if self.form == "year":
            self.current = (current or 0) + number
            return current is not None and current % 100 >= 20 and not current % 10 and 1 <= number < 10
        if self.form == "fraction":
            return False
        if current is None or (current and not current % 100):
            self.current = (current or 0) + number
        elif not self.joined and current % 100 >= 20 and not current % 10 and 1 <= number <= 9:
            self.current = current + number
        elif not self.joined and not self.total and 10 <= current <= 20 and number >= 10:
            self.current, self.form = current * 100 + number, "year"
        elif self.joined and not self.total and not self.waiting:
            self.waiting = (current, number)
        else:
            return False
        return True

    def _hundred(self, plural: bool) -> bool:
        current = self.current
        if self.waiting or (current is None and plural):
            return False
        if current is None:
            self.current = Fraction(100)
        elif (0 < current < 100 and current.denominator == 1) or self.form in ("fraction", "decimal"):
            self.current, self.form = current * 100, "words"
        else:
            return False
        return True

    def _scale(self, scale: int, plural: bool = False) -> bool:
        if self.waiting or (self.last_scale is not None and scale >= self.last_scale):
            return False
        if self.current is None and (self.total or plural):
            return False
        self.total += (1 if self.current is None else self.current) * scale
        self.current, self.last_scale, self.form, self.decimals = None, scale, "words", 0
        return True

    def _group(self, size: int) -> bool:
        if self.total or self.waiting:
            return False
        self.current, self.form, self.closed = (self.current or Fraction(1)) * size, "words", True
        return True

    def _part(self, token: str, denominator: int) -> bool:
        """A half, two thirds, two and a half, one and two thirds; not the third, the twenty-first."""
        current, part = self.current, Fraction(1, denominator)
        plural = token.endswith(("s", "half"))
        if self.total or self.form != "words":
            return False
        if self.waiting:
            whole, numerator = self.waiting
            if not plural and numerator != 1:
                return False
            self.current, self.waiting = whole + numerator * part, None
        elif self.joined:
            if not self.article or current is None:
                return False
            self.current = current + part
        elif current is None:
            if not (self.article or token in ("half", "quarter")):
                return False
            self.current = part
        elif (plural and 1 <= current < 100) or (current == 1 and denominator < 100):
            self.current = current * part
        else:
            return False
        self.form = "fraction"
        return True

    def _order(self, token: str) -> bool:
        """An ordinal ends the number: twenty-first, hundredth, two hundredth."""
        if self.article or self.waiting or self.form != "words":
            return False
        if token in _ORDINAL_LARGE:
            # "one hundredth" is a part and a place; which of them the words do not say
            if self.current == 1 and not self.total:
                return False
            size = _ORDINAL_LARGE[token]
            done = self._hundred(plural=False) if size == 100 else self._scale(size)
        else:
            number = _ORDINAL_TENS.get(token) or _ORDINALS.get(token)
            done = number is not None and self._small(number) and self.form == "words" and self.waiting is None
        self.ordinal = self.closed = done
        return done
