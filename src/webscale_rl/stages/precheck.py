"""Stage 3b, free checks of a pair before the paid one: every rejection here saves a call.

Two answers to the same question are compared as the reward compares them. Whether the question holds its answer is a
matter of tokens, numbers by value: by meaning, "How many metres are 5 km?" would give 5,000 m away.

Not covered: whether the answer is right. That is the check's work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from webscale_rl.normalise import restates, tokens, wording
from webscale_rl.prompt import defuse
from webscale_rl.stage import Stage, StageOptions
from webscale_rl.stages.document_text import quoted_in
from webscale_rl.stages.ground_truth import means
from webscale_rl.types import Drop, Pair

# A question points at its document by "in the passage" and the like. The same words are innocent where a name, a title
# or another noun follows ("the source code", "the text of the First Amendment", "the story 'Araby'"): so after the noun
# the phrase must end, or go on with one of these.
_ENDS = (
    r"(?=\W*$|\s?[,.;:?!)]|\s(?:is|are|was|were|do|does|did|has|have|had|can|could|should|will|would|may|might|must|as|for|to"
    r"|on|at|and|or|that|which|who|what|how|when|where|why|if|about|above|below|mentioned|described|given|provided)\b)"
)
_TEXT = r"(?:text|passage|excerpt|snippet|paragraph|article)"
_SOURCES = (
    *("text", "passage", "excerpt", "snippet", "paragraph", "article", "document", "author", "authors", "writer"),
    *("page", "website", "site", "story", "content", "source", "study", "paper", "report", "research", "survey"),
    *("information", "table", "figure", "chart", "graph", "chapter", "section", "speaker", "narrator"),
)
_SOURCE = f"(?:{'|'.join(_SOURCES)})"
_TOLD = (
    r"(?:stated|mentioned|described|discussed|reported|noted|listed|presented|explained|outlined|cited|quoted|defined)"
)
_GIVEN = r"(?:given|provided|above|following|preceding|aforementioned)"
_SAYS = (
    r"(?:says?|states?|mentions?|describes?|discuss(?:es)?|claims?|reports?|notes?|argues?|explains?|suggests?|lists?"
    r"|refers?|recommends?|compares?|mean|call|use|give|provide|present|identify|attribute)\b"
)
_NO_PLACE = r"\b(?!\s(?:the|an?|its?|this|that|each|every|zero|[-\d$€£]))"  # "below the line" is a place
_REFERS = re.compile(
    rf"\b(?:according to|based on|(?:as )?{_TOLD} (?:in|by)|(?:as )?(?:given|provided|shown) in)"
    rf" (?:the|this|that) (?:{_GIVEN} )?(?P<a>{_SOURCE}){_ENDS}"
    rf"|\b(?:in|from|by|of|per) (?:the|this|that) (?:{_GIVEN} )?(?P<b>{_TEXT}){_ENDS}"
    rf"|\bin (?:the|this) (?P<c>story|page){_ENDS}"
    rf"|\b(?:do|does|did) (?:the|this) (?P<d>{_TEXT}|document|page|story|study|authors?) {_SAYS}"
    rf"|(?<!when )(?<!where )(?<!which )\b(?:the|this) (?P<e>{_TEXT}|document|authors?) {_SAYS}"
    rf"|\b(?:the|this) (?P<f>{_TEXT})(?:'s|’s)\b"
    rf"|\bthis (?P<g>{_TEXT}|document|page|author|story|study|table|figure|section|chapter|example|report){_ENDS}"
    rf"|\b(?:see|in|from|per|to) (?P<h>figure|fig\.|table|equation|eq\.) \(?\d+(?:\.\d+)?\)?(?! (?:of|in)\b)"
    rf"|\b(?:the|this) (?:{_TEXT}|document|story|code|table|example|data) (?P<i>above|below){_NO_PLACE}"
    rf"|\b(?:{_TOLD}|given|shown) (?P<j>above|below|earlier|previously){_NO_PLACE}"
    rf"|\bthe {_GIVEN} (?:{_SOURCE}|review|example)\b(?![^:\n]{{0,80}}[:\n]\s*\S)",
    re.IGNORECASE,
)
_POINTERS = frozenset(
    (*_SOURCES, "fig", "equation", "eq", "example", "review", "above", "below", "earlier", "previously")
)
"""Whatever `_REFERS` finds has one of these for a word."""
_TITLE = re.compile(r"(?:^|[\s(])[\"“‘'«*_`][^\s\"”’'»*_`].{0,150}?\S[\"”’'»*_`](?!\w)", re.DOTALL)
_SENTENCE = re.compile(r"[.:;]\s|\n|```")
_YES_NO = re.compile(
    r"^(?:yes|no|true|false)(?:\W*$|\s*[,;:!]|\.(?!\s?\d)|\s+[—–-]|\s+(?:it|its|they|he|she|we|you|there|that|this|because)\b)",
    re.IGNORECASE,
)
_OPTIONS = re.compile(r"(?:^|\s)\(?A[.):].{1,400}?(?:\s|^)\(?B[.):]", re.DOTALL)


class PrecheckOptions(StageOptions):
    """Options of the precheck stage."""

    max_answer_words: int = Field(30, ge=1, description="a longer answer cannot be checked by rule")
    max_question_words: int = Field(300, ge=1, description="a longer question is a document of its own")
    allow_yes_no: bool = Field(True, description="keep questions that are answered yes or no")
    allow_choice: bool = Field(True, description="keep multiple-choice questions")
    require_evidence: bool = Field(True, description="the generator's quotation must stand in the document")


class Precheck(Stage[Pair, None, Pair]):
    """Drops what is not worth a paid check."""

    name = "precheck"
    takes = Pair
    gives = Pair
    gathers = True
    reasons = frozenset(
        {
            "empty_question",
            "empty_answer",
            "long_answer",
            "long_question",
            "restated_answer",
            "refers_to_text",
            "yes_no",
            "choice",
            "no_evidence",
            "duplicate_in_document",
        }
    )
    Options: ClassVar[Any] = PrecheckOptions

    def decide_all(self, records: Sequence[Pair]) -> list[list[Pair] | Drop]:
        """Each pair on its own, then the duplicates among a document's pairs: the first one stays.

        The same question with another answer is no duplicate but a conflict: both are checked, and dedup decides."""
        seen: dict[str, list[Pair]] = {}
        decisions: list[list[Pair] | Drop] = []
        for pair in records:
            decision = self.decide(pair, None)
            if not isinstance(decision, Drop):
                earlier = seen.setdefault(wording(pair.question), [])
                if any(_same_answer(pair, other) for other in earlier):
                    decision = self.drop("duplicate_in_document")
                else:
                    earlier.append(pair)
            decisions.append(decision)
        return decisions

    def decide(self, record: Pair, reply: None) -> list[Pair] | Drop:
        """All rules that look at one pair."""
        if not tokens(record.question):
            return self.drop("empty_question")
        if not record.answer.strip() or not (tokens(record.answer) or record.answer_type in ("code", "formula")):
            return self.drop("empty_answer")
        return self._form(record) or self._leak(record) or [record]

    def _form(self, record: Pair) -> Drop | None:
        words = len(record.answer.split())
        if words > self.options.max_answer_words:
            return self.drop("long_answer", f"{words} words, limit {self.options.max_answer_words}")
        words = len(record.question.split())
        if words > self.options.max_question_words:
            return self.drop("long_question", f"{words} words, limit {self.options.max_question_words}")
        if reference := refers_to_text(record.question):
            return self.drop("refers_to_text", defuse(reference))
        if not self.options.allow_yes_no and is_yes_no(record):
            return self.drop("yes_no")
        if not self.options.allow_choice and (record.answer_type == "choice" or _OPTIONS.search(record.question)):
            return self.drop("choice")
        return None

    def _leak(self, record: Pair) -> Drop | None:
        choosing = record.answer_type == "choice" or is_yes_no(record)
        if not choosing and restates(record.question, record.answer):
            return self.drop("restated_answer")
        if self.options.require_evidence and not quoted_in(record.evidence, record.brief.document.text):
            return self.drop("no_evidence", defuse(record.evidence)[:300])
        return None


def _same_answer(one: Pair, other: Pair) -> bool:
    """Whether two answers to one question are the same, each measured by the other: wider and narrower are not."""
    if wording(one.answer) == wording(other.answer):
        return True
    return means(one, other.answer) is True and means(other, one.answer) is True


def refers_to_text(question: str) -> str:
    """The words by which an English question points at a text that its reader will not see, or "".

    No match where the question itself holds what they point at: a title in quotation marks, the same noun before, or,
    for "this example", a sentence before.
    """
    if question.isascii() and _POINTERS.isdisjoint(tokens(question)):  # most questions, at a tenth of the cost
        return ""
    for match in _REFERS.finditer(question, 0, 10_000):
        before = question[: match.start()].casefold()
        form = match.lastgroup or "z"  # by its name: which alternative of the pattern this is
        named = form <= "f" and _TITLE.search(question[: match.start()])
        carried = form == "g" and _SENTENCE.search(before)
        repeated = form <= "g" and re.search(rf"\b{re.escape(match[form].casefold())}\b", before)
        if not (named or carried or repeated):
            return match[0]
    return ""


def is_yes_no(pair: Pair) -> bool:
    """Whether the pair asks for a yes or a no, whatever it calls itself."""
    return pair.answer_type == "yes_no" or _YES_NO.match(pair.answer.strip()) is not None
