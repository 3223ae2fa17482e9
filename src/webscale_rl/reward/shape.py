"""What a wording cannot be, told from its characters alone, so that few kinds need be asked what it is.

`candidates` leaves a kind out only where the kind's `infer` would say None: a gate, never a judgement. Text that is not
ASCII passes every gate. Each costs a microsecond; a kind that is asked costs ten to fifty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from webscale_rl.reward.maths.lexemes import FUNCTIONS
from webscale_rl.reward.number_words import VOCABULARY
from webscale_rl.reward.proper import PARTICLES
from webscale_rl.types import AnswerType

_WORD = re.compile(r"[a-z]+")
_DIGIT = re.compile(r"\d")
_CALENDAR = frozenset(
    "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun noo mid spr sum aut fal win ear lat"
    " beg end tod".split()
)
"""How the words of the calendar begin."""
_TRUTH = re.compile(r"\W*(?:yes|no|true|false|correct|incorrect|right|wrong)(?![^\W_])", re.IGNORECASE)
_SECOND_OPTION = re.compile(r"[Bb2]\s?[).:\]]|(?:^|\n)\s{0,8}B[ ]")
_JOINT = re.compile(r"[,;\n>&\[\]{}]|\b(?:and|plus|as well as|then|followed by)\b|\d[.)]", re.IGNORECASE)
_CAPITAL = re.compile(r"[A-Z]")
_PROSE = re.compile(r"[A-Za-z]{3,}(?:[ ,.'-]{1,3}[A-Za-z]{3,}|,? (?:of|in|on|to|by|at|is|it|an|or|as)(?= ))*\.?")
_INNER_CAPITAL = re.compile(r"[A-Za-z][A-Z]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z ,'-]*\.?")
_COMMAND = re.compile(
    r"(?:git|docker|npm|pip|ls|cd|sudo|apt|apt-get|kubectl|chmod|chown|grep|curl|wget|python|node|cargo|make|ssh|scp|tar"
    r"|ps|kill|cat|mkdir|rm|mv|cp|find|sed|awk|systemctl|brew|yarn|go|rustc|gcc|mvn|terraform|helm|aws|gcloud|psql"
    r"|mysql)\s"
)
_LANGUAGES = "python java typescript c++ sql html css bash linux unix git npm docker rust golang".split()


def candidates(order: Sequence[AnswerType], answer: str, question: str) -> Sequence[AnswerType]:
    """The kinds that could take this answer for their own, in the given order. What is left out is sure, what is left
    in is not."""
    if not answer.isascii():
        return order
    figures = _says_a_number(answer)
    out = set() if figures else set(_NUMERIC)
    out.update(name for name, gate in _GATES if not gate(answer, question))
    if "name" in out and not figures and answer.strip() not in PARTICLES:
        out.add("person")
    return [name for name in order if name not in out]


def _says_a_number(answer: str) -> bool:
    if _DIGIT.search(answer):
        return True
    words = _WORD.findall(answer.lower())
    return not (VOCABULARY.isdisjoint(words) and _CALENDAR.isdisjoint(word[:3] for word in words))


def _option(answer: str, question: str) -> bool:
    return _SECOND_OPTION.search(question) is not None if question.strip() else len(answer.strip()) <= 4


def _truth(answer: str, question: str) -> bool:
    return _TRUTH.match(answer) is not None


def _formula(answer: str, question: str) -> bool:
    """Not prose: signs, digits, lone letters, two capitals in a word, names of functions."""
    if _PROSE.fullmatch(answer.strip()) is None or _INNER_CAPITAL.search(answer):
        return True
    return not FUNCTIONS.isdisjoint(_WORD.findall(answer))


def _code(answer: str, question: str) -> bool:
    text = answer.strip()
    if _PLAIN.fullmatch(text) is None:
        return True
    if " " in text:
        return _COMMAND.match(text) is not None
    if _INNER_CAPITAL.search(text) or text[0].isupper():
        return text.isupper() or _INNER_CAPITAL.search(text) is not None or "formula" in question.casefold()
    asked = question[:2000].casefold()  # looked for one by one: ten times as quick as one expression that ignores case
    return any(word in asked for word in _LANGUAGES) or "formula" in question.casefold()


def _list(answer: str, question: str) -> bool:
    return _JOINT.search(answer) is not None


def _named(answer: str, question: str) -> bool:
    return _CAPITAL.search(answer) is not None


_NUMERIC: tuple[AnswerType, ...] = ("percentage", "money", "date", "range", "number", "quantity")
_GATES: tuple[tuple[AnswerType, Callable[[str, str], bool]], ...] = (
    ("choice", _option),
    ("yes_no", _truth),
    ("formula", _formula),
    ("code", _code),
    ("list", _list),
    ("name", _named),
)
