"""A possible pair, and what every pair must pass whatever rule made it."""

from __future__ import annotations

import re
from typing import NamedTuple

from webscale_rl.backends.extractive.words import FUNCTION_WORDS, content, stem, values, words
from webscale_rl.types import AnswerType

_SPACE_BEFORE = re.compile(r"\s+([,.;?])")


class Candidate(NamedTuple):
    """A pair with its rank: higher is asked first. `place` is the number of its sentence."""

    score: float
    place: int
    question: str
    answer: str
    answer_type: AnswerType
    evidence: str
    rule: str


def leaks(question: str, answer: str) -> bool:
    """Whether the question holds the answer, a form of one of its words, or a number of the same value."""
    numbers = values(answer)
    if numbers and not re.search(r"[A-Z]{2}|[a-z]{5,}", answer):
        return bool(set(numbers) & set(values(question)))
    asked = set(content(question))
    told = [word for word in words(answer) if word not in FUNCTION_WORDS]
    for word in told:
        root = stem(word)
        if root in asked:
            return True
        if len(root) >= 6 and any(other[:6] == root[:6] for other in asked if len(other) >= 6):
            return True
    return len(answer) > 2 and answer.isupper() and answer.casefold() in "".join(word[0] for word in words(question))


def tidy(question: str) -> str:
    """The question with single spaces and none before a mark."""
    return _SPACE_BEFORE.sub(r"\1", " ".join(question.split()))


def acceptable(candidate: Candidate) -> bool:
    """Whether question and answer have a decent size and the one does not hold the other."""
    size = candidate.question.count(" ") + 1
    if not 5 <= size <= 46 or not 1 <= len(candidate.answer.split()) <= 8 or len(candidate.answer) > 90:
        return False
    if not re.match(r"[\w$€£“\"-]", candidate.answer) or candidate.answer.casefold() in FUNCTION_WORDS:
        return False
    return not leaks(candidate.question, candidate.answer)
