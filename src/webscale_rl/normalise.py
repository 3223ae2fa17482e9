"""How texts are compared until the reward's typed comparison exists: by wording, or by tokens, numbers by value."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

_TOKEN = re.compile(r"(?<![\w.,)])-\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?|\.\d+|[^\W_]+")
_MINUS = str.maketrans("−‒–", "---")


def wording(text: str) -> str:
    """The text but for case, white space and the form of characters (NFKC). Signs stay: 2+3 is not 2-3."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text without case, accents and punctuation; numbers by value ("1,200.0" is "1200")."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_MINUS))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return tuple(_number(token) if token[0] in "-.0123456789" else token for token in _TOKEN.findall(plain))


def restates(question: tuple[str, ...], answer: tuple[str, ...]) -> bool:
    """Whether the answer's tokens stand in the question in one run."""
    length = len(answer)
    if not length:
        return False
    return any(question[at : at + length] == answer for at in range(len(question) - length + 1))


def _number(token: str) -> str:
    try:
        value = Decimal(token.replace(",", ""))
    except InvalidOperation:  # digits of another script, which Decimal may not take
        return token
    return f"{value:f}".rstrip("0").rstrip(".") if "." in token else f"{value:f}"
