"""The rule path: response -> final answer -> guards -> comparison by the reference's type -> verdict. Pure and
linear."""

from __future__ import annotations

from collections.abc import Sequence

from webscale_rl.reward.extract import Extracted, NoAnswer, extract
from webscale_rl.reward.guards import guard
from webscale_rl.reward.reference import GroundTruth, Reference, kind, references
from webscale_rl.reward.verdict import Match, Verdict

SHOWN = 300
"""Characters of the answer that a verdict shows."""


def reward(
    response: str,
    ground_truth: GroundTruth,
    question: str | None = None,
    answer_type: str | None = None,
    *,
    style: str | None = None,
) -> Verdict:
    """Whether the final answer of `response` is right: score 1 or 0, None if the rules cannot tell.

    `ground_truth` is text, a Reference, its stored form (JSON or a mapping), or several of these: any of them is right.
    `question` helps to find the answer, to read options and abbreviations, and to refuse copies of it. `answer_type`
    is a hint (`reference.infer`). `style` demands one format: "answer_tag", "boxed", "json" or "marker"; None takes
    any.

    A pure function of its arguments: safe in threads, processes and Ray workers, no signals, and no exception
    whatever the texts hold. Raises ValueError for an unknown style or a malformed stored reference, TypeError for
    other types.
    """
    asked = question or ""
    truths = references(ground_truth, asked, answer_type)
    if not any(truth.answer.strip() for truth in truths):
        return Verdict(None, "reference/empty")
    found = extract(response, style, asked, truths[0].type)
    if isinstance(found, NoAnswer):
        return Verdict(0, f"answer/{found.how}")
    score, how = _decide(response, truths, found, asked)
    return Verdict(score, how, found.text[:SHOWN], found.span)


def _decide(response: str, truths: Sequence[Reference], found: Extracted, question: str) -> tuple[int | None, str]:
    if why := guard(truths, question, response[max(0, found.span[0] - 2000) :], found.text):
        return 0, f"guard/{why}"
    truth, match = _best(truths, found.text, question)
    if match.same and any(_best(truths, other, question)[1].same is not True for other in found.others):
        return 0, "guard/several_answers"
    score = None if match.same is None else int(match.same)
    return score, f"{truth.type}/{match.rule}"


def _best(truths: Sequence[Reference], answer: str, question: str) -> tuple[Reference, Match]:
    """The reference that the answer matches, else one that cannot tell, else the first."""
    first: tuple[Reference, Match] | None = None
    unsure: tuple[Reference, Match] | None = None
    for truth in truths:
        match = _compare(truth, answer, question)
        if match.same:
            return truth, match
        if match.same is None:
            unsure = unsure or (truth, match)
        first = first or (truth, match)
    return unsure or first  # type: ignore[return-value]  # there is at least one reference


def _compare(truth: Reference, answer: str, question: str) -> Match:
    module = kind(truth.type)
    return Match(None, "no_kind") if module is None else module.compare(truth, answer, question)
