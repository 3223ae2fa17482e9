"""Questions for what an abbreviation stands for, where the page spells it out: "Nuclear Regulatory Commission (NRC)".

The words must have the abbreviation's initials. The question carries a statement or the page's title, for the same
three letters stand for other things elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from webscale_rl.backends.extractive.candidate import Candidate, tidy
from webscale_rl.backends.extractive.page import Page
from webscale_rl.backends.extractive.words import content

USED = 3  # an abbreviation that a page hardly uses is not what the page is about

_CAPITALS = re.compile(r" \([A-Z][A-Z0-9&-]")
_ABBREVIATED = re.compile(
    r"(?P<long>(?:[A-Za-z][\w’'/–-]*|&)(?: (?:[A-Za-z][\w’'/–-]*|&)){1,8}) \((?P<short>[A-Z][A-Z0-9&-]{2,7}s?)\)"
)
_STANDS = re.compile(
    r"(?P<short>[A-Z][A-Za-z]*[A-Z]) (?:stands for|is short for|is an (?:abbreviation|acronym|initialism) (?:for"
    r"|of)) [“\"]?(?P<long>[A-Za-z][\w’' -]{6,70}?)[”\"]?[.,]"
)


def from_sentence(text: str, place: int, evidence: str) -> Iterator[Candidate]:
    """The abbreviation questions of one stand-alone sentence."""
    spelt = _STANDS.search(text)
    if spelt and expansion(spelt["long"], spelt["short"]) == spelt["long"]:
        question = f"What does the abbreviation {spelt['short']} stand for?"
        yield Candidate(7.5, place, question, spelt["long"], "phrase", evidence, "stands")
    short = _ABBREVIATED.search(text) if _CAPITALS.search(text) else None
    if short and '"' not in text:
        long = expansion(short["long"], short["short"])
        if long and text.count(short["short"]) >= 1 and len(content(text)) >= 8:
            start = short.start("long") + short["long"].rindex(long)
            rest = f"{text[:start]}{short['short']}{text[short.end() :]}"
            question = f'What does "{short["short"]}" stand for in this statement: "{rest}"'
            yield Candidate(
                5.5, place, tidy(question), long, "name" if long[0].isupper() else "phrase", evidence, "abbreviation"
            )


def in_context(text: str, page: Page, place: int, evidence: str) -> Iterator[Candidate]:
    """An abbreviation that the sentence spells out and the page goes on to use, asked with the title for context."""
    title = page.title
    short = _ABBREVIATED.search(text) if _CAPITALS.search(text) else None
    if short is None or not 3 <= len(title.split()) <= 14 or '"' in title or short["short"] in title:
        return
    if page.text.count(short["short"]) < USED:
        return
    long = expansion(short["long"], short["short"])
    if long:
        question = f'In the context of "{title}", what does the abbreviation {short["short"]} stand for?'
        yield Candidate(3.0, place, question, long, "name" if long[0].isupper() else "phrase", evidence, "context")


def expansion(before: str, short: str) -> str:
    """The last words of `before` whose initials are those of the abbreviation, or ""."""
    letters = re.sub(r"s$", "", short).casefold()
    parts = before.split(" ")
    for size in range(len(letters), min(len(letters) + 3, len(parts)) + 1):
        tail = parts[-size:]
        main = [part for part in tail if part.casefold() not in ("of", "the", "and", "for", "in", "on", "to", "&")]
        initials = "".join(piece[0] for part in main for piece in re.split(r"[-–/]", part) if piece).casefold()
        every = "".join(part[0] for part in tail).casefold()
        if letters in (initials, every, "".join(part[0] for part in main).casefold()) and tail[0] in main:
            return " ".join(tail)
    return ""
