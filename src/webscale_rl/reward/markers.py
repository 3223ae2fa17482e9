"""Marked answers in plain text: "Answer: 42", "The final answer is **42**.", "#### 42", "Antwort: 42".

The last marker counts. Its answer is the rest of its line, without the explanation that may follow in further
sentences, or the next lines if its own has nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from webscale_rl.reward import sentences

MOST_MARKERS = 64
"""How many of a response's last markers are looked at."""

LONGEST_OPENING = 160
"""Characters before a marker that are looked at, for "it is not true that the answer is"."""

_WORDS = (
    "answer", "ans", "final", "correct", "antwort", "réponse", "reponse", "respuesta", "resposta", "risposta", "ответ",
    "答案", "答え", "回答",
)  # fmt: skip
"""One of these is in every marker of words; to look for them is ten times faster than the pattern."""
_SENTENCE_END = re.compile(r"[.!?:;][\"')*_]{0,4}\s+|\n")
_MARKER = re.compile(
    r"(?<![\w-])(?:(?:final|correct|best|right|short|exact|my)[ \t]+){0,3}"
    r"(?:answers?|ans|final[ \t]+(?:result|solution|value|response)|correct[ \t]+(?:option|choice)|antwort"
    r"|r[ée]ponse|respuesta|resposta"
    r"|risposta|ответ|答案|答え|回答)"
    r"(?:[*_`)\]]{0,4}[ \t]{0,4}(?:\([^()\n]{1,40}\)|to (?:the|this|your)(?: [a-z]+)? (?:question|problem"
    r"|riddle)|here|choice|option|in (?:[a-z]+ )?"
    r"(?:form|terms|words|units)[^\n:.?!]{0,40}|of this (?:question|problem)))?[*_`)\]]{0,4}[ \t]{0,4}"
    r"(?P<sign>[:：=]|-+>|(?:is|are|was|would be|should be|must be|will be|therefore is)(?![\w'’]))",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:[ \t]*(?:simply|just|therefore|thus|then|indeed|clearly|that|as follows|exactly(?= *:)|[:：]|\*\*"
    r"|__(?!\w)|->))*[ \t]*",
    re.IGNORECASE,
)
_HASHES = re.compile(
    r"^[ \t]{0,8}####[ \t]*(?=\S)|(?<=\s)####[ \t]*(?=-?[$€£]?\d[\d,.]{0,30}%?[ \t]*\n?\Z)", re.MULTILINE
)
_DRESSING = re.compile(r"[\s$*.`\"'{}]+|\\[,;!]|\\(?:text|textbf|mathrm|left|right)(?![a-zA-Z])")
_LONE_NUMBER = re.compile(r"-?[$€£]?[\d,.]+%?[ \t]*$", re.MULTILINE)
_HEADING = re.compile(
    r"^[ \t]{0,8}(?:#{1,6}[ \t]*|[*_]{2})(?:the )?(?:final |short |correct )?(?:answer|result|solution"
    r"|conclusion)[ \t]*[:：.]?[ \t]*[*_]{0,3}[ \t]*[:：]?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|suppose|assum\w{1,5}|unless|why|what|how|check|verify|ensure|make sure|not|never|false"
    r"|untrue|doubt|deny|wrong"
    r"|might|may|could|either|nobody|who|was|were)\b|n['’]t\b|\bunsure\b",
    re.IGNORECASE,
)
_UNANSWERING = re.compile(
    r"\s*(?:yes or no\b|not (?:given|provided|stated|clear|known|listed|among)|obtained|found by|based|given by"
    r"|the following|in the form|clear|"
    r"correct|right|wrong|incorrect|below|above|needed|required|unique|supported|verified|confirmed|consistent"
    r"|reasonable|more complex|complicated)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"[ \t>*_#`\"'(\[-]*(?:(?:so|thus|therefore|hence|and)\b[, ]*)?(?:the |my |our )?[*_`]{0,3}", re.IGNORECASE
)


class Marked(NamedTuple):
    """Where the last marked answer stands, and other marked answers of the same standing."""

    span: tuple[int, int]
    others: tuple[str, ...] = ()


def last(body: str, several: bool = False) -> Marked | None:
    """The last marked answer; its span is empty if the marker has nothing behind it. None if there is no marker."""
    found = _all(body)
    if not found:
        return None
    best = found[-1]
    span = _content(body, best, several)
    earlier = [pair for pair in list(pairwise(found))[-8:] if pair[0].opens_line]
    others: dict[str, str] = {}
    if best.opens_line and not sentences.corrects(body[found[-2].at : best.at] if len(found) > 1 else ""):
        mine = key(body[slice(*span)])
        for position, following in earlier:
            start, end = _content(body, position, several)
            text = body[start : max(start, min(end, following.start))].strip()
            if text and len(text) <= 200 and key(text) != mine:
                others.setdefault(key(text), text)
    return Marked(span, tuple(others.values()))


def lines(body: str) -> list[tuple[int, int]]:
    """Answers of the markers that open a line: up to eight, from the last."""
    strong = [position for position in _all(body) if position.opens_line][-8:]
    return [span for position in strong if 0 < (span := _content(body, position, False))[1] - span[0] <= 200]


def key(text: str) -> str:
    """What two answers that read the same have in common, without a look at what they mean."""
    return _DRESSING.sub("", text[:500]).casefold()


class _Position(NamedTuple):
    start: int
    at: int
    opens_line: bool


def _all(body: str) -> list[_Position]:
    """All markers, from first to last. Plain searches go first: most responses have none."""
    found: list[_Position] = []
    lowered = body.casefold()
    if any(word in lowered for word in _WORDS):
        found += _worded(body)
    if "#" in body or "**" in body or "__" in body:
        found += [_Position(heading.start(), heading.end(), True) for heading in list(_HEADING.finditer(body))[-8:]]
    if "####" in body:
        hashes = list(_HASHES.finditer(body))[-8:]
        found += [
            _Position(mark.start(), mark.end(), True)
            for mark in hashes
            if not body[_line_end(body, mark.end()) :].strip() or _LONE_NUMBER.match(body, mark.end())
        ]
    found.sort()
    return [position for index, position in enumerate(found) if index == 0 or position.at != found[index - 1].at]


def _worded(body: str) -> Iterator[_Position]:
    for marker in list(_MARKER.finditer(body))[-MOST_MARKERS:]:
        before = _before(body, marker.start())
        opens = before is not None and _OPENING.fullmatch(before) is not None
        if before is not None and _SUPPOSED.search(before):
            continue
        if marker["sign"].isalpha() and _UNANSWERING.match(body, marker.end()):
            continue
        at = _AFTER.match(body, marker.end()).end()  # type: ignore[union-attr]  # matches nothing as well
        if opens or body[at : at + 1] not in {"", "\n"}:
            yield _Position(marker.start() - len(before or ""), at, opens)


def _before(body: str, at: int) -> str | None:
    """What stands before a marker in its own sentence; None if that is long."""
    start = max(0, at - LONGEST_OPENING)
    before = body[start:at]
    ends = [stop.end() for stop in _SENTENCE_END.finditer(before)]
    if not ends and start:
        return None
    return before[ends[-1] :] if ends else before


def _line_end(body: str, at: int) -> int:
    stop = body.find("\n", at)
    return len(body) if stop < 0 else stop


def _content(body: str, position: _Position, several: bool) -> tuple[int, int]:
    at = position.at
    end = _line_end(body, at)
    if not body[at:end].strip(" \t*_:：`"):
        return _below(body, end, several)
    start, end = sentences.trimmed(body, at, end)
    if body.startswith(("$$", "\\["), start) and len(body[start:end]) <= 3:
        return _below(body, start, several)
    return start, start + sentences.first(body[start:end])


def _below(body: str, at: int, several: bool) -> tuple[int, int]:
    """The next line that has something, or all lines of the block if a list is wanted or a formula is set off."""
    start, limit = sentences.trimmed(body, at, len(body))
    if start == limit:
        return start, start
    for opening, closing in (("$$", "$$"), ("\\[", "\\]"), ("```", "```")):
        if body.startswith(opening, start):
            stop = body.find(closing, start + len(opening))
            if stop >= 0:
                inner = start + len(opening)
                if opening == "```":
                    inner = min(_line_end(body, inner) + 1, stop)
                return sentences.trimmed(body, inner, stop)
    end = _line_end(body, start)
    rest = body[end : end + 2000].split("\n")
    while len(rest) > 1 and (several or sentences.is_bullet(body[start:end])) and sentences.is_bullet(rest[1]):
        end += 1 + len(rest[1])
        rest.pop(0)
    if "\n" in body[start:end]:
        return start, end
    return start, start + sentences.first(body[start:end])
