"""Rules on lines: which are prose, which are a page's furniture, which stood before. After C4 and FineWeb."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from webscale_rl.stages.heuristic_rules.text import TextStatistics

_BULLETS = "-*•·‣–►"
_ELLIPSES = ("...", "…")
_FURNITURE_PHRASES = (
    *("cookie", "cookies", "privacy policy", "terms of use", "terms of service", "all rights reserved", "sign in"),
    *("sign up", "login", "log in", "subscribe", "newsletter", "javascript", "share on", "share this", "skip to"),
    *("read more", "click here", "back to top", "add to cart", "loading", "impressum", "datenschutz"),
)
_FURNITURE = re.compile(rf"\b(?:{'|'.join(_FURNITURE_PHRASES)})\b")
_MENU_LINE = 200
"""A longer line is prose, which may well be about cookies."""

# What ends a sentence in the scripts of the corpora; FineWeb counts the same idea of characters.
_STOPS = frozenset(".?!…。．｡！？؟۔।॥։።៕⸮‼⁇⁈⁉")
_CLOSED = tuple(".?!\"'”’»。！？؟۔।")
_SENTENCE_END = re.compile(r"[.?!](?<![.?!]{2})[.?!]*+[\"')\]”’»]*+(?=\s|\Z)")
_WIDE_SENTENCE_END = re.compile(r"[。！？؟۔।]++")
_POLICY = (
    *(b"javascript", b"terms of use", b"privacy policy", b"cookie policy"),
    *(b"uses cookies", b"use of cookies", b"use cookies"),
)
_IN_EACH_POLICY = (b"javascript", b"terms of use", b"policy", b"cookies")
_LONGEST_WORD = 1000
_SHORT_LINE = 30
_LEAST_WORDS = 3


def bullet_share(lines: Sequence[str], limit: float) -> float | None:
    """The share of lines that start with a bullet, if it is over the limit; else None."""
    return _share_over((line[0] in _BULLETS or line.startswith("o ") for line in lines), len(lines), limit)


def _share_over(hits: Iterable[bool], total: int, limit: float) -> float | None:
    """The share of hits among so many, if it is over the limit; else None, as soon as too many are none."""
    spare = total - int(limit * total)
    found = 0
    for hit in hits:
        if hit:
            found += 1
        elif spare == 0:
            return None
        else:
            spare -= 1
    share = found / max(1, total)
    return share if share > limit else None


def ellipsis_share(text: TextStatistics, limit: float) -> float | None:
    """The share of lines that end in an ellipsis, if it is over the limit; else None."""
    if text.ellipses <= limit * len(text.lines):
        return None
    return _share_over((line.endswith(_ELLIPSES) for line in text.lines), len(text.lines), limit)


def short_share(lines: Sequence[str], limit: float) -> float | None:
    """The share of lines of at most 30 characters, if it is over the limit; else None."""
    return _share_over((len(line) <= _SHORT_LINE for line in lines), len(lines), limit)


def punctuated_share(lines: Sequence[str], limit: float) -> float | None:
    """The share of lines that end as a sentence does, if it is under the limit; else None."""
    enough = limit * len(lines)
    found = 0
    for line in lines:
        if line[-1] in _STOPS:
            found += 1
            if found > enough:
                return None
    share = found / max(1, len(lines))
    return share if share < limit else None


def duplicate_share(text: TextStatistics, parts: str) -> float:
    """The share of "lines" or "paragraphs" that stood before."""
    if not text.has_repeated_lines:
        return 0.0
    found: list[str] = getattr(text, parts)
    return 1 - len(set(found)) / len(found)


def duplicate_characters(text: TextStatistics, parts: str) -> float:
    """The share of characters in "lines" or "paragraphs" that stood before."""
    if not text.has_repeated_lines:
        return 0.0
    found: list[str] = getattr(text, parts)
    return 1 - sum(map(len, set(found))) / sum(map(len, found))


def furniture_share(text: TextStatistics, limit: float) -> float | None:
    """The share of lines that are short and speak of cookies, logins or terms, if it is over the limit; else None.

    Were it over the limit, such a line would be among any so many lines that the rest is at most the limit's share: so
    the shortest ones are searched first, at little cost.
    """
    lines = text.lines
    enough = len(lines) - int(limit * len(lines)) + 1  # one more, for the product may have been rounded
    shortest = "\n".join(line for line in sorted(lines, key=len)[:enough] if len(line) <= _MENU_LINE).lower()
    for phrase in _FURNITURE_PHRASES:
        if phrase in shortest:
            break
    else:  # as in most documents
        return None
    present = [phrase for phrase in _FURNITURE_PHRASES if phrase in text.lower]
    return _share_over((_is_furniture(line, present) for line in lines), len(lines), limit)


def _is_furniture(line: str, phrases: Sequence[str]) -> bool:
    if len(line) > _MENU_LINE:
        return False
    lower = line.lower()
    return any(phrase in lower for phrase in phrases) and _FURNITURE.search(lower) is not None


def prose_sentences(text: TextStatistics, enough: int) -> int:
    """How many sentences stand in lines that C4 keeps, but no more than `enough` are counted."""
    found = 0
    is_prose = _prose_of(text)
    for line in text.lines:
        if is_prose(line):
            ends: Iterator[re.Match[str]] = _SENTENCE_END.finditer(line)
            if not line.isascii():
                ends = chain(ends, _WIDE_SENTENCE_END.finditer(line))
            found += max(1, sum(1 for _ in islice(ends, enough - found)))  # the last one needs no end that we know
            if found >= enough:
                return enough
    return found


def has_brace_in_prose(text: TextStatistics) -> bool:
    """Whether a line that C4 keeps has a curly brace."""
    if "{" not in text.text:
        return False
    is_prose = _prose_of(text)
    return any("{" in line and is_prose(line) for line in text.lines)


def _prose_of(text: TextStatistics) -> Callable[[str], bool]:
    """Says of a line of the text whether C4 keeps it: it ends as a sentence does and not in an ellipsis, has three
    words or more, none of over 1,000 characters, and speaks neither of JavaScript nor of a site's policies. In scripts
    that do not space their words, none are looked for."""
    lower = text.plain_lower
    is_suspect = any(mark in lower for mark in _IN_EACH_POLICY)
    has_long_words = text.longest > _LONGEST_WORD

    def is_prose(line: str) -> bool:
        if not line.endswith(_CLOSED) or line.endswith("..."):
            return False
        if line[-1] not in "。！？":
            if len(line.split(None, _LEAST_WORDS - 1)) < _LEAST_WORDS:
                return False
            if has_long_words and max(map(len, line.split())) > _LONGEST_WORD:
                return False
        return not (is_suspect and _speaks_of_policy(line))

    return is_prose


def _speaks_of_policy(line: str) -> bool:
    lower = line.encode("utf-8", "surrogatepass").lower()
    return any(phrase in lower for phrase in _POLICY)
