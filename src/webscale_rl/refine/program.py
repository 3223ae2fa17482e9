"""ProX: a program of edits for one piece of a text, checked as a whole before a character is changed.

    remove_lines(start, end)       lines by their numbers, both ends included
    normalize(source, target)      wherever the string stands, not within a word
    keep_all()                     nothing is to be done

A program is data that a model wrote, and never code: it is compared with the piece, and then applied or refused. It is
refused if a line is not there, if edits overlap or contradict each other, if a string does not stand in a line that
stays, if what replaces it says something else, or if more is removed than may be. So an edit can take words away, and
set letters, spaces and marks anew; it cannot bring in a word or a number, nor change one number into another.

Not covered: what is removed may have been worth keeping, a "not" included. Only how much is removed is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from webscale_rl.refine.pieces import lines_of

Refusal = Literal[
    "contradicts_itself",  # keep_all beside other edits
    "no_such_line",
    "overlaps",
    "no_such_text",
    "adds_text",
    "removes_too_much",
]
MORE_CHARACTERS = 10
"""A replacement may be so much longer than what it replaces: room for spaces and marks, letters being bound anyway."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Edit(msgspec.Struct, frozen=True):
    """One call of a program. `remove_lines` has numbers, `normalize` has strings; the other fields are 0 or empty."""

    call: Literal["keep_all", "remove_lines", "normalize"]
    start: int
    end: int
    source: str
    target: str


class Refused(Exception):
    """A program that is not applied. `word` is its reason in the books."""

    def __init__(self, word: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.word = word
        self.detail = detail


class Edited(NamedTuple):
    """A piece after its program: the text, how many lines went, how many strings were replaced."""

    text: str
    removed_lines: int
    normalized: int


class _Span(NamedTuple):
    start: int
    end: int
    target: str


def apply(program: Sequence[Edit], piece: str, most_removed: float) -> Edited:
    """The piece as the program leaves it. Raises Refused; then nothing of the program is applied."""
    edits = [edit for edit in program if edit.call != "keep_all"]
    if edits and len(edits) < len(program):
        raise Refused("contradicts_itself", f"keep_all beside {len(edits)} edits")
    lines = lines_of(piece)
    gone = _removed([edit for edit in edits if edit.call == "remove_lines"], len(lines))
    kept = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
    strings = [edit for edit in edits if edit.call == "normalize"]
    spans = _spans(strings, kept)
    text = _replaced(kept, spans)
    before, after = visible(piece), visible(text)
    if before and 1 - after / before > most_removed:
        raise Refused("removes_too_much", f"{1 - after / before:.0%} of the piece, {most_removed:.0%} may go")
    return Edited(text, len(gone), len(spans))


def visible(text: str) -> int:
    """How many characters of the text are no white space."""
    return sum(map(len, text.split()))


def _removed(edits: Sequence[Edit], count: int) -> set[int]:
    gone: set[int] = set()
    for edit in edits:
        if not 1 <= edit.start <= edit.end <= count:
            raise Refused("no_such_line", f"lines {edit.start} to {edit.end} of {count}")
        numbers = range(edit.start, edit.end + 1)
        if not gone.isdisjoint(numbers):
            raise Refused("overlaps", f"lines {edit.start} to {edit.end} are removed twice")
        gone.update(numbers)
    return gone


def _spans(edits: Sequence[Edit], text: str) -> list[_Span]:
    """Where the strings stand that are to be replaced, in order."""
    found: list[_Span] = []
    for edit in edits:
        _require_nothing_new(edit)
        own = [_Span(at, at + len(edit.source), edit.target) for at in _places(edit.source, text)]
        if not own:
            raise Refused("no_such_text", f"{edit.source[:80]!r} stands in no line that stays")
        found += own
    found.sort()
    for one, other in pairwise(found):
        if other.start < one.end:
            raise Refused("overlaps", f"{text[other.start : other.end][:80]!r} is replaced twice")
    return found


def _places(source: str, text: str) -> list[int]:
    """Where the string stands, but not within a word: else "e" would be in all of them."""
    places: list[int] = []
    at = text.find(source)
    while at >= 0:
        end = at + len(source)
        cuts_before = at > 0 and text[at - 1].isalnum() and source[0].isalnum()
        cuts_after = end < len(text) and text[end].isalnum() and source[-1].isalnum()
        whole = not (cuts_before or cuts_after)
        if whole:
            places.append(at)
        at = text.find(source, end if whole else at + 1)
    return places


def _require_nothing_new(edit: Edit) -> None:
    source, target = edit.source, edit.target
    if not source:
        raise Refused("no_such_text", "an empty string stands everywhere")
    if "\n" in source or "\n" in target:
        raise Refused("no_such_text", "a string of several lines")
    if len(target) > len(source) + MORE_CHARACTERS:
        raise Refused("adds_text", f"{target[:80]!r} is {len(target) - len(source)} characters longer")
    left = iter(filter(str.isalnum, source.casefold()))
    if not all(letter in left for letter in filter(str.isalnum, target.casefold())):
        raise Refused("adds_text", f"{target[:80]!r} has letters that {source[:80]!r} has not")
    if strange := set(_NUMBER.findall(target)) - set(_NUMBER.findall(source)):
        raise Refused("adds_text", f"the number {min(strange)[:40]} is not in {source[:80]!r}")


def _replaced(text: str, spans: Sequence[_Span]) -> str:
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += [text[at : span.start], span.target]
        at = span.end
    return "".join([*parts, text[at:]])
