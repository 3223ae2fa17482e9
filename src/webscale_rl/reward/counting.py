"""What a "how many" question counts, and whether a number in an answer counts it."""

from __future__ import annotations

import re
from functools import lru_cache

SEES = 48
"""Characters behind a number that are looked at."""
_HOW_MANY = re.compile(r"\b(?:how many|number of|count of) ([a-z][a-z' -]{2,80})", re.IGNORECASE)
STOPS_NOUN = frozenset(
    "are is was were do does did has have had can could will would should in of on at to by for from with that which"
    " who were"
    " the a an there must may might be and or per did if when".split()
)
_NOUN = re.compile(r"[^\W\d_]{3,}")


@lru_cache(maxsize=1024)
def counted(question: str) -> str:
    """The stem of what a "how many" question counts, "" if it counts nothing: "How many red apples are" has "apple"."""
    match = _HOW_MANY.search(question)
    if match is None:
        return ""
    words: list[str] = []
    for word in match[1].lower().split():
        if word in STOPS_NOUN:
            break
        words.append(word)
    return stem(words[-1]) if words and len(words) <= 4 else ""


def is_plain(question: str) -> bool:
    """Whether what is counted is one word: apples, but not red apples."""
    match = _HOW_MANY.search(question)
    words = match[1].lower().split() if match else []
    return len(words) > 1 and words[1] in STOPS_NOUN


def is_right_after(text: str, end: int, noun: str) -> bool:
    """Whether the noun is the very next word."""
    following = _NOUN.match(text, end + 1)
    return following is not None and text[end : end + 1] == " " and stem(following[0]) == noun


def stem(noun: str) -> str:
    """A noun without its plural, in lower case: apples, boxes, cities, people and person."""
    noun = noun.lower()
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("ses", "xes", "ches", "shes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) else noun


_IRREGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth",
    "mice": "mouse", "lives": "life", "wives": "wife", "species": "species", "series": "series", "houses": "house",
    "cases": "case", "phases": "phase", "bases": "base", "nurses": "nurse", "horses": "horse", "courses": "course",
    "databases": "database", "vertices": "vertex", "axes": "axis", "dice": "die", "geese": "goose", "oxen": "ox",
    "leaves": "leaf", "knives": "knife", "halves": "half", "pence": "penny",
}  # fmt: skip
_NEXT_WORDS = re.compile(r"^[ -](?:(\w[\w'-]*),? )?(?:(\w[\w'-]*) )?(?:(\w[\w'-]*) )?(\w[\w'-]*)?")


def names(text: str, end: int, noun: str) -> bool | None:
    """Whether the words after a number name this noun, within four words; None if no noun follows at all."""
    match = _NEXT_WORDS.match(text[end : end + SEES])
    words = [word for word in match.groups() if word] if match else []
    for position, word in enumerate(words):
        if word.lower() in STOPS_NOUN:
            return None if not position else False
        if stem(word) == noun:
            return True
    return False if words else None
