"""Answers that no judge is asked about, for they say nothing or try to say more than an answer: each is wrong.

Models that judge let them pass: "One Token to Fool LLM-as-a-Judge" (Zhao et al. 2025) found a lone ":" or "Solution",
or the first line of a solution, graded right in up to 80 % of cases, by judges of every size and vendor.

    empty           nothing, or nothing that can be seen
    no_words        punctuation alone
    filler          announces an answer and gives none
    placeholder     a template's slot that was never filled
    question_copy   the question again
    injection       speaks to the judge

What a reference says itself is never refused: ":" is right if the reference is ":". Not covered: an injection in words
that are not listed here. Such a one meets the prompt's quotation marks and instructions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from webscale_rl.normalise import tokens
from webscale_rl.reward.text import clean

Refusal = Literal["empty", "no_words", "filler", "placeholder", "question_copy", "injection"]

COPIED_SHARE = 0.8
"""An answer that is a run of at least so much of the question's words, and of four at least, is a copy of it."""

_FILLERS = frozenset(
    tokens(phrase)
    for phrase in (
        "answer|the answer|the answer is|my answer is|final answer|the final answer|the final answer is|correct answer"
        "|the correct answer is|solution|the solution is|thought process|in conclusion|the result is|therefore|thus"
        "|therefore the answer is|so the answer is|here is the answer|here is my answer|the answer is as follows|step 1"
        "|let's solve this problem step by step|let's solve this step by step|let's think step by step|let's think"
        "|解|解答|答案|答え|かいせつ|解説|回答|답|정답|respuesta|la respuesta|la respuesta es|solución|réponse"
        "|la réponse est|antwort|die antwort ist|lösung|risposta|soluzione|resposta|solução|ответ|решение|जवाब|उत्तर"
        "|الجواب|الإجابة|cevap|odpowiedź"
    ).split("|")
)
_SLOT_WORDS = frozenset(
    "a an the your my final short correct exact answer answers answer_here here insert put write fill in value result"
    " number response text placeholder output solution something todo tbd this is".split()
)
_SLOT = re.compile(r"[\s\"'`*]*(?:\\boxed)?[{<\[($%_]{1,4}([^{}<>\[\]()$%]{0,60})[}>\])$%_]{0,4}[\s\"'`*.]*")
_BARE_SLOTS = frozenset(
    {("your", "answer"), ("your", "answer", "here"), ("answer", "here"), ("insert", "answer", "here")}
)
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:the above|instructions?|(?:the|this) (?:reference|rubric)|prompts?)\b"
    r"|\b(?:mark|grade|score|rate|judge|accept)\s(?:this|it|me|the answer|my answer|this answer|the response)"
    r"\b.{0,20}\b(?:correct|full|perfect)\b"
    r"|[\"'{]\s?verdict\b|\bverdict\s?(?:is|:|=|should be|must be)\s?[\"'`]?correct\b"
    r"|\b(?:say|reply|respond)(?:\swith)?\s?:?\s?[\"'`]?correct\b"
    r"|\b(?:output|return|answer|print|write)(?:\swith)?\s?:?\s?[\"'`]correct\b"
    r"|\b(?:dear|attention|note to(?: the)?) (?:judge|grader|evaluator)\b"
    r"|</?\s?(?:answer|reference|question)\b[^>]{0,40}[0-9a-f]{12}",
    re.IGNORECASE,
)
_TELLTALES = (
    "ignore",
    "disregard",
    "forget",
    "correct",
    "full",
    "perfect",
    "verdict",
    "judge",
    "grader",
    "evaluator",
    "<",
)
"""One of these stands in whatever the expression finds."""


class _Said(NamedTuple):
    """What the references say themselves, and an answer may say too."""

    texts: frozenset[str]
    words: tuple[tuple[str, ...], ...]
    injects: bool


def refusal(question: str, references: Sequence[str], answer: str) -> Refusal | None:
    """Why no judge needs to see this answer; None if one should. Pure, linear in the texts."""
    shown = clean(answer)
    said = _said(tuple(references))
    if shown in said.texts:
        return None
    if not shown:
        return "empty"
    words = tokens(shown)
    if words in said.words:
        return None
    if not words:
        return "placeholder" if _is_slot(shown) else "no_words"
    if words in _FILLERS and not any(set(words) <= set(one) for one in said.words):
        return "filler"
    if words in _BARE_SLOTS or _is_slot(shown):
        return "placeholder"
    if question and _copies(_asked(question), words):
        return "question_copy"
    if not said.injects and _injects(shown):
        return "injection"
    return None


@lru_cache(maxsize=512)
def _said(references: tuple[str, ...]) -> _Said:
    texts = [clean(one) for one in references]
    return _Said(frozenset(texts), tuple(tokens(one) for one in texts), any(_injects(one) for one in texts))


@lru_cache(maxsize=256)
def _asked(question: str) -> tuple[str, ...]:
    return tokens(clean(question))


def _injects(shown: str) -> bool:
    lowered = shown.casefold()
    if not any(word in lowered for word in _TELLTALES):  # nearly all answers
        return False
    return _INJECTION.search(" ".join(shown.split())) is not None


def _is_slot(shown: str) -> bool:
    """A pair of brackets, or dollar or per cent signs, around the words that templates have in their slots."""
    found = _SLOT.fullmatch(shown)
    if found is None or shown.strip("\"'`* .")[-1:] not in "}>])$%_":
        return False
    inner = found[1].casefold().replace("_", " ").replace(".", " ").replace("-", " ").split()
    return all(word in _SLOT_WORDS for word in inner)


def _copies(asked: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether the words are the question, a long run of it, or the question and a filler."""
    if not asked or len(words) < 4:
        return bool(asked) and words == asked
    if words[: len(asked)] == asked and (len(words) == len(asked) or words[len(asked) :] in _FILLERS):
        return True
    if len(words) < COPIED_SHARE * len(asked) or len(words) > len(asked):
        return False
    return any(asked[at : at + len(words)] == words for at in range(len(asked) - len(words) + 1))
