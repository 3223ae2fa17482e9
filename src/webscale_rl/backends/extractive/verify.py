"""The checker: finds for itself where the document answers the question, and compares.

Independent of how a question was made: a blank is filled by laying the quoted words over the document's sentences, any
other question is matched by the words it shares with a sentence. Knows no paraphrase: a true pair in wholly other
words than the document's is rejected.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.backends.extractive.candidate import leaks
from webscale_rl.backends.extractive.page import Page, clean, read
from webscale_rl.backends.extractive.reference import topic_of
from webscale_rl.backends.extractive.spans import has_year, values_in
from webscale_rl.backends.extractive.standalone import dangling_definites
from webscale_rl.backends.extractive.words import content, values, words
from webscale_rl.stages.check import CheckReply

ENOUGH = 0.7
BLANK = re.compile(r"_{3,}")
QUOTED = re.compile(r"[\"“]([^\"“”]*_{3,}[^\"“”]*)[\"”]")
_DANGLING = re.compile(
    r"^(?:\W*\w+\W+){0,4}?(?:he|she|it|they|him|them)\b|\b(?:this(?! statement:)|these|those(?! (?:who|with|that"
    r"|in|of|which|from|for)\b)|such(?! as\b)|here|above|below|we|our|us|my|your|you|the "
    r"(?:given text|text|passage|document|article|author|authors|study|paper|above|following|excerpt|company"
    r"|participants|researchers|experiment))\b",
    re.IGNORECASE,
)
_I = re.compile(r"\bI (?!and\b|or\b|in\b|of\b)[a-z]")
_POSSESSIVE_FIRST = re.compile(r"^\W*(?:\w+ ){0,4}(?:his|her|its|their)\b", re.IGNORECASE)
CONTEXT = re.compile(r"In the context of [\"“]([^\"“”]{8,200})[\"”], (.{8,300})$")
_FRAMED = re.compile(
    r"^(?:What|Which) (?:is|was|are|were) the (?:term|name) (?:for|of) |^Which term (?:is defined as|means) "
)
_COUNTRY = re.compile(r"\bUS\b|\bU\.S\b")
_FIGURE = re.compile(r"\b(?:figure|table|section|chapter|equation|appendix) \d", re.IGNORECASE)
YEAR_ASKED = re.compile(r"\b(?:what|which) (?:year|date)|\bwhen\b|missing (?:year|date|month)", re.IGNORECASE)
NUMBER_ASKED = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|high)\b|percentage|missing (?:number|amount|quantity)", re.IGNORECASE
)
FRAME = frozenset(
    content(
        "fill missing blank name number term defined year month date percentage quantity amount person complete"
        " statement "
        "pattern abbreviation called stand statement"
    )
)


def check(text: str, question: str, answer: str) -> CheckReply:
    """The three verdicts, each on its own, with the sentence that proves the answer or comes nearest to it."""
    evidence, own = _find(read(text), question, answer)
    right = bool(own) and same(own, answer) and _fits(question, answer)
    return CheckReply(
        evidence=evidence,
        own_answer=own,
        answer_correct=right,
        has_context=has_context(question),
        leaks_answer=not answer.strip() or leaks(question, answer),
    )


def has_context(question: str) -> bool:
    """Whether the question names what it asks about."""
    context = CONTEXT.match(question)
    question = context[2] if context else question
    quoted = QUOTED.search(question)
    inner = quoted.group(1) if quoted else _FRAMED.sub("", question)
    if (
        _DANGLING.search(_COUNTRY.sub("America", question))
        or _I.search(question)
        or _POSSESSIVE_FIRST.search(inner)
        or _FIGURE.search(question)
    ):
        return False
    bearable = 9 if _FRAMED.match(question) else 1 if quoted is None else 0
    if dangling_definites(inner) > bearable:
        return False
    return len(set(content(inner)) - FRAME) >= (1 if context or re.search(r"\b[A-Z]{2}", inner) else 2)


def same(own: str, answer: str) -> bool:
    """Whether two answers are the same: numbers by value, words by letters."""
    ours, theirs = values(own), values(answer)
    if ours or theirs:
        return ours == theirs and _letters(own) == _letters(answer)
    return words(own) == words(answer)


def _letters(answer: str) -> list[str]:
    kept = [word for word in re.findall(r"[a-z]+|[%$€£]", answer.casefold()) if not values(word)]
    return ["%" if word in ("percent", "cent") else word for word in kept if word != "per"]


def _fits(question: str, answer: str) -> bool:
    """Whether the answer is of the kind that is asked for."""
    if YEAR_ASKED.search(question) and not NUMBER_ASKED.search(question):
        return has_year(answer) or not values(answer)
    if NUMBER_ASKED.search(question):
        return bool(values(answer))
    return True


def _find(page: Page, question: str, answer: str) -> tuple[str, str]:
    """The best sentence for the question and the answer read off it; ("", "") if none comes near."""
    context = CONTEXT.match(question)
    if context and squeeze(context[1]) in squeeze(page.text[:2000]):
        question = context[2]
    quoted = QUOTED.search(question)
    if quoted:
        return _lay_over(page, quoted.group(1), answer)
    asked = set(content(question)) - FRAME
    if not asked:
        return "", ""
    topic = topic_of(page.text)
    about = set(content(f"{page.title} {topic.name if topic else ''}"))
    best = (0.0, 0.0, "", "")
    for raw, said in statements(page.text):
        shared = len(asked & said) / len(asked)
        with_topic = len(asked & (said | about)) / len(asked)
        holds = _holds(raw, answer) if with_topic >= 0.5 else ""
        best = max(best, (with_topic + (0.12 if holds else 0.0), shared, raw, holds), key=lambda one: one[:2])
    score, shared, raw, holds = best
    if not holds or score - 0.12 < ENOUGH or shared < 0.3:
        return raw, _rival(raw, answer)
    return raw, holds


@lru_cache(maxsize=64)
def statements(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """All sentences and glossary entries with the stems of their words."""
    page = read(text)
    sentences = [(sentence.raw, frozenset(content(sentence.clean))) for sentence in page.sentences]
    return (*sentences, *((entry.raw, frozenset(content(entry.raw))) for entry in page.entries))


def _lay_over(page: Page, quoted: str, answer: str) -> tuple[str, str]:
    """What stands in the document where the quotation has its blank."""
    before, after = (squeeze(part) for part in BLANK.split(quoted, maxsplit=1))
    if len(before) + len(after) < 20:
        return "", ""
    asked = set(content(quoted))
    nearest, close = "", 0.0
    for raw, said in statements(page.text):
        near = len(asked & said) / max(1, len(asked))
        if near <= max(close, 0.5):
            continue
        nearest, close = raw, near
        own = _between(squeeze(clean(raw)), before, after)
        if own:
            return raw, answer if own == squeeze(answer) else own
    return nearest, (_holds(nearest, answer) or _rival(nearest, answer)) if close >= 0.9 else ""


def _between(said: str, before: str, after: str) -> str:
    """The letters between two runs of letters; a changed beginning (a name for a pronoun) may differ."""
    start = 0
    if before:
        tail = before[-30:]
        at = said.find(tail)
        if at < 0:
            return ""
        start = at + len(tail)
    end = said.find(after[:30], start) if after else len(said)
    return said[start:end] if start < end <= start + 90 else ""


def squeeze(text: str) -> str:
    """The letters, figures and signs of money of a text: what a quotation is laid over."""
    return "".join(char for char in text.casefold() if char.isalnum() or char in "%$€£")


def _holds(raw: str, answer: str) -> str:
    """The answer if the sentence says it, word for word or number for number; "" otherwise."""
    said = clean(raw)
    numbers = values(answer)
    if numbers:
        if all(number in values(said) for number in numbers) and set(_letters(answer)) <= set(_letters(said)):
            return answer
        return ""
    wanted = words(answer)
    told = words(said)
    size = len(wanted)
    return answer if size and any(told[at : at + size] == wanted for at in range(len(told) - size + 1)) else ""


def _rival(raw: str, answer: str) -> str:
    """A value of the answer's kind in the nearest sentence: what the document says instead."""
    spans = values_in(clean(raw)) if raw and values(answer) else []
    return next((span.text for span in spans if not same(span.text, answer)), "")
