"""How text is read before it is compared: one spelling for what looks the same, nothing that cannot be seen.

`clean` keeps case, accents and lines; `fold` drops case and accents. Both are linear, and nearly free for ASCII.

NFKC alone would turn 10² into 102, 2½ into 21⁄2, and leave every dash and quotation mark its own. Letters of other
scripts that look like Latin ones stay what they are: "Pаris" with a Cyrillic а never equals "Paris" (`guards.py`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_EM_DASHES = "—―⸺⸻﹘"
_DASHES = "‐‑‒–−﹣－⁃➖"
_SINGLE = "‘’‚‛′‵ʼʻʹˈ´＇"
_DOUBLE = "“”„‟″‶«»＂〃❝❞"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED = re.compile(r"([^⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ]?)([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ]+)(?:([⁄/])([₀-₉]+))?", re.DOTALL)
_VULGAR = re.compile(r"(\d?)([¼-¾⅐-⅞↉])")
_UNFINISHED = re.compile(r"(\d?)⅟")
_STROKED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)


def _table() -> dict[int, str | None]:
    """What becomes of single characters; None is nothing at all."""
    table: dict[int, str | None] = {ord(character): " - " for character in _EM_DASHES}
    table |= {ord(character): "-" for character in _DASHES}
    table |= {ord(character): "'" for character in _SINGLE}
    table |= {ord(character): '"' for character in _DOUBLE}
    table |= dict.fromkeys(map(ord, "™®©℠"))  # NFKC would write TM behind the name
    table |= dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0))  # Hangul fillers: letters that show nothing
    table |= dict.fromkeys((*range(9), 0x0B, *range(0x0E, 0x20), 0x7F))
    return table | {ord("⁄"): "/", ord("∕"): "/", ord("÷"): "/", ord("⋅"): "·", ord("∙"): "·", 0x2800: " "} | _BREAKS


class _Characters(dict[int, "int | str | None"]):
    """What becomes of any character, by its class: what cannot be seen goes, spaces are spaces, digits are digits.

    Surrogates, which no file can hold, and the selectors of a character's look go as well.
    """

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        category = unicodedata.category(character)
        kept: int | str | None = code
        if category in {"Cf", "Cc", "Cs"} or 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE0FFF:
            kept = None
        elif category in {"Zs", "Zl", "Zp"}:
            kept = " " if category == "Zs" else "\n"
        elif category == "Nd":
            kept = str(unicodedata.digit(character))
        if code < 0x3100:  # what alphabets are made of; ideographs would fill the memory
            self[code] = kept
        return kept


_BREAKS: dict[int, str | None] = {0x09: " ", 0x0A: "\n", 0x0C: "\n", 0x0D: "\n", 0x85: "\n"}
_CHARACTERS = _Characters(_table())


def clean(text: str) -> str:
    """The text as a reader sees it, in one spelling: NFKC, straight quotes and dashes, no invisible characters.

    10² is "10^2", H₂O "H2O", 2½ "2 1/2", x⁻¹ "x^-1", ¹⁴C "14C", a dash between clauses " - ". Lines stay, other white
    space is a space, the ends are stripped. × and · stay, ÷ is a slash. Case and accents stay (composed).
    """
    if text.isascii():
        return text.strip() if _UNPRINTABLE.search(text) is None else _lines(text).translate(_CHARACTERS).strip()
    text = _lines(text).translate(_CHARACTERS)  # first, lest something unseen stands between a base and its exponent
    text = _RAISED.sub(_lower, text)
    text = _VULGAR.sub(_fraction, text)
    text = _UNFINISHED.sub(lambda found: f"{found[1]} 1/" if found[1] else "1/", text)
    text = unicodedata.normalize("NFKC", text).translate(_CHARACTERS)  # again, for NFKC makes some of them anew
    return text.strip()


@lru_cache(maxsize=512)
def fold(text: str) -> str:
    """`clean` without case and accents: "Łódź" is "lodz", "Straße" "strasse". White space is single spaces."""
    plain = clean(text).casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain.translate(_STROKED))
        plain = "".join(character for character in plain if not unicodedata.combining(character))
        plain = unicodedata.normalize("NFC", plain)
    return " ".join(plain.split())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text


def _lower(found: re.Match[str]) -> str:
    """Raised characters on the line: an exponent behind its base, a numerator over its denominator."""
    base, raised = found[1], found[2].translate(_SUPERSCRIPTS)
    if found[4]:
        fraction = f"{raised}/{found[4].translate(_SUBSCRIPTS)}"
        return f"{base} {fraction}" if base.isdecimal() else base + fraction
    if base and (base.isalnum() or base in ")]}|'\"%°!"):
        return f"{base}^{raised}"
    return base + raised


def _fraction(found: re.Match[str]) -> str:
    parts = unicodedata.normalize("NFKC", found[2]).replace("⁄", "/")
    return f"{found[1]} {parts}" if found[1] else parts
