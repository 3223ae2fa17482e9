"""Multiple choice: the letter, the option's text, or both. Options are read from the question.

An answer chooses if it names one option (or all that the reference names) and no other. Letter and text that contradict
each other are wrong, and so are several letters where one is asked for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.reward.kinds import phrase
from webscale_rl.reward.lexicon import FUNCTION
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean, fold
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import LONGEST, plain_text, read

MOST_OPTIONS = 10

_LABEL = re.compile(
    r"(?<![\w.(])\(?([A-Ja-j1-9])\s?[).:\]](?=\s|[^\s\d)])|\(([A-Ja-j1-9])\)|(?:^|\n)\s{0,8}([A-J])(?= {1,4}\S| -)"
)
_ENUMERATION = ("ABCDEFGHIJ", "abcdefghij", "123456789")
_GIVEN = re.compile(r"(?<![\w'])\(?([A-Ja-j1-9])\)?(?:\s?[).:\]](?=\s|$)|(?![\w'.])|\.(?!\w))")
_LABELLED = re.compile(
    r"\W{0,8}(?:option|choice|answer|statement|letter)?\W{0,8}\(?([A-Ja-j1-9])(?:\s?[).:\]]|\s-|\)\s)\s*(\S.*)",
    re.I | re.S,
)
_NAMED = re.compile(
    r"\b(?:answer|option|choice|letter|statement)s?\b(?: (?:is|are|would be|should be|must be"
    r"|number))?(?: (?:option|choice|letter))?"
    r"\s?[:=]?\s?[\"'(]?([A-Ja-j1-9])\b(?!')",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\bnot|n't|\bneither|\bnor|\brather than|\binstead of|\bexcept|\bunlike|\bthan)\s(?:option |choice "
    r"|answer )?[(\"']?([A-Ja-j1-9])\b",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"(?<![\w'])([A-J])\)? (?:is|are|was|would be|cannot be|can't be) (?:not|wrong|incorrect|false|never|also wrong)\b"
)
_REASONS = re.compile(r"\b(?:because|since|as|while|whereas|for|which|although|though|but)\b|[;.]\s", re.IGNORECASE)
_FILLERS = FUNCTION | frozenset(
    "option options choice choices letter letters answer answers correct final best statement"
    " statements right response both".split()
)
_HEDGES = re.compile(r"\b(?:might|may|could|perhaps|maybe|possibly|not sure|unsure|guess)\b", re.IGNORECASE)
_REFERENCE = re.compile(r"\(?([A-Ja-j1-9])\)?(?:\s?(?:,|;|&|and|/)\s?\(?([A-Ja-j1-9])\)?){0,9}\.?")


@lru_cache(maxsize=512)
def options(question: str) -> dict[str, str]:
    """The options of a question by their labels, in capitals: lines or runs of A. B. C., (a) (b), 1) 2)."""
    question = clean(question[:20_000])
    for labels in _ENUMERATION:
        places: list[tuple[int, int]] = []
        for match in _LABEL.finditer(question):
            label = match[1] or match[2] or match[3]
            if len(places) < len(labels) and label == labels[len(places)]:
                places.append(match.span())
        if len(places) >= 2:
            ends = [start for start, _ in places[1:]] + [len(question)]
            texts = [
                _option(question[end:stop], last=stop == len(question))
                for (_, end), stop in zip(places, ends, strict=True)
            ]
            if all(texts):
                return {label.upper(): text for label, text in zip(labels, texts, strict=False)}
    return {}


def infer(answer: str, question: str = "") -> Reference | None:
    """A label of the question's options, or an option's text. Without a question, a capital letter from A to E."""
    listed = options(question)
    answer = answer.strip()
    if not listed:
        alone = not question.strip() and re.fullmatch(r"\(?[A-E]\)?\.?", answer)
        return Reference(answer, "choice") if alone else None
    return Reference(answer, "choice") if _wanted(answer, question) else None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer chooses the option, or all the options, that the reference names."""
    listed = options(question)
    wanted = _wanted(reference.answer, question)
    if not wanted:
        return phrase.compare(reference, answer, question)
    if len(answer) > LONGEST:
        return Match(None, "long")
    answer = plain_text(answer).strip()
    if not answer:
        return Match(False, "empty")
    exact = {label for label, text in listed.items() if _same_text(text, answer)}
    if len(exact) == 1 and not _REFERENCE.fullmatch(answer):
        return Match(exact == wanted, "text")
    denied = {found.upper() for pattern in (_DENIED, _WRONG) for found in pattern.findall(answer)}
    if denied & wanted:
        return Match(False, "denied")
    if re.search(r"\bneither\b", answer, re.IGNORECASE):
        return Match(False, "denied")
    labels, rest = _labels(answer, listed)
    labels = labels - denied
    if labels and _HEDGES.search(answer):
        return Match(None, "hedged")
    if not labels:
        return _by_text(wanted, answer, question, listed)
    if labels != wanted:
        return Match(False, "other_option")
    if len(wanted) > 1 and re.search(r"\bor\b", answer):
        return Match(False, "alternatives")
    if listed and len(wanted) == 1 and rest and _contradicts(rest, next(iter(wanted)), listed):
        return Match(False, "contradicts")
    return Match(True, "label")


def _option(text: str, last: bool) -> str:
    text = text.strip()
    if last:
        text = text.split("\n")[0]
        ended = re.search(r"[.;]\s(?=[A-Z].{0,300}\?)", text)
        text = text[: ended.start()] if ended else text
    return text.strip(" \n,;.:-").removesuffix(" or").removesuffix(" and").strip(" ,;")


@lru_cache(maxsize=512)
def _wanted(answer: str, question: str) -> frozenset[str]:
    """The labels that a reference names. Without options in the question any letter is a label."""
    listed = options(question)
    answer = plain_text(answer).strip()
    labels = frozenset(listed) or frozenset("ABCDEFGHIJ")
    alone = _REFERENCE.fullmatch(answer)
    if alone:
        found = frozenset(label.upper() for label in re.findall(r"[A-Ja-j1-9]", re.sub(r"\band\b", ",", answer)))
        by_text = {label for label, text in listed.items() if fold(text) == fold(answer)}
        return frozenset(by_text) if by_text and not found <= labels else found if found <= labels else frozenset()
    led = _LABELLED.fullmatch(answer)
    if led and led[1].upper() in labels and (not listed or _same_text(led[2], listed[led[1].upper()])):
        return frozenset((led[1].upper(),))
    return frozenset(label for label, text in listed.items() if _same_text(answer, text))


def _same_text(one: str, other: str) -> bool:
    first, second = read(one), read(other)
    if first.words and second.words:
        return [word.plain for word in first.words] == [word.plain for word in second.words]
    return fold(one) == fold(other)


def _labels(answer: str, listed: dict[str, str]) -> tuple[frozenset[str], str]:
    """The labels that an answer names, and the text that stands behind the first of them."""
    known = frozenset(listed) or frozenset("ABCDEFGHIJ")
    words = re.findall(r"[A-Za-z0-9]+", answer)
    kept = [word for word in words if not (word.casefold() in _FILLERS and len(word) > 1)]
    if kept and len(kept) <= MOST_OPTIONS and all(len(word) == 1 and word.upper() in known for word in kept):
        return frozenset(word.upper() for word in kept), ""
    if len(kept) == 1 and kept[0].isupper() and 1 < len(kept[0]) <= len(known) and set(kept[0]) <= known:
        distinct = sorted(set(kept[0]))
        if distinct == list(kept[0]) and listed and kept[0] not in {text.upper() for text in listed.values()}:
            return frozenset(kept[0]), ""
    led = _LABELLED.fullmatch(answer)
    if led and led[1].upper() in known:
        further = {
            found[0]
            for found in re.findall(r"(?<![\w'])\(?([A-J])(\)|\.\s|:\s)", led[2])
            if found[0] in known and listed
        }
        joined = re.match(r".{0,200}?\b(?:and|or)\s\(?([A-J])\b(?!')", led[2], re.S)
        if joined and joined[1] in known and not _REASONS.search(led[2][: joined.start(1)]):
            further.add(joined[1])
        return frozenset({led[1].upper()} | further), led[2]
    named = [
        found for found in _NAMED.finditer(answer) if found[1].upper() in known and _is_label(answer, found.start(1))
    ]
    if named:
        return _run(answer, named[-1].start(1), known), answer[named[-1].end(1) :].strip(" ).:\"'")
    main = _REASONS.split(answer, maxsplit=1)[0]
    found = {
        label[1].upper()
        for label in _GIVEN.finditer(main)
        if _is_label(main, label.start(1)) and label[1].upper() in known
    }
    tail = re.search(r"\b(?:so|thus|therefore|hence|option|choice)[,:]?\s\(?([A-Ja-j])\)?\W*$", answer)
    if not found and tail and tail[1].upper() in known:
        found = {tail[1].upper()}
    return frozenset(found), ""


def _run(answer: str, start: int, known: frozenset[str]) -> frozenset[str]:
    """The labels of one enumeration: "A and C", "B, C or D"."""
    run = re.match(r"[A-Ja-j1-9]\b(?:[)\"']?\s?(?:,|;|&|/|and|or|,\s?and)\s?[(\"']?[A-J1-9]\b(?!'))*", answer[start:])
    labels = re.findall(r"\b[A-Ja-j1-9]\b", run[0]) if run else []
    return frozenset(label.upper() for label in labels if label.upper() in known)


def _is_label(text: str, at: int) -> bool:
    """Whether a single letter is a label rather than an article, "I", or the end of a term ("vitamin C", "x = 2")."""
    letter = text[at]
    before = text[max(0, at - 2) : at]
    after = text[at + 1 : at + 3]
    if letter in "aAI" and re.match(r"\s[a-z]", after):
        return False
    if letter.isdecimal():
        return bool(re.match(r"\W?\)|\(", before[-1:] + after[:1])) or bool(
            re.search(r"(?:option|choice|statement|answer)\s$", text[max(0, at - 12) : at], re.I)
        )
    if letter.islower():
        return after[:1] in (")", ".", "") or before[-1:] in ("(", '"')
    return not re.search(
        r"\b(?:[Vv]itamin|[Hh]epatitis|[Gg]roup|[Tt]ype|[Cc]lass|[Pp]lan|[Gg]rade)\s\(?$", text[max(0, at - 12) : at]
    )


def _contradicts(rest: str, label: str, listed: dict[str, str]) -> bool:
    """Whether the text behind a label is another option's."""
    head = _REASONS.split(rest, maxsplit=1)[0].strip(" .")
    if _same_text(head, listed[label]) or not read(head).words:
        return False
    return any(_same_text(head, text) for other, text in listed.items() if other != label)


def _by_text(wanted: frozenset[str], answer: str, question: str, listed: dict[str, str]) -> Match:
    if not listed:
        return Match(False if len(read(answer).words) <= 3 else None, "no_label")
    chosen, undecided, longer = set(), set(), set()
    stem = _stem(question)
    for label, text in listed.items():
        match = phrase.compare(Reference(text, "phrase"), answer, stem)
        if match.same or _same_text(text, answer):
            chosen.add(label)
        elif match.same is None:
            undecided.add(label)
            if match.rule == "modified" and text[:1].isupper():
                longer.add(label)  # William Shakespeare, where the option is Shakespeare
    if chosen == wanted or (not chosen and undecided == longer == wanted):
        return Match(True, "text")
    if chosen or not undecided & wanted:
        several = chosen > wanted
        return Match(False, "several" if several else "other_text")
    if len(wanted) > 1 and _listed_texts(answer, listed) == wanted:
        return Match(True, "texts")
    return Match(None, "unclear")


@lru_cache(maxsize=512)
def _stem(question: str) -> str:
    """The question without its options."""
    question = clean(question[:20_000])
    first = next(iter(options(question).values()), "")
    at = question.find(first)
    return question[:at] if at > 0 else question


def _listed_texts(answer: str, listed: dict[str, str]) -> frozenset[str]:
    parts = [part for part in re.split(r"\s?(?:,|;|&|\band\b)\s?", answer) if part.strip()]
    return frozenset(label for part in parts for label, text in listed.items() if _same_text(part, text))
