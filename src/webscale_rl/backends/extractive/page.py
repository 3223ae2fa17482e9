"""A text read once: its blocks, its sentences with their places, its title, its glossary entries and its language.

Sentences are slices of the text, so that evidence stands in it word for word; `clean` is the same sentence as a
reader sees it (no markup, no citations, one line). Does not parse HTML, tables or LaTeX: such lines are no sentences.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from functools import cached_property, lru_cache
from typing import NamedTuple

from webscale_rl.backends.extractive.words import FUNCTION_WORDS

MAX_SENTENCES = 600
MAX_SENTENCE_CHARS = 420

_BULLET = re.compile(r"\s*(?:[-*•–+>|]\s|\d{1,3}[.)]\s|\([a-z0-9]{1,3}\)\s|#{1,6}\s|={1,6}\s)")
_BOUNDARY = re.compile(r"[.!?][\"”’')\]]{0,3}(?:[ \t\n]+|$|(?=[A-Z][a-z]))")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"])(?:(?<!\d )[A-Za-z]|[A-Z]\.[A-Z]|e\.g|i\.e|etc|vs|al|cf|ca|approx|Mr|Mrs|Ms|Dr|Prof|St|Mt"
    r"|Sr|Jr|Gen|Col|Lt|"
    r"Capt|Sgt|Rev|Hon|Gov|Sen|Rep|Pres|Inc|Ltd|Corp|Co|Bros|Fig|fig|Figs|No|no|nos|Nos|Vol|vol|pp|p|Eq|eq|Sec"
    r"|sec|Ch|ch|Art|art|"
    r"Dept|Univ|Assn|Ave|Blvd|Rd|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|[A-Za-z]\.[A-Za-z](?:\.[A-Za-z])?|"
    r"Ph\.D|M\.D|resp|incl|min|max|est|var|subsp|spp|sp|subg|lit|trans|eds?|Ed|Op|Cir|Cong|Stat|Pub|approx)$"
)
_GLUED = re.compile(r"[A-Z][a-z]*(?:[ ,]|[A-Z])")
_STARTER = re.compile(
    r"(?:The|In|On|At|It|He|She|They|This|These|A|An|For|From|However|Although|While|After|Before|When|As|There"
    r"|By|To|Its|His|Her)"
    r"\b"
)
_MARKUP = re.compile(r"[\[\]*_`&<>@\\{}|#~^=]|[ \t\n]{2}|\n| [,.;:)]|\( ")
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\n]{0,400}\)")
_INLINE_TAG = re.compile(
    r"</?(?:a|b|i|em|strong|span|u|small|font|abbr|cite|mark)\b[^<>]{0,400}>|\{\{[<%][^{}]{0,400}[>%]\}\}"
)
_GLUED_HEADING = re.compile(
    r"[A-Z][\w ,]{2,50}?[a-z](?=(?:The|In|On|At|An?|As|It|By|He|She|For|From|This|After|During|Most|Many) [a-zA-Z])"
)
_REFERENCE = re.compile(r"\[(?:\d{1,3}|note \d{1,3}|citation needed|[a-z])\]")
_EMPHASIS = re.compile(r"(?<![\w*_])([*_]{1,3})(?=\S)([^*_\n]{1,120}?)(?<=\S)\1(?![\w*_])")
_CODE = re.compile(r"`([^`\n]{1,60})`")
_CITATION = re.compile(
    r"\s*\((?:e\.g\.,? |see |cf\. )?[A-Z][\w’'-]+(?:,| and| &| et al)[^()]{0,120}\b(?:1[89]|20)\d\d[a-z]?[^()]{0,30}\)"
)
_EMPTY_BRACKETS = re.compile(r"\s*\((?:\s*|[,;][^()]{0,80})\)")
_TOKENISED = re.compile(r" @([-,.])@ ")
_GAP_BEFORE = re.compile(r" +([,.;:!?)\]%]|'s\b|n't\b)")
_TERM = re.compile(r"[A-Za-z][\w’'-]*(?: [\w’'()-]+){0,4}")
_HEADING = re.compile(r"^\s*(?:#{1,3}\s+|=\s+)(.{2,100}?)(?:\s*=)?\s*$")
_PROSE_WORD = re.compile(r"[A-Za-z]+")


class Sentence(NamedTuple):
    """One sentence: where it stands, as it stands, as it reads, and its place (block, number within the block)."""

    start: int
    raw: str
    clean: str
    block: int
    place: int


class Entry(NamedTuple):
    """A glossary entry: a short line that names a term, and the line after it that defines it."""

    raw: str
    term: str
    meaning: str


class Block(NamedTuple):
    """Lines that belong together. `prose` is false for headings, list items, tables and code."""

    start: int
    text: str
    prose: bool


class Page:
    """The analysis of one text. Lazy: a filter that only counts does not pay for sentences twice."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def blocks(self) -> list[Block]:
        """All blocks in order."""
        return _blocks(self.text)

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences of all prose blocks and list items, no more than MAX_SENTENCES."""
        found: list[Sentence] = []
        for number, block in enumerate(self.blocks):
            if len(found) >= MAX_SENTENCES:
                break
            for place, (start, raw) in enumerate(_split(block.text)):
                if len(raw) <= MAX_SENTENCE_CHARS:
                    found.append(Sentence(block.start + start, raw, clean(raw), number, place))
        return found[:MAX_SENTENCES]

    @cached_property
    def entries(self) -> list[Entry]:
        """The glossary entries, at most 60."""
        return _glossary(self.text)

    @cached_property
    def title(self) -> str:
        """What the text calls itself in its first line, or "" if that line is no title."""
        lines = self.text[:600].split("\n")
        for number, line in enumerate(lines):
            stripped = line.strip()
            if not stripped:
                continue
            if "".join(lines[number + 1 : number + 2])[:1] in ("\t", " "):  # a title that goes on
                return ""
            heading = _HEADING.match(line)
            bare = clean((heading.group(1) if heading else stripped).strip("#= "))
            short = len(bare.split()) <= 12 and len(bare) <= 90 and bare[-1:] not in ".!?:;,"
            return bare if short and bare[:1].isalnum() and not bare.startswith(("Skip ", "Menu", "Home")) else ""
        return ""

    @cached_property
    def english(self) -> bool:
        """Whether enough of the words are English function words."""
        sample = [word.casefold() for word in _PROSE_WORD.findall(self.text[:6000])]
        if len(sample) < 8:
            return False
        hits = sum(word in _ENGLISH for word in sample)
        foreign = sum(not char.isascii() and char.isalpha() for char in self.text[:6000])
        return hits / len(sample) >= 0.12 and foreign < len(sample)

    @cached_property
    def names(self) -> Counter[str]:
        """How often each capitalised word stands inside a sentence, where capitals are no matter of position."""
        counts: Counter[str] = Counter()
        for sentence in self.sentences:
            counts.update(re.findall(r"(?<=[a-z,] )[A-Z][\w’'-]+", sentence.clean))
        return counts


# Words that are frequent in English and rare as words of other languages.
_ENGLISH = frozenset(
    """the of and to is that for with as are it was on by be this from at which have or has not were can an they their
    you your we been will would there when who how its more than but also these other into such he his""".split()
)


@lru_cache(maxsize=64)
def read(text: str) -> Page:
    """The analysis of a text: one for all calls of a document, as long as few documents are open at a time."""
    return Page(text)


def clean(raw: str) -> str:
    """The sentence as a reader sees it."""
    text = raw.strip().replace("\xa0", " ")
    if "(" in text:
        text = _EMPTY_BRACKETS.sub("", _CITATION.sub("", text))
    glued = _GLUED_HEADING.match(text)
    if glued:
        text = text[glued.end() :]
    if not _MARKUP.search(text):
        return text
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _INLINE_TAG.sub("", text)
    if "[" in text:
        text = _REFERENCE.sub("", _LINK.sub(r"\1", text))
    text = _CODE.sub(r"\1", _EMPHASIS.sub(r"\2", text)) if "*" in text or "_" in text or "`" in text else text
    text = _TOKENISED.sub(r"\1", text) if "@" in text else text
    return _GAP_BEFORE.sub(r"\1", " ".join(text.split())).replace("( ", "(")


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    lines: list[tuple[int, str]] = []
    fenced = False
    offset = 0
    for line in text.split("\n"):
        start, offset = offset, offset + len(line) + 1
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
            _close(blocks, lines)
        elif fenced or not bare or (line.startswith("    ") and not lines):
            _close(blocks, lines)
        elif _BULLET.match(line):
            _close(blocks, lines)
            if not bare.startswith(("#", "|", ">", "=")):
                lines.append((start, line))
        else:
            if lines and not _wrapped(lines[-1][1], bare):
                _close(blocks, lines)
            lines.append((start, line))
    _close(blocks, lines)
    return blocks


def _wrapped(before: str, line: str) -> bool:
    """Whether a line goes on with the sentence of the line before it."""
    before = before.strip()
    if 45 <= len(before) <= 105 and (before[-1] not in ".!?:" or len(line) >= 20):
        return True
    return before[-1] not in ".!?:" and line[0].islower() and len(before) > 45


def _close(blocks: list[Block], lines: list[tuple[int, str]]) -> None:
    if lines:
        text = "\n".join(line for _, line in lines)
        bullet = _BULLET.match(text)
        cut = bullet.end() if bullet else len(text) - len(text.lstrip())
        blocks.append(Block(lines[0][0] + cut, text[cut:], bullet is None and text.rstrip()[-1] in '.!?"”’)'))
        lines.clear()


def _split(block: str) -> list[tuple[int, str]]:
    """The sentences of a block with their offsets; a last piece without a full stop is left out."""
    found: list[tuple[int, str]] = []
    start = 0
    for match in _BOUNDARY.finditer(block):
        end = match.end()
        if end < len(block) and not _ends_here(block, match):
            continue
        piece = block[start:end].rstrip()
        lead = len(piece) - len(piece.lstrip())
        if len(piece) > lead:
            found.append((start + lead, piece[lead:]))
        start = end
    return found


def _ends_here(block: str, match: re.Match[str]) -> bool:
    at, end = match.start(), match.end()
    following = block[end : end + 1]
    if not (following.isupper() or following.isdigit() or following in "\"“‘'([*_"):
        return False
    if match.group()[-1] not in " \t\n":  # glued: "in 1843.In the United States"
        word = block[max(0, at - 24) : at].rsplit(" ", 1)[-1]
        return (
            bool(_GLUED.match(block, end))
            and len(word) > 2
            and (word[0].islower() or word[0].isdigit() or word[-1] in ')"”')
        )
    if block[at] != ".":
        return True
    before = block[max(0, at - 12) : at]
    return not _ABBREVIATION.search(before) or (
        bool(re.search(r"[A-Z]\.[A-Z]$", before)) and bool(_STARTER.match(block, end))
    )


def _glossary(text: str) -> list[Entry]:
    """Entries of the form "term, new line, meaning", set off by blank lines."""
    if "\n" not in text:
        return []
    entries: list[Entry] = []
    for group in re.split(r"\n[ \t]*\n", text):
        term, newline, meaning = group.strip().partition("\n")
        if not newline or "\n" in meaning or not 25 <= len(meaning) <= 260 or len(term) > 60:
            continue
        lead = meaning.split(" ", 1)[0]
        if (
            _TERM.fullmatch(term.strip())
            and (lead.islower() or lead in ("A", "An", "The"))
            and meaning[-1] not in ":?!"
        ):
            entries.append(Entry(group.strip(), term.strip(), clean(meaning)))
            if len(entries) >= 60:
                break
    return entries


def function_share(sentence: str) -> float:
    """The share of function words among the words of a sentence: prose has many, lists have none."""
    found = [word.casefold() for word in _PROSE_WORD.findall(sentence)]
    return sum(word in FUNCTION_WORDS for word in found) / len(found) if found else 0.0
