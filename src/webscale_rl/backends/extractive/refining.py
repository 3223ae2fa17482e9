"""The refining stages (`webscale_rl.refine`) by rule: which text is better, which lines are debris.

    compare    four statistics of a text for QuRating's four criteria
    worth      the filter's verdict, but for short texts                                          informative.py
    program    remove_lines for lines of debris, normalize for entities and footnote marks
    clean      the same edits, written out

They look at shapes of lines and at English words, and know nothing of what a text says: a heading that looks like a
menu is lost, and a banner that reads like prose stays.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby

import msgspec

from webscale_rl.backend import Request
from webscale_rl.backends.extractive import informative
from webscale_rl.backends.extractive.page import Page, function_share, read
from webscale_rl.refine.gdr import CleanReply
from webscale_rl.refine.pieces import lines_of
from webscale_rl.refine.program import Edit, Refused, apply
from webscale_rl.refine.prox import ProgramReply, WorthReply
from webscale_rl.refine.qurating import CRITERIA, CompareReply
from webscale_rl.stages.heuristic_rules.lines import furniture_share
from webscale_rl.stages.heuristic_rules.text import TextStatistics

MENU_RUN = 5
"""So many short lines in a row that look like links are a menu."""
FURNITURE_LINE = 120
"""A longer line that speaks of cookies may be prose about them."""
REPEATED_LINE = 12
"""A line of at least so many characters that stood before is a repetition; shorter ones are code, or cells."""

OFTEN = 3
WRAPPED = 45
"""A line of at least so many characters that ends in no mark goes on in the next one."""
SHORT_TEXT = 400

_STATEMENT = re.compile(r"(?:[\w’'-]+,? ){3,}[\w’'-]+\.(?=\s|\Z)")
_LINK = re.compile(r"[^\W\d_][\w'’&-]*(?:[ /][\w'’&.-]+){0,3}")
_TRAIL = re.compile(r"[\w'’&,. -]{1,40}(?: [|›»>] [\w'’&,. -]{1,60}){2,}")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_DEBRIS = re.compile(
    r"(?i)(?:"
    r"(?:share|tweet|pin|follow us|e-?mail|print)(?: (?:this|on|it|via|us))?(?: \w+)?|like (?:us|this)(?: on \w+)?"
    r"|\d+ (?:comments?|shares|likes|views)|(?:posted|filed|tagged) (?:by|in|under|on)\b.{0,80}"
    r"|(?:page|seite) \d+(?: (?:of|von) \d+)?|(?:previous|next|older|newer)(?: (?:post|page|article)s?)?"
    r"|(?:©|\(c\)|copyright)\W.{0,100}|advertisement|sponsored|advertise"
    r"|related (?:posts|articles|stories|links).{0,20}|leave a (?:comment|reply)|permalink|reply"
    r"|(?:menu|home|search|contact(?: us)?|about(?: us)?|sitemap|faq|help|top|close|toggle navigation)"
    r"|(?:jump|skip) to .{0,40}|(?:you are here|tags?|categories):.{0,100}"
    r")\W*"
)
_CODE_MARK = re.compile(r"[(){}\[\];=<>$\\`]|^\s{4,}|\d")
_ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,6}|[a-zA-Z]{2,8});")
_FOOTNOTE = re.compile(r"(?<=[a-z.,;)\"”’])\[(?:edit|citation needed|\d{1,3})\](?=[\s.,;)]|\[|\Z)")
_INDEX = re.compile(r"\[(?:edit|citation needed|\d{1,3})\]")
_EXPLAINS = re.compile(
    r"(?i)\b(?:because|therefore|thus|hence|for example|for instance|such as|in other words|that is|is called"
    r"|are called|known as|refers? to|means that|defined as|consists? of|in order to|as a result|leads? to|causes?"
    r"|depends? on|if|then|first|second|finally|step|note that|suppose|consider|compare|unlike|whereas)\b"
)
_FACT = re.compile(r"\b\d[\d.,]*\b|(?<=[a-z,;] )[A-Z][\w’'-]+")
_WORD = re.compile(r"[^\W\d_]+")


def compare(request: Request) -> CompareReply:
    """The text with the larger statistic; of equals the first, which in both orders together is a tie."""
    one, other = _measures(request.slots["text_a"]), _measures(request.slots["text_b"])
    sides = {name: "A" if one[name] >= other[name] else "B" for name in CRITERIA}
    return msgspec.convert(sides, CompareReply)


@lru_cache(maxsize=4096)
def _measures(text: str) -> Mapping[str, float]:
    """The four criteria of a text, each from 0 on; debris takes from all of them."""
    page = Page(text)
    words = _WORD.findall(text)
    count = max(1, len(words))
    prose = [sentence.clean for sentence in page.sentences if 0.2 <= function_share(sentence.clean) <= 0.8]
    covered = min(1.0, sum(map(len, prose)) / max(1, len(text)))
    lines = lines_of(text)
    clean = 1 - sum(len(lines[at]) for at in debris(lines)) / max(1, len(text))
    variety = len({word.casefold() for word in words}) / count**0.8  # longer texts repeat more
    shouting = sum(word.isupper() and len(word) > 3 for word in words) / count + text.count("!") / max(1, len(prose))
    long_words = sum(len(word) >= 9 for word in words) / count
    return {
        "writing_style": clean * covered * min(1.0, variety) / (1 + shouting),
        "required_expertise": clean * (long_words + sum(map(len, words)) / count / 20) * (0.5 + covered / 2),
        "facts_and_trivia": clean * len(_FACT.findall(" ".join(prose))) / (count + 50),
        "educational_value": clean * covered * (1 + 20 * len(_EXPLAINS.findall(" ".join(prose))) / (count + 50)),
    }


def worth(request: Request) -> WorthReply:
    """Whether the page informs."""
    fault = _fault(request.slots["document"])
    return WorthReply(fault or "an informative page", keep=not fault)


def _fault(text: str) -> str:
    """What is wrong with a text of which nothing is worth keeping; else "". The filter's rule wants a paragraph of
    prose; here a short text stays for one statement, since no question has to be asked about it."""
    verdict = informative.judge(read(text))
    if verdict.informative:
        return ""
    if len(text) <= SHORT_TEXT and _STATEMENT.search(text) and "!" not in text and not debris(lines_of(text)):
        return ""
    return verdict.reason


def program(request: Request) -> ProgramReply:
    """The edits of a piece, from its numbered lines."""
    lines = [line.partition("] ")[2] for line in request.slots["lines"].split("\n")]
    return ProgramReply(list(edits(lines)) or [_edit("keep_all")])


def clean(request: Request) -> CleanReply:
    """The piece without its debris."""
    text = request.slots["text"]
    if fault := _fault(text):
        return CleanReply(fault, "worthless", "")
    done = list(edits([line.rstrip() for line in lines_of(text)]))
    try:
        cleaned = apply(done, text, 1.0).text
    except Refused as refusal:  # a rule met a text that it does not fit
        return CleanReply(refusal.detail[:80], "adequate", "")
    if cleaned == text:
        return CleanReply("", "adequate", "")
    return CleanReply("lines of debris", "cleaned", cleaned)


def edits(lines: list[str]) -> Iterator[Edit]:
    """What to change of these lines: first what goes, then strings in what stays."""
    gone = debris(lines)
    for _, group in groupby(sorted(gone), key=_run_of(sorted(gone))):
        numbers = list(group)
        yield _edit("remove_lines", numbers[0] + 1, numbers[-1] + 1)
    kept = "\n".join(line for at, line in enumerate(lines) if at not in gone)
    marks, indices = Counter(_FOOTNOTE.findall(kept)), Counter(_INDEX.findall(kept))
    for mark in sorted(mark for mark, count in marks.items() if count == indices[mark]):  # `x[1]` is no footnote
        yield _edit("normalize", source=mark)
    for entity in sorted(set(_ENTITY.findall(kept))):
        plain = html.unescape(entity)
        if plain != entity and not plain.isalnum():
            yield _edit("normalize", source=entity, target=plain.replace("\xa0", " "))


def debris(lines: list[str]) -> set[int]:
    """The places of lines that are no part of the text."""
    bare = [line.strip() for line in lines]
    counts = Counter(bare)
    seen: set[str] = set()
    gone: set[int] = set()
    for at, line in enumerate(bare):
        if not line:
            continue
        before, after = "".join(bare[max(0, at - 1) : at]), "".join(bare[at + 1 : at + 2])
        wrapped = (len(before) >= WRAPPED and before[-1].isalnum()) or after[:1].islower()
        again = line in seen and (counts[line] >= OFTEN or not before + after) and _is_title(line)
        if not wrapped and (again or _is_debris(line)):
            gone.add(at)
        seen.add(line)
    return gone | _menus(bare)


def _is_title(line: str) -> bool:
    """Whether a line that stands again is a repetition, and no cell, no code and no label."""
    return len(line) >= REPEATED_LINE and line[0].isupper() and line[-1].isalnum() and not _CODE_MARK.search(line)


def _is_debris(line: str) -> bool:
    if len(line) > FURNITURE_LINE:
        return False
    if _DEBRIS.fullmatch(line) or _TRAIL.fullmatch(line) or _ADDRESS.fullmatch(line):
        return True
    return line[0].isupper() and furniture_share(TextStatistics(line), 0.0) is not None


def _menus(lines: list[str]) -> set[int]:
    """Runs of short lines that look like links: a few words, no number, no mark at the end. Blank lines end none."""
    gone: set[int] = set()
    run: list[int] = []
    for at, line in enumerate([*lines, "."]):
        if not line:
            continue
        if len(line) <= 40 and line[0].isupper() and _LINK.fullmatch(line) and not _CODE_MARK.search(line):
            run.append(at)
            continue
        if len(run) >= MENU_RUN:
            gone.update(range(run[0], run[-1] + 1))
        run = []
    return gone


def _run_of(places: list[int]) -> Callable[[int], int]:
    """Says of each place which run of places that follow one another it is in."""
    rank = {place: number for number, place in enumerate(places)}
    return lambda place: place - rank[place]


def _edit(call: str, start: int = 0, end: int = 0, source: str = "", target: str = "") -> Edit:
    return msgspec.convert({"call": call, "start": start, "end": end, "source": source, "target": target}, Edit)


ANSWERS: dict[str, Callable[[Request], msgspec.Struct]] = {
    "compare": compare,
    "worth": worth,
    "program": program,
    "clean": clean,
}
"""What the extractive backend says to the refining stages."""
