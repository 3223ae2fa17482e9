"""The second reader: reads the answer to a question off the document, without being shown one.

    a blank             what stands in the document where the quotation has its blank
    "What is X?"        the subject of the sentence that says the rest: "Florence is the capital of Tuscany"
    any other question  the one date, number or name of the asked kind in the sentence that shares most of its words

Where two values would fit, or none, it has no answer. Knows no paraphrase, combines no two sentences, computes nothing.
"""

from __future__ import annotations

import re

from webscale_rl.backends.extractive.page import Page, clean, read
from webscale_rl.backends.extractive.reference import topic_of
from webscale_rl.backends.extractive.spans import Span, names_in, values_in
from webscale_rl.backends.extractive.verify import (
    BLANK,
    CONTEXT,
    FRAME,
    NUMBER_ASKED,
    QUOTED,
    YEAR_ASKED,
    squeeze,
    statements,
)
from webscale_rl.backends.extractive.words import content, words

ENOUGH = 0.75
"""Share of the question's words that the sentence, with the page's topic, must hold: a little more than the checker
asks, which knows what it looks for."""
LONGEST = 90
_SUBJECT = re.compile(
    r"(?:An?|The) (?P<bare>[^,;:]{2,60}?)(?: \([^()]{1,60}\))?,? (?:is|are|was|were|refers to|means)\b"
)
_PLAIN_SUBJECT = re.compile(r"(?P<bare>[^,;:]{2,60}?)(?: \([^()]{1,60}\))?,? (?:is|are|was|were|refers to|means)\b")
_CALLED = re.compile(
    r"\b(?:called|known as|termed|referred to as) (?:an? |the )?[“\"']?(?P<bare>[\w’-]+(?: [\w’-]+){0,3}?)"
    r"[”\"']?(?=[.,;)]|$)"
)
_TERM_ASKED = re.compile(r"^(?:What|Which) (?:is|are|was|were|term|name)\b|\bthe (?:term|name) (?:for|of)\b")


def read_off(text: str, question: str) -> tuple[str, str]:
    """The sentence that answers the question and the answer in it; ("", "") if the document does not settle it."""
    page = read(text)
    context = CONTEXT.match(question)
    question = context[2] if context else question
    quoted = QUOTED.search(question)
    if quoted:
        return _in_the_blank(page, quoted[1])
    asked = set(content(question)) - FRAME
    if not asked:
        return "", ""
    topic = topic_of(page.text)
    about = set(content(f"{page.title} {topic.name if topic else ''}"))
    best = (0.0, 0.0, "")
    for raw, said in statements(page.text):
        share = len(asked & (said | about)) / len(asked)
        best = max(best, (share, len(asked & said) / len(asked), raw), key=lambda one: one[:2])
    if best[0] < ENOUGH or best[1] < 0.3:
        return "", ""
    found = {answer for answer in _candidates(clean(best[2]), question) if not _stands_in(question, answer)}
    return best[2], found.pop() if len(found) == 1 else ""


def _in_the_blank(page: Page, quoted: str) -> tuple[str, str]:
    before, after = (squeeze(part) for part in BLANK.split(quoted, maxsplit=1))
    if len(before) + len(after) < 20:
        return "", ""
    for raw, _ in statements(page.text):
        said = clean(raw)
        places = [at for at, character in enumerate(said) if squeeze(character)]
        letters = "".join(squeeze(said[at]) for at in places)
        if len(letters) != len(places):  # a character that folds to several: its places cannot be told
            continue
        start = _after(letters, before[-30:])
        end = letters.find(after[:30], start) if after else len(letters)
        if 0 <= start < end <= start + LONGEST:
            return raw, said[places[start] : places[end - 1] + 1].strip()
    return "", ""


def _after(letters: str, opening: str) -> int:
    at = letters.find(opening)
    return at + len(opening) if at >= 0 else -1


def _candidates(said: str, question: str) -> list[str]:
    """What the sentence holds of the kind that is asked for."""
    values = values_in(said)
    if NUMBER_ASKED.search(question):
        return [span.text for span in values if span.kind != "date"]
    if YEAR_ASKED.search(question):
        return [span.text for span in values if span.kind == "date" and _is_as_exact(span, question)]
    if question.startswith("Who"):
        return [span.text for span in names_in(said) if span.kind == "person"]
    if _TERM_ASKED.search(question):
        match = _CALLED.search(said) or _SUBJECT.match(said) or _PLAIN_SUBJECT.match(said)
        return [match["bare"]] if match else []
    return [span.text for span in names_in(said)]


def _is_as_exact(span: Span, question: str) -> bool:
    """A day is no answer to "in what year", nor a year to "on what date"."""
    asked = question.casefold()
    wanted = "month and year" if "month" in asked else "date" if "date" in asked else "year" if "year" in asked else ""
    return not wanted or span.noun == wanted


def _stands_in(question: str, answer: str) -> bool:
    wanted, asked = words(answer), words(question)
    size = len(wanted)
    return not size or any(asked[at : at + size] == wanted for at in range(len(asked) - size + 1))
