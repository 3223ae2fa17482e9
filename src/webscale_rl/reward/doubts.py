"""What makes an answer that matches undecided after all: the rules of its kind have found what they looked for, but the
wording around it takes it back, asks it, or sets it beside others.

    enumeration   a bare list of phrases, or of numbers, of which one may be right by accident
    denied        "(incorrect)", "Paris = wrong", "just kidding", "anything but"
    asked         a question: "Is it Paris?"
    apposition    another name comes first: "London, the Paris of England"
    rival         "Germany hosted it and France won."
    topic         "78% oxygen", where nitrogen was asked for
    condition     "yes, if ..."
    difference    "$15 million less", unless the question asks for a difference
    operation     a number that something is done to: "the square root of 2"

Each leaves the verdict to a judge. What the reference says itself counts for nothing. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from webscale_rl.reward.reference import Reference
from webscale_rl.reward.rivals import rival
from webscale_rl.reward.unmarked import content
from webscale_rl.types import AnswerType

SHOTGUN = 4
"""So many phrases in a row, where one is asked for."""
SHORT_HEAD = 3
"""Words up to which what stands before a comma is a term and no clause."""
LONGEST = 1_000
"""Characters of an answer that is looked at; a longer one is prose, and its kind has read it as such."""

_COMMA = re.compile(r"[,;]\s(?:and\s|or\s)?|\s(?:and|or)\s")
_CLAUSE = re.compile(
    r"\b(?:is|are|was|were|which|who|where|that|because|such as|like|including|mainly|especially|e\.g|i\.e|born"
    r"|since)\b|^[a-z]+(?:ed|ing) (?:with|by|from|in|to|into|as|of|on|for)\b",
    re.IGNORECASE,
)
_AND_NUMBER = re.compile(r"\d[^.;=\n]{0,60}\band\s{1,3}\d[\d.,]{0,20}\W{0,3}$")
_DENIED = re.compile(
    r"\b(?:is|are|was|were|be|being|as|which is|that is) (?:the |an? )?(?:wrong|incorrect|false|untrue|mistaken)\b"
    r"|\((?:not|incorrect|wrong|false|no)\)|[=:] ?(?:wrong|incorrect|false)\b"
    r"|^\W{0,5}(?:false|wrong|incorrect|not true) ?[:;,-]|[❌✗✘🚫]|^\s{0,5}(?:[¬!]\s?|~)(?=[^\W\d])|^\W{0,5}not ?[(\[{]"
    r"|\?\W{0,3}no\b|\b(?:just kidding|scratch that|no wait|i lied|psych)\b"
    r"|\b(?:any|every|no)(?:one|thing|body|where) (?:but|except|other than)\b|^\W{0,5}if\b(?! (?:i|my|memory) )"
    r"|\buntil\b.{1,80}\bnow\b"
    r"|\b(?:outside|anywhere but|all but|none but)\b",
    re.IGNORECASE,
)
_WRONG_ANSWER = re.compile(
    r"\b(?:wrong|incorrect|false) answer\b|\b(?:yes|no) is (?:wrong|incorrect|false)\b", re.IGNORECASE
)
_NUMERIC = frozenset({"number", "quantity", "money", "percentage"})
_DIFFERENCE = re.compile(
    r"\d[\d.,]{0,20}%?\s?(?:[^\W\d]{1,20}\s){0,2}(more|less|fewer|taller|shorter|higher|lower|larger|smaller|older|younger"
    r"|longer|heavier|lighter|cheaper|faster|slower|earlier|later|below sea level|below zero"
    r"|underground)(?: than\b|\W{0,3}$)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|unless|only when|depend(?:s|ed|ing)?|in some|in certain)\b", re.IGNORECASE)
_NAMED_FIRST = re.compile(
    r"\W{0,2}([^\W\d_a-z][\w.'’-]*(?:\s(?:[^\W\d_a-z][\w.'’-]*|of|de|da|van|von|the)){0,4}),\s[a-zß-öø-ÿ]"
)
_NO_NAME = re.compile(
    r"\w+ly$|(?:well|yes|no|so|thus|hence|then|now|in|on|at|by|for|after|before|since|however|indeed|ok|okay)\b",
    re.IGNORECASE,
)
_OPERATION = re.compile(
    r"\b(?:root of|times \d|squared|cubed|factorial|divided by|multiplied by|half of|double)\b", re.IGNORECASE
)
_ASIDE = re.compile(r"(?:with|and|plus|like|a|an|the|which|not|but|or|some)\b", re.IGNORECASE)
_WITH = re.compile(r"\s(?:with|using|including|from|by)\s")
_SHARE = re.compile(r"\d[\d.,]{0,12}(?= ?(?:%|per ?cent))")
_SHARE_ALONE = re.compile(r"\W{0,3}\d[\d.,]{0,12} ?(?:%|per ?cent) ([a-z]{3,20})\W{0,3}")
_SHARE_OF = re.compile(r"(?:%|per ?cent) of (?:the |all )?([\w']{1,30}(?: [\w']{1,30})?) (?:is|are|was|were)\b")
_SHARE_ASKED = re.compile(
    r"\b(?:percent|per cent|percentage) of ([^?]{1,80}?) (?:is|are|was|were|has|have|had|does|do)\b([^?]{0,80})"
)
_SHARE_SUBJECT = re.compile(
    r"\b([a-z]{3,20}) (?:is|are|was|were|makes? up) (?:about |around |roughly )?\d[\d.]{0,8} ?%"
)
_NAMED = frozenset({"name", "person", "phrase"})
_SAYING = frozenset({"yes_no", "code", "formula"})
"""Here "false", "!" and "not" are answers."""
_SPELT = frozenset({"code", "formula"})
_STATES = re.compile(r"=|\b(?:is|are|was|were|equals|has|have|had|makes?|gives?)\b", re.IGNORECASE)


def doubt(references: Sequence[Reference], answer: str, question: str, is_right: Callable[[str], bool]) -> str | None:
    """Why an answer that matches is undecided, in one word. `is_right` says whether a part of it alone is right."""
    if len(answer) > LONGEST:
        return None
    kinds = {reference.type for reference in references}
    if _enumerates(references, answer) and not _goes_with(answer, is_right):
        return "enumeration"
    denied = _WRONG_ANSWER if kinds & _SAYING else _DENIED
    if denied.search(answer) and not any(denied.search(one.answer) for one in references):
        return "denied"
    if answer.rstrip(" \"'*_)").endswith("?") and not kinds & _SPELT:
        return None if any("?" in one.answer for one in references) else "asked"
    if kinds == {"yes_no"}:
        return "condition" if _CONDITION.search(answer) and not _CONDITION.search(question) else None
    if kinds <= _NAMED:
        return _of_names(references, answer, question, is_right)
    return _of_values(kinds, answer, question) if kinds <= _NUMERIC else None


def _of_names(
    references: Sequence[Reference], answer: str, question: str, is_right: Callable[[str], bool]
) -> str | None:
    if not _STATES.search(answer):
        if any(one.type == "phrase" for one in references):
            aside = _is_aside(references, answer, question)
        else:
            first = _NAMED_FIRST.match(answer)
            aside = first is not None and not _NO_NAME.match(first[1]) and not is_right(first[1])
        if aside:
            return "apposition"
    return "rival" if rival(references, answer, question, is_right) else None


def _is_aside(references: Sequence[Reference], answer: str, question: str) -> bool:
    """Whether another term stands before the right one: "tahini, with some chickpeas"."""
    head, comma, rest = answer.partition(", ")
    if not comma or not _ASIDE.match(rest) or len(head.split()) > SHORT_HEAD:
        return False
    own = frozenset(word for one in references for text in (one.answer, *one.aliases) for word in content(text))
    said = content(head) - content(question)
    return bool(said) and not said & own


def _of_values(kinds: set[AnswerType], answer: str, question: str) -> str | None:
    difference = _DIFFERENCE.search(answer)
    if difference is not None and not re.search(rf"\b{difference[1]}\b", question, re.IGNORECASE):
        return "difference"
    if kinds == {"percentage"} and _other_topic(answer, question):
        return "topic"
    if kinds == {"number"} and _OPERATION.search(answer) and not _STATES.search(answer):
        return "operation"
    return None


def _other_topic(answer: str, question: str) -> bool:
    """Whether a percentage is said to be of something that the question does not ask about."""
    asked = content(question)
    if not asked:
        return False
    alone = _SHARE_ALONE.fullmatch(answer)
    if alone is not None:
        return not content(alone[1]) & asked
    turned, whole = _SHARE_OF.search(answer), _SHARE_ASKED.search(question)
    if turned is not None and whole is not None and not content(turned[1]) & content(whole[1]):
        return bool(content(turned[1]) & content(whole[2]))
    subjects = _SHARE_SUBJECT.findall(answer)
    return len(set(_SHARE.findall(answer))) > 1 and any(not content(one) & asked for one in subjects[-1:])


def _goes_with(answer: str, is_right: Callable[[str], bool]) -> bool:
    """Whether the first item is the answer with what belongs to it: "a dry climate with hot summers, ..."."""
    first = _COMMA.split(answer, maxsplit=1)[0]
    return _WITH.search(first) is not None and _STATES.search(first) is not None and is_right(_WITH.split(first)[0])


def _enumerates(references: Sequence[Reference], answer: str) -> bool:
    """Whether an answer is a bare enumeration, though no list is asked for: one of its items may be right by accident.

    "Rayleigh scattering, ocean reflection, ozone, dust" enumerates, and so does "Mars has 2 moons and 3".
    """
    if len(answer) > 1000:
        return False
    if all(reference.type == "number" for reference in references):
        return _AND_NUMBER.search(answer) is not None
    if any(reference.type != "phrase" for reference in references):
        return False
    items = [item.strip() for item in _COMMA.split(answer) if item.strip()]
    most = max(len(_COMMA.split(reference.answer)) for reference in references)
    if len(items) < SHOTGUN or len(items) <= most:
        return False
    return not any(_CLAUSE.search(item) or len(item.split()) > 10 for item in items[1:])
