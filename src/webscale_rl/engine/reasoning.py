"""What may teach a model to reason: the thinking, then a line "Answer: ..." that the reward takes for the final answer.

    no_answer_line    the last line is not that of the answer, or the thoughts before it never ended
    no_reasoning      nothing stands before it, or next to nothing
    too_long          more than a short chain of thought
    given_answer      it says that it was given the answer or its proof, or measures its result by it
    refers_to_text    it points at a text that its reader will not see
    answer_first      it opens with the answer and justifies it afterwards
    other_answer      it arrives at one answer and ends with another

Rules on words, and English ones: what a model says of its sources in another language passes. Whether the steps are
true, nothing here can tell.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from webscale_rl.normalise import tokens, wording
from webscale_rl.prompt import defuse
from webscale_rl.reward import reward
from webscale_rl.reward.extract import Extracted, NoAnswer, extract, outside_thoughts
from webscale_rl.reward.reference import GroundTruth
from webscale_rl.reward.sentences import first
from webscale_rl.stages.precheck import refers_to_text

NO_LINE, NOTHING, TOO_LONG = "no_answer_line", "no_reasoning", "too_long"
GIVEN, TEXT, FIRST, OTHER = "given_answer", "refers_to_text", "answer_first", "other_answer"
REASONS = frozenset({NO_LINE, NOTHING, TOO_LONG, GIVEN, TEXT, FIRST, OTHER})

_ANSWER_LINE = re.compile(r"[\s#>*_-]*(?:final[ \t]+)?answer[ \t]*[*_]{0,3}[ \t]*[:：][ \t]*[*_]{0,3}", re.IGNORECASE)
_SHOWN = r"(?:given|provided|supplied|reference|expected|target|intended|official|known|stated|ground[- ]truth)"
_TOLD = r"(?:given|told|shown|provided with|supplied with|handed)"
_PROOF = r"(?:evidence|quotation|quote|proof|quoted (?:words|sentence)|supporting (?:text|words|sentence))"
_GIVEN = re.compile(
    rf"\b{_SHOWN} (?:(?:final|correct|right|short) )?answer\b"
    rf"|\banswer (?:that )?(?:(?:i|we|you) (?:was|were|am|are) |(?:is|was) )?(?:already )?(?:{_TOLD}|provided|supplied|known)\b"
    r"(?! (?:by|as|in terms|to be|for)\b)"
    r"|\bground[- ]truth\b|\banswer key\b"
    r"|\b(?:match(?:es|ing|ed)?|consistent with|in (?:line|agreement) with|agree(?:s|ing)? with|confirm(?:s|ing|ed)?)"
    r" (?:the|this|that|our) (?:\w+ )?answer\b"
    rf"|\b(?:i|we) (?:was|were|am|are|have been|know|knew|already know)(?: already)? (?:{_TOLD} )?(?:that )?the"
    r" (?:\w+ )?answer\b"
    rf"|\b(?:according to|from|in|based on|by) (?:the|this|that) (?:(?:given|provided|above) )?{_PROOF}\b"
    rf"|\b(?:the|this) {_PROOF} (?:says|states|tells|mentions|gives|provided|given|above|shows|confirms)\b"
    r"|</?(?:question|answer|evidence) [0-9a-f]{12}>",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\s*[,;:.–—-]?\s*(?:because|since|as|for|due to)\b", re.IGNORECASE)


class Parted(NamedTuple):
    """A reply taken apart: the thinking, and what stands on the line of the answer."""

    reasoning: str
    answer: str

    @property
    def text(self) -> str:
        """As a model learns to say it."""
        return f"{self.reasoning}\n\nAnswer: {self.answer}"


class Fault(NamedTuple):
    """Why a reply teaches nothing: a word of `REASONS`, and detail."""

    reason: str
    detail: str = ""


def parted(reply: str) -> Parted | Fault:
    """The reply without what stands in `<think>`, parted at its last line. Chat-template tokens in it are broken."""
    visible = outside_thoughts(reply)
    if isinstance(visible, NoAnswer):
        return Fault(NO_LINE, visible.how)
    body = defuse(reply[slice(*visible)]).strip()
    reasoning, _, last = body.rpartition("\n")
    line = _ANSWER_LINE.match(last)
    answer = last[line.end() :].strip() if line else ""
    if line and line[0].count("**") % 2 and answer.count("**") % 2:  # the whole line is bold
        answer = answer.removesuffix("**").rstrip()
    return Parted(reasoning.rstrip(), answer) if answer else Fault(NO_LINE, last[-300:])


def settled(said: Parted, answer: str, truth: GroundTruth, question: str, kind: str) -> Parted:
    """The same with the answer alone on its line, as the reward reads it: no box, no afterthought. Where it is the
    ground truth but for case and a full stop, it is written as that."""
    verdict = reward(said.text, truth, question, kind, style="marker")
    if verdict.span is None:
        return said
    found = said.text[slice(*verdict.span)]
    return said._replace(answer=answer if _bare(found) == _bare(answer) else found)


def _bare(answer: str) -> str:
    return wording(answer).rstrip(".")


def fault(said: Parted, truth: GroundTruth, question: str, kind: str, words: tuple[int, int]) -> Fault | None:
    """What is wrong about the thinking; `words` bounds its length. Whether its answer is right is not asked here."""
    reasoning = said.reasoning
    length = len(tokens(reasoning))
    if length < words[0]:
        return Fault(NOTHING, f"{length} words, at least {words[0]}")
    if length > words[1]:
        return Fault(TOO_LONG, f"{length} words, limit {words[1]}")
    if told := _tells_it_was_given(reasoning, question):
        return Fault(GIVEN, told)
    if pointer := refers_to_text(f"{question}\n{reasoning}"):
        return Fault(TEXT, defuse(pointer))
    opening = reasoning[: first(reasoning)]
    if _opens_with_answer(opening, said.answer):
        return Fault(FIRST, opening[:300])
    if isinstance(extract(reasoning, "marker", question), Extracted):
        verdict = reward(reasoning, truth, question, kind, style="marker")
        if verdict.score == 0:
            return Fault(OTHER, defuse(f"{verdict.how}: {verdict.extracted}")[:300])
    return None


def _tells_it_was_given(reasoning: str, question: str) -> str:
    """The words that give it away, or "". What the question says itself is no secret."""
    asked = question.casefold()
    return next((found[0] for found in _GIVEN.finditer(reasoning) if found[0].casefold() not in asked), "")


def _opens_with_answer(opening: str, answer: str) -> bool:
    """Whether the first sentence is the answer: marked as one, bare, or followed by its grounds."""
    if isinstance(extract(opening, "marker"), Extracted) or tokens(opening) == tokens(answer):
        return True
    return opening.startswith(answer) and _SINCE.match(opening, len(answer)) is not None
