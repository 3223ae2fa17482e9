"""Which sentence of an unmarked response answers the question.

Models answer first and explain afterwards, or reason first and conclude at the end. So of the sentences that assert
anything each is weighed by what it shares with the question, whether it concludes, is in bold, stands last or first, or
only goes on about what was said. The heaviest is the answer, the last of equals. A block of short lines is one answer,
and so are short fragments in a row: whoever writes down several names has not chosen one.

The weights were set by reasoning about such cases, not fitted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import sentences
from webscale_rl.reward.counting import counted, stem
from webscale_rl.reward.lexicon import IRREGULAR
from webscale_rl.reward.sentences import asserts, corrects, is_bullet, plain, split, trimmed

HEAD = 4_000
TAIL = 12_000
"""What is read of an unmarked response, in characters: its beginning and its end, where answers stand."""
OWN_WORDS = 3
"""A clause with so many words that neither the question nor its neighbour has, its number among them, is of something
else."""

MOST_MORE = 6
"""Sentences besides the answer that are kept: where one of them is right, the choice may have been wrong."""

_ITEM_MARK = re.compile(r"[-*•+–]\s+|\d{1,2}[.)]\s+(?=\S+\s+\S)")
_SECTION = re.compile(
    r"\n[ \t]*[*_#> ]{0,6}(?:explanation|reasoning|rationale|justification|note|notes|sources?|references?"
    r"|details?|context"
    r"|background|further reading|why|steps?|solution|working|verification|check)\b[*_ ]{0,4}[:：]",
    re.IGNORECASE,
)
_CONCLUSION = re.compile(
    r"^\W{0,4}(?:so|thus|therefore|hence|consequently|accordingly|in conclusion|in summary|to summari[sz]e"
    r"|in short|overall|finally"
    r"|to conclude|ultimately|as a result|this means|that means|which means|we (?:get|find|conclude|obtain|see))\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^\W{0,4}(?:it|its|he|his|she|her|they|their|this|that|these|those|such|the (?:name|term|word|city|country"
    r"|book|film|song|event)"
    r"|however|although|while|additionally|moreover|furthermore|also|note|because|since|as such|for (?:example"
    r"|instance)|in addition"
    r"|there|which|who|later|today|after|before|prior|when|where|other)\b",
    re.IGNORECASE,
)
_DIRECT = re.compile(r"\W{0,4}(?:it|that|this|they)(?:'s| is| was| are| were) (?!a |an |not |also )", re.IGNORECASE)
_YES_NO = re.compile(r"^\W{0,4}(?:yes|no|true|false|correct|incorrect)\b", re.IGNORECASE)
_ASKS_YES_NO = re.compile(
    r"^\W{0,4}(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should|may|might|must"
    r"|true or false)\b",
    re.IGNORECASE,
)
_OR = re.compile(r"\W{0,4}(?:or|alternatively)\b", re.IGNORECASE)
_FENCED = re.compile(r"```[\w+-]{0,20}\n(.*)\n?```", re.DOTALL)
_ENUMERATES = re.compile(r",|\band\b")
_NUMBER = re.compile(
    r"\d|[½¼¾]|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thir\w+|fif\w+|\w+teen"
    r"|twenty|forty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|third|quarter|first|second|none|no"
    r"|never|single"
    r"|double|twice|dozen|percent|today|january|february|march|april|may|june|july|august|september|october|november"
    r"|december|\w+day)\b",
    re.IGNORECASE,
)
_NUMERIC = frozenset({"number", "quantity", "percentage", "money", "date", "range"})
_CAPITAL = re.compile(r"(?<![\w'])[^\W\d_a-zß-öø-ÿ][\w'.-]*")
_VERBS = frozenset(
    """is are was were has have had does do did can could will would may might must should let first then next now
    step easy okay ok hmm hm right well simple interesting indeed""".split()
)
_RELATIVE = re.compile(r"(?:which|who|whose|where)\b", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:ings?|ed|es|s|e|d)$")
_CLAUSE = re.compile(r"(?:;|\s[-–—]|,(?!\s?\d))\s|,?\s(?:and|but|while|whereas|although)\s")
_BARE_VALUE = re.compile(r"\W{0,3}\d[\d.,]{0,20} ?%?(?: [a-z]{1,12})?")
_SUBJECTLESS = re.compile(r"(?:was |were |is |are |has |had |it |they |he |she )?[a-z]+(?:ed|[aeo]n|[nl]d|[gh]t)\b")
"""A clause that goes on with the verb: "began in 1939 and ended in 1945"."""
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|[a-z]+(?:ed|[aeu]n|[gh]t))\b")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
STOP = frozenset(
    """a an the of in on at to for from by with and or is are was were be been being do does did has have had what
    which who whom whose when where why how many much that this these those it its as into than then there their they
    he she his her him you your we our us i me my can could will would should may might must not if so such about
    between during over under per name called known""".split()
)


class Chosen(NamedTuple):
    """The answer sentence, where it stands, how it was chosen, rivals that say the same of something else, and up to
    MOST_MORE other sentences."""

    text: str
    span: tuple[int, int]
    how: str
    others: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


def choose(body: str, question: str, wanted: str) -> Chosen | None:
    """The sentence of `body` that answers, or None if none asserts anything. `wanted` is the type of the reference:
    a sentence without a number cannot say how many, one without a name not who."""
    section = _SECTION.search(body, 1)
    end = section.start() if section is not None and _is_answer_before(body[: section.start()]) else len(body)
    left, right = trimmed(body, 0, end)
    fenced = _FENCED.fullmatch(body, left, right)
    if fenced is not None and "```" not in fenced[1]:
        return Chosen(fenced[1].strip(), trimmed(body, *fenced.span(1)), "fence")
    if "\n" in body[left:right] and (block := _block(body, left, right, wanted == "list")) is not None:
        return block
    bounds = _bounds(body, left, right)
    spans = [span for span in bounds if asserts(body[slice(*span)])]
    if not spans:
        return _chosen(body, bounds[0], "sentence") if len(bounds) == 1 else None
    found = [body[slice(*span)] for span in spans]
    if len(spans) == 1:
        return _chosen(body, spans[0], "sentence")
    if _fragments(found):
        return Chosen(plain(body[spans[0][0] : spans[-1][1]]), (spans[0][0], spans[-1][1]), "fragments")
    if (hedged := _with_alternatives(body, spans, found)) is not None:
        return hedged
    best = _heaviest(found, question, wanted)
    more = tuple(plain(sentence) for index, sentence in enumerate(found) if index != best)[:MOST_MORE]
    return _chosen(body, spans[best], "sentence")._replace(others=_same_frame(found, best), more=more)


def _is_answer_before(text: str) -> bool:
    stripped = text.strip()
    return 0 < len(stripped) <= 600 and asserts(stripped) and not sentences.HEADING.match(stripped)


def _bounds(body: str, left: int, right: int) -> list[tuple[int, int]]:
    if right - left <= HEAD + TAIL:
        return split(body, left, right)[-sentences.MOST_SENTENCES :]
    tail = split(body, right - TAIL, right)
    return split(body, left, left + HEAD)[:-1][:20] + tail[1:]  # without what was cut in the middle


def _fragments(found: list[str]) -> bool:
    """Whether all of these are short fragments, and there are at least two that differ."""
    texts = [sentence.strip(" .!*_\n").casefold() for sentence in found]
    return len(set(texts)) > 1 and all(len(text.split()) <= 3 and "=" not in text for text in texts)


def _with_alternatives(body: str, spans: list[tuple[int, int]], found: list[str]) -> Chosen | None:
    """If the response goes on with "Or it might be London", both sentences are its answer."""
    for index in range(1, len(spans)):
        if _OR.match(found[index]):
            start, end = spans[index - 1][0], spans[index][1]
            return Chosen(plain(body[start:end]), (start, end), "alternatives")
    return None


def _heaviest(found: list[str], question: str, wanted: str) -> int:
    asked, words = content(last_question(question)), content(question)
    yes_no = wanted == "yes_no" or _ASKS_YES_NO.match(question) is not None
    offering = [index for index, sentence in enumerate(found) if _offers(sentence, words, wanted)]
    acts, weights = _acts(question), {}
    noun = counted(question) if wanted in _NUMERIC else ""
    for place, index in enumerate(offering or range(len(found))):
        sentence = found[index]
        shared = len(asked & content(sentence)) / len(asked) if asked else 0.0
        weight = shared + 0.3 * (index == len(found) - 1) + 1e-6 * index
        weight += 0.1 * (not acts.isdisjoint(roots(sentence)))
        weight += 0.3 * (bool(noun) and any(stem(word) == noun for word in _WORD.findall(sentence[:1000].casefold())))
        weight += 0.5 * (_CONCLUSION.match(sentence) is not None)
        weight += 0.4 * (_bold(sentence) is not None)
        weight += 1.0 * (yes_no and _YES_NO.match(sentence) is not None)
        weight += 0.4 * (wanted == "list" and _ENUMERATES.search(sentence) is not None)
        if place and question and (_GOES_ON.match(sentence) or (shared < 0.5 and sentence[:4] in {"The ", "the "})):
            weight -= 0.3
        if place == 0 and question:
            weight += 0.1 + 0.5 * (_DIRECT.match(sentence) is not None)
            weight += 1.2 * (index == 0 and _is_fragment(sentence) and not content(sentence) <= words)
        weights[index] = weight
    best = max(weights, key=weights.__getitem__)
    return len(found) - 1 if any(corrects(sentence) for sentence in found[best + 1 :]) else best


def _offers(sentence: str, asked: frozenset[str], wanted: str) -> bool:
    """Whether a sentence has anything of the type: a number, a name that the question does not have."""
    if wanted in _NUMERIC:
        return _NUMBER.search(sentence) is not None
    if wanted in {"person", "name"}:
        capitals = (word.casefold().removesuffix("'s") for word in _CAPITAL.findall(sentence[:1000]))
        return any(word not in STOP and beginning(word) not in asked for word in capitals)
    return True


def _is_fragment(sentence: str) -> bool:
    """Whether this is a short answer without a verb."""
    words = sentence.strip(" .!*").split()
    if len(words) > 6 or "=" in sentence or ":" in sentence or words[0].casefold() in _VERBS:
        return False
    return not any(word.casefold() in _VERBS or (word.islower() and word.endswith(("s", "ed"))) for word in words[1:])


def last_question(question: str) -> str:
    """What a long question asks in the end."""
    if len(question) < 200:
        return question
    spans = split(question[-2000:])
    asked = [question[-2000:][slice(*span)] for span in spans]
    return next((sentence for sentence in reversed(asked) if "?" in sentence), asked[-1] if asked else question)


@lru_cache(maxsize=512)
def content(text: str) -> frozenset[str]:
    """The words that say something, by their beginnings: "ended" and "ends" are "end"."""
    words = (word.removesuffix("'s") for word in _WORD.findall(text[:1000].casefold()))
    return frozenset(beginning(word) for word in words if word not in STOP)


@lru_cache(maxsize=512)
def _acts(question: str) -> frozenset[str]:
    """The roots of what was done, of which a question asks: who won, which was built."""
    words = _WORD.findall(last_question(question)[:1000].casefold())
    verbs = (word for word in words if word not in STOP and (word in IRREGULAR or word.endswith("ed")))
    return frozenset(beginning(IRREGULAR.get(word, word)) for word in verbs)


@lru_cache(maxsize=512)
def roots(text: str) -> frozenset[str]:
    """The same, with irregular verbs by their roots: "fell" is "fall"."""
    words = (word.removesuffix("'s") for word in _WORD.findall(text[:1000].casefold()))
    return frozenset(beginning(IRREGULAR.get(word, word)) for word in words if word not in STOP)


def beginning(word: str) -> str:
    """A word in small letters without its ending: "ended" and "ends" are "end"."""
    return _SUFFIX.sub("", word)[:6] if len(word) > 3 else word


def answers_as_well(sentence: str, chosen: str, question: str) -> bool:
    """Whether a sentence says as much of what was asked as the chosen one, or what was done, where that does not."""
    asked, acts = roots(last_question(question)), _acts(question)
    one, other = roots(sentence), roots(chosen)
    return len(asked & one) >= len(asked & other) or bool(acts & one - other)


def focus(sentence: str, question: str) -> str | None:
    """The one clause of a sentence that shares the most with the question, of those that have a number: of "71 percent
    is covered by water, and the remaining 29 percent is land" the first. None if there is but one, if no one is ahead,
    or if another clause says nothing of its own: "2 moons, and 3" is two answers."""
    asked = roots(last_question(question))
    clauses = [clause for clause in _CLAUSE.split(sentence) if clause and _NUMBER.search(clause)]
    if not 1 < len(clauses) < 5 or not asked:
        return None
    if _BARE_VALUE.fullmatch(clauses[0]) and all(_is_of_another(clause, asked, clauses[0]) for clause in clauses[1:]):
        return clauses[0]
    subject = asked & roots(_VERB.split(clauses[0], maxsplit=1)[0])
    shared = [
        len(asked & (roots(clause) | subject if _SUBJECTLESS.match(clause) else roots(clause))) for clause in clauses
    ]
    best = max(shared)
    if not best or shared.count(best) > 1:
        return None
    chosen = clauses.pop(shared.index(best))
    return (
        chosen if all(_RELATIVE.match(clause) or _is_of_another(clause, asked, chosen) for clause in clauses) else None
    )


def _is_of_another(clause: str, asked: frozenset[str], chosen: str) -> bool:
    own = roots(clause) - asked - roots(chosen)
    return len(own) >= OWN_WORDS - (_VERB.search(clause) is not None)


def _same_frame(found: list[str], best: int) -> tuple[str, ...]:
    """Sentences that begin with the same words as the chosen one and end otherwise."""
    mine = found[best].casefold().split()
    if len(mine) < 4 or len(found) > 50:
        return ()
    others = []
    for index, sentence in enumerate(found):
        words = sentence.casefold().split()
        shared = next((at for at, (one, two) in enumerate(zip(mine, words, strict=False)) if one != two), len(mine))
        if index != best and shared >= 4 and shared >= 0.6 * min(len(mine), len(words)) and words != mine:
            others.append(plain(sentence))
    return tuple(others[:4])


def _bold(sentence: str) -> str | None:
    """The one bold part of a sentence, if it has just one."""
    found = (
        [match[1] or match[2] for match in sentences.BOLD.finditer(sentence)]
        if "**" in sentence or "__" in sentence
        else []
    )
    return found[0] if len(found) == 1 else None


def _chosen(body: str, span: tuple[int, int], how: str) -> Chosen:
    start, end = span
    mark = _ITEM_MARK.match(body, start, end) if "\n" in body else None  # alone, "- 5" is a number
    if mark is not None and mark.end() < end:
        start = mark.end()
    while body[start:end].startswith("#"):
        start += 1
    start, end = trimmed(body, start, end)
    return Chosen(plain(body[start:end]), (start, end), how)


def _block(body: str, left: int, right: int, several: bool) -> Chosen | None:
    """Short lines that stand together are one answer: items of a list, or several answers. With the line above them if
    a list is wanted and its items stand there."""
    lines = [trimmed(body, start, end) for start, end in _line_bounds(body, max(left, right - TAIL), right)]
    lines = [span for span in lines if span[0] < span[1]]
    if len(lines) < 2:
        return None
    while lines and not asserts(body[slice(*lines[-1])]) and not body[slice(*lines[-1])].endswith(":"):
        lines.pop()
    if several:  # what stands below the list is a remark on it
        while (
            lines
            and not is_bullet(body[slice(*lines[-1])])
            and any(is_bullet(body[slice(*span)]) for span in lines[-8:-1])
        ):
            lines.pop()
    items = []
    for span in reversed(lines):
        line = body[slice(*span)]
        if not any(character not in sentences.EMPTY_SIGNS for character in line):
            continue  # what sets a formula off
        if not _is_item(line, several):
            break
        items.append(span)
    if len(items) < 2:
        return _lead_line(body, lines)
    texts = [sentences.BULLET.sub("", body[slice(*span)], count=1) for span in items]
    if not several and not (all(len(text.split()) <= 6 for text in texts) and not any("=" in text for text in texts)):
        return None
    start, end = items[-1][0], items[0][1]
    return Chosen(plain(body[start:end]), (start, end), "lines")


def _is_item(line: str, several: bool) -> bool:
    bullet = sentences.BULLET.match(line)
    content = line[bullet.end() :] if bullet else line
    if not bullet and (not asserts(line) or line.endswith((".", "!", "?"))):
        return False
    return len(content.split()) <= (30 if several and bullet else 8)


def _lead_line(body: str, lines: list[tuple[int, int]]) -> Chosen | None:
    """A short first line without a full stop, above paragraphs: "Canberra", and then why."""
    if len(lines) < 2:
        return None
    line = body[slice(*lines[0])]
    rest = [body[slice(*span)] for span in lines[1:]]
    if (
        len(line.split()) <= 6
        and not line.endswith((".", ":", "?", "!", ","))
        and "=" not in line
        and asserts(line)
        and not sentences.BULLET.match(line)
        and all(len(text.split()) >= 8 for text in rest)
        and not any(sentences.ALTERNATIVE.match(text) or corrects(text) or "=" in text for text in rest)
    ):
        return Chosen(plain(line), lines[0], "lead")
    return None


def _line_bounds(text: str, start: int, end: int) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    while start <= end and len(bounds) < 2000:
        stop = text.find("\n", start, end)
        if stop < 0:
            stop = end
        bounds.append((start, stop))
        start = stop + 1
    return bounds
