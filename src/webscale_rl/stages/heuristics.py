"""Stage 1a, free rules that need no model: is this text at all, is there enough of it, and what must not stay in it?

Three presets. `paper` has the paper's own rule, "under 50 tokens", and no other. `default` also removes what no
question could be asked about (binary, number tables, repeated lines, pages of links) and is set wide, so that the
diversity of the corpus stays. `strict` has the thresholds that were published for English web pages; it drops most
code, tables and other languages, and masks personal data and keys. An option that is set overrides its preset; null
switches a rule off. A Drop names the rule and the value that it measured.

Sources: Gopher is Rae et al. 2021 (arXiv 2112.11446, appendix A.1), C4 is Raffel et al. 2019 (arXiv 1910.10683,
section 2.2) as its code has it, FineWeb is Penedo et al. 2024 (arXiv 2406.17557, section 3.6). C4 cuts lines out of
pages; here a page goes on whole or not at all, and only what `pii` and `credentials` mask is changed. Words are what
stands between white space; languages without spaces count characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field, model_validator

from webscale_rl.stage import Context, Stage, StageOptions
from webscale_rl.stages.heuristic_rules import language, lines, personal
from webscale_rl.stages.heuristic_rules.personal import PERSONAL_KINDS, PersonalKind
from webscale_rl.stages.heuristic_rules.repetition import Repetition
from webscale_rl.types import Document, Drop

Guard = Literal["drop", "mask"]

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "strict": {
        "max_tokens": 100_000,
        "min_mean_word_length": 3.0,
        "max_mean_word_length": 10.0,
        "max_symbol_ratio": 0.1,
        "max_bullet_lines": 0.9,
        "min_alphabetic_words": 0.8,
        "min_stop_words": 2,
        "max_duplicate_lines": 0.01,
        "max_duplicate_line_count": 0.3,
        "max_duplicate_paragraphs": 0.2,
        "max_duplicate_paragraph_count": 0.3,
        "max_top_trigram": 0.18,
        "max_top_4gram": 0.16,
        "max_duplicate_5grams": 0.15,
        "max_duplicate_6grams": 0.14,
        "max_duplicate_7grams": 0.13,
        "max_duplicate_8grams": 0.12,
        "max_duplicate_9grams": 0.11,
        "max_duplicate_10grams": 0.10,
        "min_sentences": 5,
        "min_punctuated_lines": 0.12,
        "max_short_lines": 0.67,
        "max_newlines": 0.3,
        "forbid_curly_braces": True,
        "pii": "mask",
        "credentials": "mask",
    },
}


def _share(default: float | None, description: str) -> Any:
    return Field(default, ge=0, le=1, description=description)


class HeuristicsOptions(StageOptions):
    """Options of the heuristics stage: one per rule, here with the values of the preset `default`; null switches the
    rule off. An option that is given overrides the preset's."""

    preset: Literal["paper", "default", "strict"] = Field(
        "default", description="where every rule starts: only `min_tokens`; these values; all published thresholds"
    )
    min_tokens: int | None = Field(50, ge=0, description="fewest words (the paper: 50 tokens; Gopher: 50 words)")
    max_tokens: int | None = Field(None, ge=1, description="most words (Gopher: 100,000; off, since stages cut anyway)")
    min_mean_word_length: float | None = Field(2.0, ge=0, description="mean characters of a word (Gopher: 3)")
    max_mean_word_length: float | None = Field(14.0, ge=0, description="mean characters of a word (Gopher: 10)")
    max_symbol_ratio: float | None = Field(
        0.2, ge=0, description="runs of `#` and ellipses per word (Gopher: 0.1; wider here, for comments in code)"
    )
    max_bullet_lines: float | None = _share(0.95, "share of lines with a bullet (Gopher: 0.9)")
    max_ellipsis_lines: float | None = _share(0.3, "share of lines ending in … (Gopher: 0.3)")
    min_alphabetic_words: float | None = _share(
        0.5, "share of words with a letter (Gopher: 0.8; lower here, for formulas and code)"
    )
    min_stop_words: int | None = Field(
        None, ge=0, le=8, description="how many of the, be, to, of, and, that, have, with stand in it (Gopher: 2)"
    )
    max_duplicate_lines: float | None = _share(
        0.3, "share of characters in lines that the document had before (Gopher: 0.20; FineWeb, and `strict`: 0.01)"
    )
    max_duplicate_line_count: float | None = _share(None, "share of lines that stood before (Gopher: 0.30)")
    max_duplicate_paragraphs: float | None = _share(
        None, "share of characters in paragraphs that stood before (Gopher: 0.20)"
    )
    max_duplicate_paragraph_count: float | None = _share(None, "share of paragraphs that stood before (Gopher: 0.30)")
    max_top_bigram: float | None = _share(0.2, "share of characters in the most frequent word pair (Gopher: 0.20)")
    max_top_trigram: float | None = _share(None, "share of characters in the most frequent three words (Gopher: 0.18)")
    max_top_4gram: float | None = _share(None, "share of characters in the most frequent four words (Gopher: 0.16)")
    max_duplicate_5grams: float | None = _share(
        None, "share of characters in runs of 5 words that stood before (Gopher: 0.15)"
    )
    max_duplicate_6grams: float | None = _share(None, "the same for 6 words (Gopher: 0.14)")
    max_duplicate_7grams: float | None = _share(None, "the same for 7 words (Gopher: 0.13)")
    max_duplicate_8grams: float | None = _share(None, "the same for 8 words (Gopher: 0.12)")
    max_duplicate_9grams: float | None = _share(None, "the same for 9 words (Gopher: 0.11)")
    max_duplicate_10grams: float | None = _share(None, "the same for 10 words (Gopher: 0.10)")
    max_digits: float | None = _share(0.35, "share of digits among visible characters (ours)")
    max_noise: float | None = _share(0.005, "share of control and replacement characters: binary read as text (ours)")
    max_boilerplate_lines: float | None = _share(
        0.5, "share of short lines that speak of cookies, logins, terms (after C4's rules)"
    )
    min_sentences: int | None = Field(
        None,
        ge=0,
        description="fewest sentences (C4: 5) in lines of prose: such as end in . ? ! or a quotation mark, have three"
        " words or more, none over 1,000 characters, and speak neither of JavaScript nor of a site's policies",
    )
    min_punctuated_lines: float | None = _share(None, "share of lines that end as a sentence does (FineWeb: 0.12)")
    max_short_lines: float | None = _share(None, "share of lines of at most 30 characters (FineWeb: 0.67)")
    max_newlines: float | None = Field(None, ge=0, description="line breaks per word (FineWeb: 0.3)")
    forbid_lorem_ipsum: bool = Field(True, description="drop placeholder text (C4)")
    forbid_curly_braces: bool = Field(False, description="drop a text with a curly brace in a line of prose (C4)")
    languages: tuple[str, ...] | None = Field(
        None, description="keep these languages only (ISO 639-1: en, de); needs `webscale-rl[language]`"
    )
    credentials: Guard | None = Field(
        None, description="`drop` a text that holds keys or tokens, or `mask` them: [CREDENTIAL]"
    )
    pii: Guard | None = Field(
        None, description="`drop` a text that holds personal data (`pii_kinds`), or `mask` it: [EMAIL], [PHONE] ..."
    )
    pii_kinds: tuple[PersonalKind, ...] = Field(PERSONAL_KINDS, description="what `pii` looks for")

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, values: Any) -> Any:
        preset = PRESETS.get(values.get("preset", "default"), {}) if isinstance(values, dict) else {}
        return {**preset, **values} if preset else values


PRESETS["paper"] = {
    name: False if name.startswith("forbid_") else None
    for name in HeuristicsOptions.model_fields
    if name.startswith(("max_", "min_", "forbid_")) and name != "min_tokens"
}


_Text = Repetition
"""A text with what the rules measure of it."""

Rule = Callable[[_Text, Any], Any]
"""Given a text and the limit: the measured value if it breaks the limit, else None."""


def _over(measure: Callable[[_Text], float | None]) -> Rule:
    def rule(text: _Text, limit: float) -> float | None:
        value = measure(text)
        return value if value is not None and value > limit else None

    return rule


def _under(measure: Callable[[_Text], float | None]) -> Rule:
    def rule(text: _Text, limit: float) -> float | None:
        value = measure(text)
        return value if value is not None and value < limit else None

    return rule


def _mean_word_length(text: _Text) -> float | None:
    if text.is_unspaced:  # it has no words to measure
        return None
    return max(1, text.visible) / max(1, text.word_count)


_SYMBOL = re.compile(r"#+|\.\.\.|…")


def _symbol_ratio(text: _Text, limit: float) -> float | None:
    if text.data.count(b"#") + text.ellipses <= limit * text.tokens:  # a run of `#` counts once, but here each
        return None
    share = len(_SYMBOL.findall(text.text)) / max(1, text.tokens)
    return share if share > limit else None


_WITHOUT_LETTER = re.compile(r"(?:\W|[\d_])++")


def _alphabetic_words(text: _Text, limit: float) -> float | None:
    enough = limit * text.word_count
    if text.letter_first_words >= enough or text.plain_letter_words >= enough:  # as in most documents
        return None
    without = [word for word in text.words if not word[0].isalpha() and _WITHOUT_LETTER.fullmatch(word)]
    share = 1 - len(without) / max(1, text.word_count)
    return share if share < limit else None


_STOP_WORDS = ("the", "of", "and", "to", "that", "with", "be", "have")
_SPACED_STOP_WORDS = tuple(f" {word} ".encode() for word in _STOP_WORDS)


def _stop_words(text: _Text, limit: int) -> int | None:
    found = 0
    for word in _SPACED_STOP_WORDS:  # the most frequent ones are nearly always enough
        found += word in text.data
        if found >= limit:
            return None
    found = len(set(_STOP_WORDS).intersection(text.words))
    return found if found < limit else None


def _duplicate_ngrams(size: int) -> Rule:
    return lambda text, limit: text.duplicate_share(size, limit)


def _top_ngram(size: int) -> Rule:
    return lambda text, limit: text.top_share(size, limit)


def _sentences(text: _Text, limit: int) -> int | None:
    found = lines.prose_sentences(text, limit)
    return found if found < limit else None


def _lorem_ipsum(text: _Text, limit: bool) -> str | None:
    return "" if b"lorem ipsum" in text.plain_lower else None


def _curly_braces(text: _Text, limit: bool) -> str | None:
    return "" if lines.has_brace_in_prose(text) else None


def _language(text: _Text, limit: tuple[str, ...]) -> str | None:
    found = language.language(text.text)
    return None if found in limit else f"{found}, allowed {' '.join(limit)}"


RULES: dict[str, Rule] = {
    "min_tokens": _under(lambda text: text.tokens),
    "max_tokens": _over(lambda text: text.tokens),
    "min_mean_word_length": _under(_mean_word_length),
    "max_mean_word_length": _over(_mean_word_length),
    "max_symbol_ratio": _symbol_ratio,
    "max_bullet_lines": lambda text, limit: lines.bullet_share(text.lines, limit),
    "max_ellipsis_lines": lines.ellipsis_share,
    "min_alphabetic_words": _alphabetic_words,
    "min_stop_words": _stop_words,
    "max_duplicate_lines": _over(lambda text: lines.duplicate_characters(text, "lines")),
    "max_duplicate_line_count": _over(lambda text: lines.duplicate_share(text, "lines")),
    "max_duplicate_paragraphs": _over(lambda text: lines.duplicate_characters(text, "paragraphs")),
    "max_duplicate_paragraph_count": _over(lambda text: lines.duplicate_share(text, "paragraphs")),
    "min_punctuated_lines": lambda text, limit: lines.punctuated_share(text.lines, limit),
    "max_short_lines": lambda text, limit: lines.short_share(text.lines, limit),
    "max_newlines": _over(lambda text: text.text.count("\n") / max(1, text.tokens)),
    "max_top_bigram": _top_ngram(2),
    "max_digits": _over(lambda text: text.digits / max(1, text.visible)),
    "max_noise": _over(lambda text: text.noise / max(1, len(text.text))),
    "max_boilerplate_lines": lines.furniture_share,
    "min_sentences": _sentences,
    "forbid_lorem_ipsum": _lorem_ipsum,
    "forbid_curly_braces": _curly_braces,
    "max_top_trigram": _top_ngram(3),
    "max_top_4gram": _top_ngram(4),
    **{f"max_duplicate_{size}grams": _duplicate_ngrams(size) for size in range(5, 11)},
    "languages": _language,
}
"""By the option that sets their limit, in the order in which a document is judged: what costs more comes later."""


class Heuristics(Stage[Document, None, Document]):
    """Drops a document at the first rule that it breaks. The reason is the name of the rule's option."""

    name = "heuristics"
    takes = Document
    gives = Document
    reasons = frozenset({*RULES, "credentials", "pii"})
    Options: ClassVar[Any] = HeuristicsOptions

    def __init__(self, options: Any, context: Context) -> None:
        super().__init__(options, context)
        limits = {name: getattr(options, name) for name in RULES}
        self._active = [
            (name, RULES[name], limit) for name, limit in limits.items() if limit is not None and limit is not False
        ]
        if options.languages is not None:
            language.require()

    def decide(self, record: Document, reply: None) -> list[Document] | Drop:
        """The document, masked if it must be, or a Drop whose detail is "measured value, limit"; for secrets and
        personal data it is how many of which kind."""
        text = _Text(record.text)
        for name, rule, limit in self._active:
            value = rule(text, limit)
            if value is not None:
                return self.drop(name, value if isinstance(value, str) else f"{value:.4g}, limit {limit:g}")
        if self.options.credentials is None and self.options.pii is None:
            return [record]
        return self._guarded(record, text)

    def _guarded(self, record: Document, text: _Text) -> list[Document] | Drop:
        content = record.text
        for guard, action in (("credentials", self.options.credentials), ("pii", self.options.pii)):
            if action is None:
                continue
            if guard == "credentials":
                found = personal.credentials(content, text.words_of(personal.SHORTEST_TOKEN))
            else:
                found = personal.personal(content, self.options.pii_kinds, text.digits)
            if found and action == "drop":
                return self.drop(guard, personal.counted(found))
            content = personal.masked(content, found)
        return [record if content is record.text else msgspec.structs.replace(record, text=content)]
