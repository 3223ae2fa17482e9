"""How texts compare where their words matter and not their meaning: by wording, or by tokens, numbers by value.

Whether two answers mean the same, the reward says (`stages/ground_truth.py`).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_TOKEN = re.compile(rf"(?<![\w.,)])-{_NUMBER}|{_NUMBER}|\.\d+|[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MINUS = str.maketrans("−‒–", "---")


def wording(text: str) -> str:
    """The text but for case, white space and the form of characters (NFKC). Signs stay: 2+3 is not 2-3."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=128)  # several rules look at one question
def tokens(text: str) -> tuple[str, ...]:
    """The words of a text without case, accents and punctuation; numbers by value ("1,200.0" is "1200")."""
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain.translate(_MINUS))
        plain = "".join(character for character in plain if not unicodedata.combining(character))
    return tuple(_number(token) if token[0] in "-.0123456789" else token for token in _TOKEN.findall(plain))


def restates(question: str, answer: str) -> bool:
    """Whether the answer stands in the question: its tokens in one run; if it is but a letter ("C", "C++"), its very
    characters; in scripts without spaces, as it is. A lone digit restates nothing: formulas are full of them."""
    if _UNSPACED.search(answer):
        return wording(answer) in wording(question)
    sought = tokens(answer)
    if sum(map(len, sought)) < 2:
        exact = wording(answer)
        if not sought or sought[0].isdecimal():
            return False
        return re.search(rf"(?<![^\s(\"'`]){re.escape(exact)}(?![^\s.,;:?!)\"'`])", wording(question)) is not None
    asked, length = tokens(question), len(sought)
    return any(asked[at : at + length] == sought for at in range(len(asked) - length + 1))


def _number(token: str) -> str:
    try:
        value = Decimal(token.replace(",", ""))
    except InvalidOperation:  # digits of another script, which Decimal may not take
        return token
    return f"{value:f}".rstrip("0").rstrip(".") if "." in token else f"{value:f}"
