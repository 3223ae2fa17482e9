"""The ground truth as the reward reads it: its wording, its type, and what belongs to the type. Typed once, when the
pair is made, and stored with it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast, get_args

import msgspec

from webscale_rl.reward.shape import candidates
from webscale_rl.types import AnswerType

if TYPE_CHECKING:
    from webscale_rl.reward.verdict import Match

TYPES: tuple[AnswerType, ...] = get_args(AnswerType)

ORDER: tuple[AnswerType, ...] = (
    "choice",
    "yes_no",
    "percentage",
    "money",
    "date",
    "range",
    "number",
    "quantity",
    "formula",
    "code",
    "list",
    "person",
    "name",
    "phrase",
)
"""In which order the kinds are asked what an answer is: the narrower before the wider. A letter is a choice only if the
question has options; 1969 is a date only if a year was asked for; what nothing else knows is a phrase."""

_SURE = frozenset({"choice", "yes_no", "percentage", "money", "date", "range", "number", "quantity", "phrase"})
_READS_AS = {"list": re.compile(r"[^\s,;\n](?:[,;\n]|\s(?:and|or)\s)\s*\S"), "code": re.compile(r"^\S+(?: \S+){0,2}$")}
"""What these kinds do not take for their own unasked, but may well be: two items, a plain word."""
_TERM = re.compile(r"[-+]?\d{0,6}[a-z](?:[a-z])?(?:\s?/\s?\d{1,4})?|[a-z]\s?/\s?\d{1,4}")
_MATHEMATICS = re.compile(
    r"\b(?:derivative|differentiate|integra(?:l|te)|antiderivative|simplify|expand|factori[sz]e|factor|polynomial"
    r"|expression|in terms of|coefficient|equation|d/d[a-z])\b|\w\^\d|\$[^$]+\$",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?!)")
LONGEST = 2_000
"""Characters of a ground truth that is typed by its wording. What is longer is a phrase."""


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One short ground truth.

    `unit` is the canonical unit of a quantity or the currency of money, "" if it has none. `tolerance` is relative
    (0.01 is one per cent), 0 for exact. `aliases` are other wordings that are right too, such as an abbreviation that
    the question gives. `ordered` says of a list that its order matters.
    """

    answer: str
    type: AnswerType
    unit: str = ""
    tolerance: float = 0.0
    aliases: tuple[str, ...] = ()
    ordered: bool = False


GroundTruth = str | Reference | Mapping[str, Any] | Sequence[str | Reference | Mapping[str, Any]]
"""One reference or several, each as plain text, as a Reference, or in its stored form."""


class Kind(Protocol):
    """What a module in `kinds/` has."""

    def infer(self, answer: str, question: str = "") -> Reference | None:
        """The reference, if this wording is surely of this kind."""

    def compare(self, reference: Reference, answer: str, question: str = "") -> Match:
        """Whether the answer means the same."""


@cache
def kind(name: AnswerType) -> Kind:
    """The module in `kinds/` for a type, imported when it is first used."""
    return cast("Kind", importlib.import_module(f"webscale_rl.reward.kinds.{name}"))


@lru_cache(maxsize=1024)
def infer(answer: str, question: str = "", hint: str | None = None) -> Reference:
    """The reference that a plain ground truth is. Pure; what was inferred is remembered.

    `hint` is a type that somebody gave, such as the model that wrote the pair. It is believed if the answer reads as
    that kind; otherwise the kinds are asked in ORDER. What is called a phrase may still be a value: everything reads as
    a phrase.
    """
    if len(answer) > LONGEST or not answer.strip():
        return Reference(answer, "phrase")
    order = ORDER
    if hint == "phrase":
        order = tuple(name for name in ORDER if name in _SURE)
    elif hint in TYPES:
        found = kind(hint).infer(answer, question)
        if found is None and _READS_AS.get(hint, _NEVER).search(answer):
            found = Reference(answer, hint)
        if found is not None:
            return found
    if _TERM.fullmatch(answer.strip()) and _MATHEMATICS.search(question):
        return Reference(answer, "formula")  # "2k" elsewhere may be two thousand
    for name in candidates(order, answer, question):
        found = kind(name).infer(answer, question)
        if found is not None:
            return found
    return Reference(answer, "phrase")


def references(ground_truth: GroundTruth, question: str = "", answer_type: str | None = None) -> tuple[Reference, ...]:
    """All references of a ground truth, typed. A string may be the stored form of one, see `to_json`.

    Raises ValueError for a stored form with an unknown type or field, TypeError for what is no ground truth at all.
    """
    if isinstance(ground_truth, str):
        return (_read(ground_truth, question, answer_type),)
    if isinstance(ground_truth, Reference):
        return (ground_truth,)
    if isinstance(ground_truth, Mapping):
        return (_converted(ground_truth),)
    if not isinstance(ground_truth, Sequence):
        raise TypeError(f"a ground truth is text, a Reference or several of them, not {type(ground_truth).__name__}")
    return tuple(one for item in ground_truth for one in references(item, question, answer_type))


def to_json(reference: Reference) -> str:
    """The stored form: a compact JSON object, fields at their defaults left out."""
    return msgspec.json.encode(reference).decode()


def from_json(text: str) -> Reference:
    """The reference that `to_json` stored. Raises ValueError: names the field, and the types that there are."""
    try:
        return _converted(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise ValueError(f"a stored reference is a JSON object: {error}") from None


def _read(text: str, question: str, answer_type: str | None) -> Reference:
    """Plain text, or the stored form if it is one to the letter: a ground truth may be JSON itself."""
    if text.startswith('{"answer":'):
        try:
            return from_json(text)
        except ValueError:
            pass
    return infer(text, question, answer_type)


def _converted(stored: Any) -> Reference:
    if not isinstance(stored, Mapping):
        raise ValueError(f"a stored reference is an object with answer and type, not {type(stored).__name__}")
    if (unknown := sorted(set(map(str, stored)) - set(Reference.__struct_fields__))) != []:
        raise ValueError(f"a stored reference has no {unknown[0]!r}; known: {', '.join(Reference.__struct_fields__)}")
    if stored.get("type") not in TYPES:
        raise ValueError(f"type: there is no {stored.get('type')!r}; known: {', '.join(TYPES)}")
    try:
        return msgspec.convert(dict(stored), Reference)
    except msgspec.ValidationError as error:
        raise ValueError(f"a stored reference that cannot be read: {error}") from None
