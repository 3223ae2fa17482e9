"""The rule path: response -> final answer -> guards -> comparison by the reference's type -> verdict. Pure and
linear."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webscale_rl.reward.aka import also
from webscale_rl.reward.doubts import doubt
from webscale_rl.reward.extract import Extracted, NoAnswer, end_of_turn, extract
from webscale_rl.reward.guards import guard, refused
from webscale_rl.reward.reference import GroundTruth, Reference, kind, references
from webscale_rl.reward.text import clean
from webscale_rl.reward.unmarked import answers_as_well, focus
from webscale_rl.reward.verdict import Match, Verdict

NO_REFERENCE = "reference/empty"
SHOWN = 300
"""Characters of the answer that a verdict shows."""
SEEN_BEFORE = 2_000
"""Characters before the answer in which a chat template's tokens are looked for."""

_SEVERAL = Match(None, "several")
"""What the kinds of numbers say of a sentence with several of them, if its wording does not tell which one counts."""
_PLAIN_VALUES = frozenset({"number", "quantity", "percentage"})
_ARITHMETIC = re.compile(r"\s*\(?\d[\d.]{0,20}\)?(?:\s?[-+*×·/(]\s?\(?\d[\d.]{0,20}\)?){1,20}|\d{1,4}!")
_EITHER = re.compile(r"\W{0,3}\bor\b\W{0,3}")
_SPELT = frozenset({"formula", "code"})
_IN_WORDS = frozenset({"name", "person", "phrase"})
_ERROR = re.compile(r" ?(?:±|\+/-|\\pm) ?\d[\d.,]{0,12}(?!\d)")
_SO = re.compile(r"(?:^|[,;.]? )(?:so|therefore|thus|hence|i\.e\.),? ")
_TO_SOLVE = re.compile(r"=|\b(?:solve|equation|inequality|roots?|zeros?|solutions?|find [a-z]\b|value of [a-z]\b)")
_PROSE = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3,}")
_PIECE = re.compile(r"\n|(?<=[.!])\s+")


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
        return Verdict(None, NO_REFERENCE)
    found = extract(response, style, asked, _sort(truths[0]))
    if isinstance(found, NoAnswer):
        return Verdict(0, f"answer/{found.how}")
    score, how = _decide(response, truths, found, asked)
    return Verdict(score, how, found.text[:SHOWN], found.span)


def _sort(truth: Reference) -> str:
    """The type of the reference, for the choice of a sentence: what is written as a name is one."""
    written = truth.type == "phrase" and all(word[:1].isupper() for word in truth.answer.split()[:4])
    return "name" if written else truth.type


def _decide(response: str, truths: Sequence[Reference], found: Extracted, question: str) -> tuple[int | None, str]:
    around = response[max(0, found.span[0] - SEEN_BEFORE) : end_of_turn(response)]
    if why := guard(truths, question, around, found.text):
        return 0, f"guard/{why}"
    truth, match = _best(truths, found.text, question)
    if match.rule == "alternatives" and len(truths) > 1 and len(found.text) <= SHOWN:
        pieces = [piece for piece in _EITHER.split(found.text) if piece.strip()]
        if len(pieces) > 1 and all(_best(truths, piece, question)[1].same for piece in pieces):
            match = Match(True, "each")  # "doe (or hind)", where both are right
    how = f"{truth.type}/{match.rule}"
    if match.same is False:
        elsewhere = truth.type in _IN_WORDS and any(
            answers_as_well(other, found.text, question) and _best(truths, other, question)[1].same
            for other in found.more
        )
        return (None, "sentence/other") if elsewhere else (0, how)
    if why := refused(truths, question, found.text):
        return 0, f"guard/{why}"
    if match.same is None:
        return None, how
    if any(_best(truths, other, question)[1].same is not True for other in found.others):
        return 0, "guard/several_answers"
    if found.how == "alternatives":
        return 0, "guard/several_answers"
    if found.how in {"fragments", "lines"} and truth.type not in {"list", "phrase"}:
        pieces = [piece for piece in _PIECE.split(found.text) if piece.strip()]
        if any(_best(truths, piece, question)[1].same is False for piece in pieces):
            return None, "guard/several_answers"
    if why := doubt(truths, found.text, question, lambda part: _best(truths, part, question)[1].same is True):
        return None, f"guard/{why}"
    return 1, how


def _best(truths: Sequence[Reference], answer: str, question: str) -> tuple[Reference, Match]:
    """The reference that the answer matches, else one that cannot tell, else the first."""
    first: tuple[Reference, Match] | None = None
    unsure: tuple[Reference, Match] | None = None
    for truth in truths:
        match = _compare(truth, answer, question)
        if match.same and truth.type == "date" and _says_otherwise(truths, truth, answer, question):
            match = Match(None, "less_precise")
        if match.same:
            return truth, match
        if match.same is None:
            unsure = unsure or (truth, match)
        first = first or (truth, match)
    return unsure or first  # type: ignore[return-value]  # there is at least one reference


def _says_otherwise(truths: Sequence[Reference], truth: Reference, answer: str, question: str) -> bool:
    """Whether another reference is more precise than this date, and the answer contradicts it: July for June 1997."""
    finer = [
        one for one in truths if one is not truth and one.type == "date" and _compare(truth, one.answer, question).same
    ]
    return bool(finer) and all(_compare(one, answer, question).same is False for one in finer)


def _compare(truth: Reference, answer: str, question: str) -> Match:
    module = kind(truth.type)
    if truth.type in _PLAIN_VALUES and _ERROR.search(answer) and not _ERROR.search(truth.answer):
        answer = _ERROR.sub("", answer)  # the value of a measurement, whose error was not asked for
    if truth.type in _PLAIN_VALUES and not _PROSE.search(answer):
        from webscale_rl.reward import numbers  # when first used, as all kinds
        from webscale_rl.reward.kinds import formula

        if (formula.is_expression(answer) or _ARITHMETIC.fullmatch(answer.strip(" $."))) and numbers.parse(
            answer.rstrip(" %.")
        ) is None:
            return formula.compare(truth, answer, question)  # the 5 of "5r^5" is not what it says, and √9 is 3
    match = module.compare(truth, answer, question)
    if truth.type in _SPELT and not match.same and (others := also(clean(truth.answer), question)):
        named = Reference(others[0], "phrase", aliases=others[1:])  # carbon dioxide, for CO2
        return again if (again := kind("phrase").compare(named, answer, question)).same else match
    if truth.type == "formula" and not match.same:
        return _concluded(truth, answer, question) or match
    if match == _SEVERAL and (clause := focus(answer, question)) is not None:
        focused = module.compare(truth, clause, question)
        return Match(True, "clause") if focused.same else match
    return match


def _concluded(truth: Reference, answer: str, question: str) -> Match | None:
    """What the sentence says behind its last "so" or "i.e.", or behind the "=" of a calculation."""
    tail = _SO.split(answer)[-1]
    if tail != answer and kind("formula").compare(truth, tail, question).same:
        return Match(True, "concluded")
    return _computed(truth, answer, question) if "=" in answer and "=" not in truth.answer else None


def _computed(truth: Reference, answer: str, question: str) -> Match | None:
    """The value behind the last "=" of a calculation: "A = πr² = 9π". Of an equation to be solved, a side is none."""
    value = answer.rpartition("=")[2].strip()
    if not value or _TO_SOLVE.search(question):
        return None
    return Match(True, "computed") if kind("formula").compare(truth, value, question).same else None
