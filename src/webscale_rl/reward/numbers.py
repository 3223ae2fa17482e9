"""Numbers in text, exactly: the one number parser of the reward.

`parse` reads an expression that is one number and nothing else, `find` all numbers in a text. Read are integers and
decimals with thousands separators (1,234.5; 1 234.5; 1'234.5; 12,34,567; 1.234.567; 1.234,5), scientific notation
(1.2e5, 1.2 x 10^5, 10⁻³), fractions and mixed numbers (3/4, 1 1/2, ½, \\frac{3}{4}), numerals with a scale word (2.5
million), number words and ordinals (flagged). A minus sign of any kind is never dropped, nor a decimal.

One comma before three digits separates thousands, as in English; one comma before fewer or more digits ("3,14")
separates two numbers for `find`, and `parse` does not read it. Percent signs, units and currencies belong to the kinds.

Not covered: arithmetic ("2^10", "5²", "9^9^9^9" hold no number for `find`), roots, hexadecimal digits, version numbers
and addresses (1.2.3), clock times and ratios (12:30). Time is linear in the text; digits and exponents are bounded.
"""

from __future__ import annotations

import re
from bisect import bisect
from fractions import Fraction
from typing import NamedTuple

from webscale_rl.reward import number_words

MAX_DIGITS = 400
"""Digits that are read as one number. More are no number that an answer states: 2**1024 has 309."""
MAX_EXPONENT = 400
"""Largest power of ten, either way; a double ends at 308."""


class Number(NamedTuple):
    """One number. `value` is exact. `places` counts the decimal places that were written: 2 for 3.10, -4 for 1.2e5,
    0 for 5, None for a fraction, which is exact. `form`: integer, decimal, scientific, fraction, words, year."""

    value: Fraction
    places: int | None
    form: str
    ordinal: bool = False


class Found(NamedTuple):
    """A number and where it stands in the text, `start` and `end` as in a slice."""

    start: int
    end: int
    number: Number


_DIGITS = "0123456789"
_PLAIN = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u00a0\u2009\u202f\u2007\u2008", "\u00a0"),
    **dict.fromkeys("\u2019\u02bc", "'"),
    "\u2044": "/",
    "\u2215": "/",
    "\uff0b": "+",
    "\uff0e": ".",
    "\uff0c": ",",
    **{chr(start + digit): str(digit) for start in (0xFF10, 0x0660, 0x06F0, 0x0966) for digit in range(10)},
}
_TRANSLATE = str.maketrans(_PLAIN)
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_FROM_SUPERSCRIPT = str.maketrans(f"{_SUPERSCRIPT}⁻⁺", f"{_DIGITS}-+")
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
    "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
_SCALE = "|".join(rf"[{word[0]}{word[0].upper()}]{word[1:]}" for word in ("hundred", "dozen", *number_words.SCALES))
_TIMES_TEN = rf"""
    (?:[\ \u00a0]?(?:×|x|X|\*|·|⋅|\\times|\\cdot)[\ \u00a0]?)10
    (?:(?P<super>[⁻⁺]?[{_SUPERSCRIPT}]+) | \s?(?:\^|\*\*)\s?(?:\{{\s?|\()?(?P<power>[-+]?\d+)(?:\s?\}}|\))?)
"""
_CORE = r"""
    (?P<digits>
        \d{1,3}(?:\.\d{3}){1,9},\d+(?!\d|[.,]\d)        # 1.234,56
      | \d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?            # 1,234.56
      | \d{1,3}(?:\{,\}\d{3}|\\[,!]\d{3})+(?!\d)(?:\.\d+)?  # 1{,}234 of LaTeX
      | \d{1,3}(?:[\ \u00a0]\d{3})+(?![\d])(?:\.\d+)?   # 1 234.56
      | \d{1,3}(?:'\d{3})+(?!\d)(?:\.\d+)?              # 1'234.56
      | \d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d+)?        # 12,34,567
      | \d+(?:\.\d+)*                                   # 1234.56, and 1.2.3, which is none
      | (?<![\d.])\.\d+(?![.]\d)                        # .5
    )
"""
_NUMERAL = rf"""
    (?<![A-Za-z0-9_\u00c0-\u024f\u0370-\u052f])(?<!\d[.:^/])(?<![\^])
    (?:
        10(?:(?P<super2>[⁻⁺]?[{_SUPERSCRIPT}]+)|(?:\^|\*\*)(?:\{{\s?|\()?(?P<power2>[-+]?\d+)(?:\s?\}}|\))?)
      | {_CORE}
        (?:
            (?P<vulgar>[\ \u00a0]?[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])
          | \ ?\\[dt]?frac\s?(?:\{{\s?(?P<mixn>\d+)\s?\}}\s?\{{\s?(?P<mixd>\d+)\s?\}}|(?P<mixn1>\d)(?P<mixd1>\d))
          | [\ \u00a0]?/[\ \u00a0]?(?P<over>\d+)(?![\d.]*[/\d])
          | (?:[\ \u00a0]|\ and\ |-)(?P<num>\d+)\s?/\s?(?P<den>\d+)(?![\d.]*[/\d])
          | [eE](?P<exp>[-+]?\d+)(?![\w])
          | {_TIMES_TEN}
          | (?P<ord>st|nd|rd|th|ST|ND|RD|TH)\b
          | (?P<half>[\ \u00a0]and[\ \u00a0](?:a|one)[\ \u00a0-](?:half|quarter|third)\b)
        )?
        (?P<scale>(?:[\ \u00a0-](?:{_SCALE})s?\b){{1,2}}|k(?![\w.]))?
      | \\[dt]?frac\s?(?:\{{\s?(?P<top>-?\d+)\s?\}}\s?\{{\s?(?P<bottom>\d+)\s?\}}|(?P<top1>\d)(?P<bottom1>\d))
      | (?P<alone>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])(?P<scale2>(?:[\ \u00a0](?:{_SCALE})\b){{1,2}})?
    )
"""
_TOKENS = re.compile(rf"(?=[0-9.\\{''.join(_VULGAR)}]){_NUMERAL}", re.VERBOSE)
_NEGATIVE = re.compile(r"(?:(?<!\w)(?:minus|negative)[ \u00a0-])\Z", re.IGNORECASE)
_GOES_ON = re.compile(rf"\s?(?:\^|\*\*)|[{_SUPERSCRIPT}⁻]|(?<=\d):\d")
_SCALES = {"k": 1000, "hundred": 100, "dozen": 12, **number_words.SCALES}
_PARTS = {"half": 2, "third": 3, "quarter": 4}


def parse(text: str) -> Number | None:
    """The number that this whole text is, but for spaces, a closing full stop and the dollars of LaTeX's math mode."""
    text = text.strip()
    if len(text) > 2 * MAX_DIGITS:
        return None
    if len(text) > 2 and text[0] == text[-1] == "$":
        text = text[1:-1].strip()
    found = find(text)
    if len(found) != 1 or found[0].start or text[found[0].end :] not in ("", "."):
        # "a quarter" is a number, and so is "quarter" where nothing else is said
        spoken = None if found else number_words.value(text.removesuffix("."))
        return _spoken(spoken) if spoken else None
    return found[0].number


def find(text: str) -> list[Found]:
    """All numbers of a text from left to right, signs and scale words included in their places."""
    text = text.translate(_TRANSLATE)
    found: list[Found] = []
    taken = 0
    for match in _TOKENS.finditer(text):
        if _GOES_ON.match(text, match.end()):
            continue
        number = _read(match)
        if number is None:
            continue
        start, negative = _sign(text, match.start(), taken)
        found.append(Found(start, match.end(), _negated(number) if negative else number))
        taken = match.end()
    return _merge(found, _in_words(text), text)


def _in_words(text: str) -> list[Found]:
    said = []
    for start, end, spoken in number_words.find(text):
        sign, negative = _sign(text, start, 0)
        number = _spoken(spoken)
        said.append(Found(sign, end, _negated(number) if negative else number))
    return said


def _merge(numerals: list[Found], said: list[Found], text: str) -> list[Found]:
    """Both in order; a scale word that belongs to a numeral is no number of its own ("2.5 million")."""
    if not said or not numerals:
        return numerals or said
    said = [
        word for word in said if not any(one.start < word.end and word.start < one.end for one in _near(numerals, word))
    ]
    return sorted([*numerals, *said])


def _near(numerals: list[Found], word: Found) -> list[Found]:
    at = bisect(numerals, word)
    return numerals[max(0, at - 1) : at + 1]


def _spoken(spoken: number_words.Spoken) -> Number:
    exact = spoken.form == "fraction" or spoken.value.denominator > 1
    return Number(spoken.value, None if exact else 0, spoken.form, spoken.ordinal)


def _negated(number: Number) -> Number:
    return number._replace(value=-number.value)


def _sign(text: str, start: int, taken: int) -> tuple[int, bool]:
    """Where the number begins with its sign, and whether that is a minus. A dash that joins, as in 10-20, is none."""
    before = text[max(taken, start - 10) : start]
    if not before:
        return start, False
    last = before[-1]
    if last in "-+":
        ahead = text[start - 2] if start > 1 else " "
        return (start, False) if ahead.isalnum() or ahead in ")]}%°.!?-" else (start - 1, last == "-")
    if (
        last in " \u00a0"
        and before[-2:-1] == "-"
        and (start == 2 or text[start - 3] in "=(" or text[max(0, start - 4) : start - 2] in ("= ", "( "))
    ):
        return start - 2, True
    said = _NEGATIVE.search(before)
    return (start - len(said[0]), True) if said else (start, False)


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _ratio(top: str, bottom: str) -> Fraction | None:
    if len(top) > MAX_DIGITS or len(bottom) > MAX_DIGITS or not int(bottom):
        return None
    return Fraction(int(top), int(bottom))


def _digits(text: str) -> Number | None:
    """A numeral with its separators: the groups that the pattern lets through are well formed."""
    if len(text) > 2 * MAX_DIGITS:
        return None
    if "," in text and text.rfind(",") > text.rfind(".") >= 0:
        text = text.replace(".", "").replace(",", ".")
    else:
        text = _SEPARATORS.sub("", text)
        if text.count(".") > 1:
            groups = text.split(".")
            if not 1 <= len(groups[0]) <= 3 or any(len(group) != 3 for group in groups[1:]):
                return None
            text = text.replace(".", "")
    whole, _, decimals = text.partition(".")
    if len(text) > MAX_DIGITS:
        return None
    if not decimals:
        return Number(Fraction(int(whole)), 0, "integer")
    return Number(Fraction(int(whole + decimals), 10 ** len(decimals)), len(decimals), "decimal")


_SEPARATORS = re.compile(r"[,' \u00a0{}\\!]")


def _read(match: re.Match[str]) -> Number | None:
    part = match.groupdict()
    if part["alone"]:
        return _scaled(Number(Fraction(*_VULGAR[part["alone"]]), None, "fraction"), part["scale2"])
    if part["top"] or part["top1"]:
        return _fraction(_ratio(part["top"] or part["top1"], part["bottom"] or part["bottom1"]))
    if part["super2"] or part["power2"]:
        return _raised(Number(Fraction(1), 0, "integer"), part["power2"] or part["super2"].translate(_FROM_SUPERSCRIPT))
    base = _digits(part["digits"])
    if base is None:
        return None
    rest = match.lastgroup
    if rest == "digits":
        return base
    if part["exp"] or part["super"] or part["power"]:
        power = part["exp"] or part["power"] or part["super"].translate(_FROM_SUPERSCRIPT)
        return _scaled(_raised(base, power), part["scale"])
    if part["ord"]:
        return base._replace(ordinal=True) if base.form == "integer" else None
    return _scaled(_with_part(base, part), part["scale"])


def _raised(base: Number, power: str) -> Number | None:
    if len(power) > 5 or abs(int(power)) > MAX_EXPONENT or base.places is None:
        return None
    exponent = int(power)
    return Number(base.value * Fraction(10) ** exponent, base.places - exponent, "scientific")


def _with_part(base: Number, part: dict[str, str | None]) -> Number | None:
    """The base with the fraction that follows it, if one does."""
    top, bottom = part["num"] or part["mixn"] or part["mixn1"], part["den"] or part["mixd"] or part["mixd1"]
    if part["vulgar"]:
        return _fraction(base.value + Fraction(*_VULGAR[part["vulgar"].strip()])) if base.places == 0 else None
    if part["over"]:
        below = _integer(part["over"])
        return _fraction(base.value / below) if below and base.places == 0 else None
    if part["half"]:
        return (
            _fraction(base.value + Fraction(1, _PARTS[_SPACES.split(part["half"])[-1]])) if base.places == 0 else None
        )
    if top and bottom:
        ratio = _ratio(top, bottom)
        return _fraction(base.value + ratio) if ratio is not None and ratio < 1 and base.places == 0 else None
    return base


_SPACES = re.compile(r"[ \u00a0-]+")


def _fraction(value: Fraction | None) -> Number | None:
    return None if value is None else Number(value, None, "fraction")


def _scaled(number: Number | None, words: str | None) -> Number | None:
    if number is None or not words:
        return number
    scale = 1
    for word in _SPACES.split(words.strip(" \u00a0-").lower()):
        scale *= _SCALES[word.removesuffix("s")]
    places = None if number.places is None else number.places - len(str(scale)) + 1
    return Number(number.value * scale, places, number.form)
