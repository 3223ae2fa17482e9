"""Stage 1a, free rules that need no model: is this text at all, and is there enough of it?

The paper's own rule is only "under 50 tokens". The others remove what no question could be asked about (binary, number
tables, lines repeated, pages of links) and are set wide, so that the diversity of the corpus stays. Each rule can be
set or switched off (null), and a Drop names the rule and the value that it measured.

Sources: Gopher is Rae et al. 2021 (arXiv 2112.11446, appendix A.1), C4 is Raffel et al. 2019 (arXiv 1910.10683,
section 2.2). Where our threshold is wider than theirs, the option says so. Languages without spaces count characters.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from webscale_rl.stage import Stage, StageOptions
from webscale_rl.types import Document, Drop

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_NOISE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_SYMBOL = re.compile(r"#+|\.\.\.|…")
_DIGIT = re.compile(r"\d")
_WORD_WITHOUT_LETTER = re.compile(r"(?<!\S)(?:[^\w\s]|[\d_])++(?!\S)")
_BULLETS = ("-", "*", "•", "·", "‣", "–", "►", "o ")
_BOILERPLATE = re.compile(
    r"\b(?:cookies?|privacy policy|terms of (?:use|service)|all rights reserved|sign (?:in|up)|log ?in|subscribe"
    r"|newsletter|javascript|share (?:on|this)|skip to|read more|click here|back to top|add to cart|loading|impressum"
    r"|datenschutz)\b"
)
_MENU_LINE = 200
"""A longer line is prose, which may well be about cookies."""


class HeuristicsOptions(StageOptions):
    """Options of the heuristics stage: one per rule; null switches the rule off."""

    min_tokens: int | None = Field(50, ge=0, description="fewest words (the paper: 50 tokens; Gopher: 50 words)")
    max_tokens: int | None = Field(None, ge=1, description="most words (Gopher: 100,000; off, since stages cut anyway)")
    min_mean_word_length: float | None = Field(2.0, ge=0, description="mean characters of a word (Gopher: 3)")
    max_mean_word_length: float | None = Field(14.0, ge=0, description="mean characters of a word (Gopher: 10)")
    max_symbol_ratio: float | None = Field(
        0.2, ge=0, description="runs of `#` and ellipses per word (Gopher: 0.1; wider here, for comments in code)"
    )
    max_bullet_lines: float | None = Field(0.95, ge=0, le=1, description="share of lines with a bullet (Gopher: 0.9)")
    max_ellipsis_lines: float | None = Field(0.3, ge=0, le=1, description="share of lines ending in … (Gopher: 0.3)")
    min_alphabetic_words: float | None = Field(
        0.5, ge=0, le=1, description="share of words with a letter (Gopher: 0.8; lower here, for formulas and code)"
    )
    max_duplicate_lines: float | None = Field(
        0.3, ge=0, le=1, description="share of characters in lines that the document had before (Gopher: 0.20)"
    )
    max_top_bigram: float | None = Field(
        0.2, ge=0, le=1, description="share of characters in the most frequent word pair (Gopher: 0.20)"
    )
    max_digits: float | None = Field(0.35, ge=0, le=1, description="share of digits among visible characters (ours)")
    max_noise: float | None = Field(
        0.005, ge=0, le=1, description="share of control and replacement characters: binary read as text (ours)"
    )
    max_boilerplate_lines: float | None = Field(
        0.5, ge=0, le=1, description="share of short lines that speak of cookies, logins, terms (after C4's rules)"
    )
    forbid_lorem_ipsum: bool = Field(True, description="drop placeholder text (C4)")


@dataclass(frozen=True)
class _Measures:
    """What the rules measure, each computed once and only if a rule asks."""

    text: str

    @cached_property
    def words(self) -> list[str]:
        return self.text.split()

    @cached_property
    def tokens(self) -> int:
        unspaced = len(_UNSPACED.findall(self.text))
        return len(self.words) + unspaced

    @cached_property
    def lines(self) -> list[str]:
        return [stripped for line in self.text.splitlines() if (stripped := line.strip())]

    @cached_property
    def visible(self) -> int:
        return max(1, sum(map(len, self.words)))

    @property
    def mean_word_length(self) -> float | None:
        if self.tokens > 1.2 * len(self.words):  # a script without spaces has no words to measure
            return None
        return self.visible / max(1, len(self.words))

    @property
    def symbol_ratio(self) -> float:
        return len(_SYMBOL.findall(self.text)) / max(1, self.tokens)

    @property
    def bullet_lines(self) -> float:
        return sum(line.startswith(_BULLETS) for line in self.lines) / max(1, len(self.lines))

    @property
    def ellipsis_lines(self) -> float:
        return sum(line.endswith(("...", "…")) for line in self.lines) / max(1, len(self.lines))

    @property
    def alphabetic_words(self) -> float:
        return 1 - len(_WORD_WITHOUT_LETTER.findall(self.text)) / max(1, len(self.words))

    @property
    def duplicate_lines(self) -> float:
        return 1 - sum(map(len, set(self.lines))) / max(1, sum(map(len, self.lines)))

    @property
    def top_bigram(self) -> float:
        pairs = Counter(zip(self.words, self.words[1:], strict=False))
        if not pairs:
            return 0.0
        (first, second), count = pairs.most_common(1)[0]
        return (len(first) + len(second)) * count / self.visible if count > 1 else 0.0

    @property
    def digits(self) -> float:
        return len(_DIGIT.findall(self.text)) / self.visible

    @property
    def noise(self) -> float:
        return len(_NOISE.findall(self.text)) / max(1, len(self.text))

    @property
    def boilerplate_lines(self) -> float:
        if _BOILERPLATE.search(self.text.lower()) is None:  # in most documents: one pass instead of one per line
            return 0.0
        hits = (len(line) <= _MENU_LINE and _BOILERPLATE.search(line.lower()) is not None for line in self.lines)
        return sum(hits) / max(1, len(self.lines))


_RULES = tuple(name for name in HeuristicsOptions.model_fields if name[:4] in ("min_", "max_"))


class Heuristics(Stage[Document, None, Document]):
    """Drops a document at the first rule that it breaks. The reason is the name of the rule's option."""

    name = "heuristics"
    takes = Document
    gives = Document
    reasons = frozenset({*_RULES, "forbid_lorem_ipsum"})
    Options: ClassVar[Any] = HeuristicsOptions

    def decide(self, record: Document, reply: None) -> list[Document] | Drop:
        """The document, or a Drop whose detail is "measured value, limit"."""
        measures = _Measures(record.text)
        for rule in _RULES:
            limit = getattr(self.options, rule)
            if limit is None:
                continue
            value = getattr(measures, rule[4:])
            if value is None:
                continue
            if value < limit if rule.startswith("min_") else value > limit:
                return self.drop(rule, f"{value:.4g}, limit {limit:g}")
        if self.options.forbid_lorem_ipsum and "lorem ipsum" in record.text.casefold():
            return self.drop("forbid_lorem_ipsum")
        return [record]
