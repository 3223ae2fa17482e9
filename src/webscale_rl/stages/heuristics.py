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
_ASCII_NOISE = bytes({*range(0x20), 0x7F} - set(b"\t\n\r"))
_SYMBOL = re.compile(r"#+|\.\.\.|…")
_SYMBOLS = ("#", "...", "…")
_DIGIT = re.compile(r"\d")
_WITHOUT_LETTER = re.compile(r"(?:\W|[\d_])++")
_BULLETS = ("-", "*", "•", "·", "‣", "–", "►", "o ")
_BOILERPLATE_PHRASES = (
    *("cookie", "cookies", "privacy policy", "terms of use", "terms of service", "all rights reserved", "sign in"),
    *("sign up", "login", "log in", "subscribe", "newsletter", "javascript", "share on", "share this", "skip to"),
    *("read more", "click here", "back to top", "add to cart", "loading", "impressum", "datenschutz"),
)
_BOILERPLATE = re.compile(rf"\b(?:{'|'.join(_BOILERPLATE_PHRASES)})\b")
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
        return len(self.words) + _count(_UNSPACED, b"", self.text)

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
        if not any(symbol in self.text for symbol in _SYMBOLS):
            return 0.0
        return len(_SYMBOL.findall(self.text)) / max(1, self.tokens)

    @property
    def bullet_lines(self) -> float:
        return sum(line.startswith(_BULLETS) for line in self.lines) / max(1, len(self.lines))

    @property
    def ellipsis_lines(self) -> float:
        return sum(line.endswith(("...", "…")) for line in self.lines) / max(1, len(self.lines))

    @property
    def alphabetic_words(self) -> float:
        without = [word for word in self.words if not word[0].isalpha() and _WITHOUT_LETTER.fullmatch(word)]
        return 1 - len(without) / max(1, len(self.words))

    @property
    def duplicate_lines(self) -> float:
        return 1 - sum(map(len, set(self.lines))) / max(1, sum(map(len, self.lines)))

    @property
    def top_bigram(self) -> float:
        pairs = Counter(zip(self.words, self.words[1:], strict=False))
        if not pairs:
            return 0.0
        count = max(pairs.values())
        first, second = next(pair for pair, times in pairs.items() if times == count)
        return (len(first) + len(second)) * count / self.visible if count > 1 else 0.0

    @property
    def digits(self) -> float:
        return _count(_DIGIT, b"0123456789", self.text) / self.visible

    @property
    def noise(self) -> float:
        return _count(_NOISE, _ASCII_NOISE, self.text) / max(1, len(self.text))

    @property
    def boilerplate_lines(self) -> float:
        text = self.text.lower()
        if not any(phrase in text for phrase in _BOILERPLATE_PHRASES):  # as in most documents
            return 0.0
        hits = (len(line) <= _MENU_LINE and _BOILERPLATE.search(line.lower()) is not None for line in self.lines)
        return sum(hits) / max(1, len(self.lines))


def _count(pattern: re.Pattern[str], plain: bytes, text: str) -> int:
    """How many characters of the text match the pattern of one character; those of ASCII that do are `plain`."""
    if text.isascii():  # many times faster
        return len(text) - len(text.encode().translate(None, plain))
    return len(pattern.findall(text))


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
