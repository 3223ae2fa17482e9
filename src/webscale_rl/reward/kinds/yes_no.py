"""Yes or no, true or false: what an answer says to the question, in a word, in a short form or as a restatement.

"Yes", "True", "It does" and "Smoking does increase the risk" say yes to "Does smoking increase the risk?". An answer
that says both, or neither, is never right; a hedge is undecided.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.reward.lexicon import AUXILIARIES, FUNCTION, NEGATIONS
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.scene import says_something
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import LONGEST, Text, Word, is_content, opposed, read

RESTATED = 0.6
"""An answer restates a question if it has at least so much of the question's content words."""

_YES = frozenset(
    "yes yeah yep yup true correct right indeed absolutely certainly definitely affirmative sure agreed".split()
)
_NO = frozenset("no nope false incorrect wrong never untrue negative nah disagree hardly impossible".split())
_TRUTH = dict.fromkeys(("true", "correct", "right", "accurate", "yes"), True) | dict.fromkeys(
    ("false", "incorrect", "wrong", "untrue", "inaccurate", "no"), False
)
_HEDGES = frozenset(
    "maybe perhaps possibly depends unclear unsure unknown sometimes uncertain partly partially".split()
)
_STATEMENTS = frozenset("statement claim answer assertion sentence".split())
_COMPARED = frozenset("than before after from above below over under cause causes by".split())
_PLAINEST = frozenset(("yes", "no", "true", "false"))
_OPENERS = frozenset("so thus therefore hence well ok hmm".split())
_DEGREES = frozenset("probably likely most clearly answer".split())
_REASONS = frozenset("as because since which who so although though while where".split())
_SUBJECTS = frozenset("it he she they this that there we you i these those".split())
_CONCLUDED = re.compile(
    r"\b(?:answer|conclusion|verdict|statement|claim)\b(?: (?:here|to the question|to this question))? (?:is"
    r"|would be|must be)"
    r" (not )?(?:a |an |simply |clearly |therefore |definitely )*(yes|no|true|false|correct|incorrect|right|wrong)\b"
)
_DISCLAIMED = re.compile(
    r"\b(?:(?:not|isn't|n't|never) (?:true|correct|right|the case|to say)|(?:false|wrong|incorrect|untrue"
    r"|mistaken) (?:that|to say))\b"
)
_BOTH = re.compile(r"\b(?:yes (?:and|or|but also) no|no and yes|no or yes|true (?:and|or) false|both (?:yes|true))\b")
_BARE = re.compile(r"\W*(?:yes|no|true|false|correct|incorrect|right|wrong)\W*", re.IGNORECASE)
_LED = re.compile(r"\W*(?:yes|no|true|false|correct|incorrect)\s?[,.;:!(—-]", re.IGNORECASE)
_ASKED = re.compile(
    r"(?:^|[.?!:]\s|,\s)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might"
    r"|must|true or false)\b"
    r"|\btrue or false\b|\byes or no\b|\bwhether\b",
    re.IGNORECASE,
)


def infer(answer: str, question: str = "") -> Reference | None:
    """Yes, no, true or false alone; or such a word, punctuation and a reason if the question asks for it."""
    bare = _BARE.fullmatch(answer[:40]) is not None and len(answer) <= 40
    asked = _ASKED.search(question[:2000]) is not None
    if (
        bare and (asked or not question.strip() or answer.strip(" .").casefold() not in ("right", "correct", "wrong"))
    ) or (asked and _LED.match(answer)):
        return Reference(answer, "yes_no")
    return None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer says to the question what the reference says."""
    wanted = _reference(reference.answer, question)
    if wanted is None:
        return Match(None, "unread")
    if len(answer) > LONGEST:
        return Match(None, "long")
    said = says(answer, question)
    letter = answer.strip(" .()").casefold()
    if letter in ("t", "f") and reference.answer.strip(" .").casefold() in ("true", "false", "t", "f"):
        said = letter == "t"
    if said is None:
        text = read(answer)
        return Match(False if _BOTH.search(_flat(text)) else None, "unclear")
    return Match(said == wanted, "polarity")


@lru_cache(maxsize=512)
def _reference(answer: str, question: str) -> bool | None:
    return says(answer, question)


def says(answer: str, question: str) -> bool | None:
    """Whether an answer says yes (True) or no (False) to a question; None if it says both, neither, or is not clear."""
    text = read(answer)
    words = text.words
    if not words:
        return None
    flat = _flat(text)
    if _BOTH.search(flat):
        return None
    concluded = list(_CONCLUDED.finditer(flat))
    if (concluded and _DISCLAIMED.search(flat)) or _both(words):
        return None
    if concluded:
        return _TRUTH[concluded[-1][2]] is not bool(concluded[-1][1])
    led = _led(words, question)
    if led is not None:
        return led
    asked = {word.stem for word in read(question).words}
    if any(word.plain in _HEDGES and word.stem not in asked for word in words):
        return None
    return _stated(words) if len(words) <= 12 and _states(words) else _restated(text, question)


def _flat(text: Text) -> str:
    return " ".join(word.plain for word in text.words)


def _both(words: tuple[Word, ...]) -> bool:
    """Whether an answer says yes in one clause and no in another."""
    said = set()
    for at, word in enumerate(words):
        if word.plain in ("yes", "no") and (not at or word.gap or words[at - 1].plain in ("and", "but", "or")):
            after = words[at + 1] if at + 1 < len(words) else None
            if after is None or after.gap or not is_content(after):
                said.add(word.plain)
    return len(said) > 1


def _led(words: tuple[Word, ...], question: str) -> bool | None:
    """What the first word says: yes, no, true, not at all."""
    if words[0].plain in _OPENERS and len(words) > 1:
        words = words[1:]
    first = words[0].plain
    rest = words[1:4]
    follower = rest[0].plain if rest else ""
    if first in _DEGREES and rest:
        lead = next((word.plain for word in rest if word.plain in _YES | _NO | {"not"}), "")
        return lead in _YES if len(words) <= 4 and lead else None
    if not rest and first in ("t", "f") and "true" in question.casefold():
        return first == "t"
    if first == "not":
        return None if follower in ("sure", "certain", "clear", "only", "just") else not _TRUTH.get(follower, True)
    if (first, follower) == ("by", "no"):
        return False
    if (first, follower) == ("of", "course"):
        return "not" not in {word.plain for word in rest}
    return _word(first, rest) if first in _YES | _NO else None


def _word(first: str, rest: tuple[Word, ...]) -> bool | None:
    """What a leading "yes" or "no" says with the words behind it: not correct, no man's land, yes, true."""
    said = first in _YES
    if rest and not rest[0].gap:
        if rest[0].plain == "not":
            return not said
        if first == "no" and rest[0].plain not in _SUBJECTS and is_content(rest[0]):
            return None
    turned = any(word.gap and _TRUTH.get(word.plain, said) != said and word.plain in _PLAINEST for word in rest)
    return None if turned else said


def _states(words: tuple[Word, ...]) -> bool:
    plains = [word.plain for word in words]
    named = plains[0] in ("the", "this", "that") and len(plains) > 1 and plains[1] in _STATEMENTS
    subject = plains[0] in _SUBJECTS or named
    short = (
        len(words) <= 4
        and plains[0] in _SUBJECTS
        and all(plain in _SUBJECTS | AUXILIARIES | NEGATIONS or plain in FUNCTION for plain in plains)
    )
    return subject and (short or any(plain in _TRUTH for plain in plains[1:6]))


def _stated(words: tuple[Word, ...]) -> bool | None:
    """It does, it isn't, the statement is false, that's not correct."""
    said = True
    for word in words[1:]:
        if word.plain in NEGATIONS and word.plain not in _TRUTH:
            said = not said
        elif word.plain in _TRUTH:
            return said is _TRUTH[word.plain]
    return said


def _order(text: Text, sought: set[str]) -> list[str]:
    """The stems that are sought, in the order in which a text has them first."""
    return list(dict.fromkeys(stem for stem in text.stems if stem in sought))


def _before_reasons(words: tuple[Word, ...], restating: set[str] | frozenset[str]) -> tuple[Word, ...]:
    """The words up to the reason that follows the restatement: "17 is prime, as it has no divisors" denies nothing."""
    stems = [word.stem for word in words]
    last = max((stems.index(stem) for stem in restating if stem in stems), default=0)
    reasons = (at for at in range(last + 1, len(words)) if words[at].plain in _REASONS)
    return words[: next(reasons, len(words))]


def _restated(text: Text, question: str) -> bool | None:
    """The question as a statement, with or without a negation; an opposite turns it round."""
    asked = read(question)
    sought = {word.stem for word in asked.words if is_content(word) and word.plain not in NEGATIONS}
    if not sought or any(word.stem == "not" for word in asked.words):
        return None
    held = sought & frozenset(text.stems)
    turned = [
        (key, word.stem)
        for word in text.words
        if word.stem not in sought
        for key in sought - held
        if opposed(key, word.stem)
    ]
    short = len(text.words) <= 6 and text.words[0].plain in _SUBJECTS
    if len(held) + len(turned) < RESTATED * len(sought) and not (short and (held or turned)):
        return None
    known = asked.content | {other for _, other in turned}
    new = any(says_something(word) and word.stem not in known for word in text.words)
    exchanged = any(word.plain in _COMPARED for word in asked.words) and _order(asked, held) != _order(text, held)
    if (new and len(held) + len(turned) < len(sought)) or (exchanged and not turned):
        return None
    main = _before_reasons(text.words, held | {other for _, other in turned})
    negated = sum(word.plain in NEGATIONS or word.stem == "not" for word in main)
    if negated > 1 or len(turned) > 1:
        return (negated + len(turned) == 2 and negated == 1) or None
    return (negated + len(turned)) % 2 == 0
