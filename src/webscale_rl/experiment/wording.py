"""How facts and sums are told and asked, and how they are read back. Each has two wordings, called 0 and 1.

A panel asks in the other wording than the pair did (`other`), so that no question of a test was ever trained on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from webscale_rl.experiment.world import Fact, Sum
from webscale_rl.types import content_id

WORDINGS = 2
TOLD = {
    "river": ("{town} is a town on the river {value}.", "{town} lies on the river {value}."),
    "founded": ("{town} was founded in {value}.", "Settlers founded {town} in {value}."),
    "mayor": ("The mayor of {town} is {value}.", "{town} has the mayor {value}."),
}
ASKED = {
    "river": ("Which river flows through {town}?", "What river flows through {town}?"),
    "founded": ("In what year was {town} founded?", "In which year was {town} founded?"),
    "mayor": ("Who is the mayor of {town}?", "What mayor has the town of {town}?"),
}
SUM_TOLD = (
    "{first} {things} and {second} {things} are {total} {things}.",
    "Adding {second} {things} to {first} {things} gives {total} {things}.",
)
SUM_ASKED = ("How many are {first} {things} and {second} {things}?", "{first} {things} and {second} more are how many?")
TYPES = {"river": "name", "founded": "date", "mayor": "person"}


class Statement(NamedTuple):
    """A sentence of a document that was read: its words, and the fact or the sum with its total as told."""

    text: str
    about: Fact | Sum
    value: str


def tell(about: Fact | Sum, wording: int, total: int | None = None) -> str:
    """The sentence that says it; a sum may be told with another total than its own."""
    if isinstance(about, Fact):
        return TOLD[about.relation][wording].format(town=about.town, value=about.value)
    return SUM_TOLD[wording].format(**about._asdict(), total=about.total if total is None else total)


def ask(about: Fact | Sum, wording: int) -> str:
    """The question for it."""
    if isinstance(about, Fact):
        return ASKED[about.relation][wording].format(town=about.town)
    return SUM_ASKED[wording].format(**about._asdict())


def own(about: Fact | Sum) -> int:
    """The wording in which the pipeline asks for it: a digest of what it is, so that both come about equally often."""
    key = about[:2] if isinstance(about, Fact) else (str(about.first), str(about.second), about.things)
    return int(content_id("wording", *map(str, key))[:8], 16) % WORDINGS


def other(about: Fact | Sum) -> int:
    """A wording in which the pipeline does not ask for it."""
    return 1 - own(about)


def statements(text: str) -> Iterator[Statement]:
    """All that a text says in these wordings, in its order."""
    for match in _statement().finditer(text):
        kind, values = _values(match)
        if kind == "sum":
            yield Statement(
                match[0], Sum(int(values["first"]), int(values["second"]), values["things"]), values["total"]
            )
        else:
            yield Statement(match[0], Fact(values["town"], kind, values["value"]), values["value"])


def asked(question: str) -> tuple[str, ...] | None:
    """What a question is about, as `subject` says it; None if it is in none of the wordings."""
    match = _question().fullmatch(question.strip())
    if match is None:
        return None
    kind, values = _values(match)
    return ("sum", values["first"], values["second"]) if kind == "sum" else (kind, values["town"])


def subject(about: Fact | Sum) -> tuple[str, ...]:
    """What is asked for when it is asked for."""
    if isinstance(about, Fact):
        return about.relation, about.town
    return "sum", str(about.first), str(about.second)


_SHAPES = {"town": "[A-Z][a-z]+", "value": r"[A-Z][a-z]+|\d{4}", "things": "[a-z]+"}


@cache
def _statement() -> re.Pattern[str]:
    return _pattern({**TOLD, "sum": SUM_TOLD})


@cache
def _question() -> re.Pattern[str]:
    return _pattern({**ASKED, "sum": SUM_ASKED})


def _pattern(wordings: dict[str, tuple[str, ...]]) -> re.Pattern[str]:
    """One pattern for all wordings; a group is named by the kind, the wording and the slot."""
    return re.compile(
        "|".join(_one(f"{kind}_{at}", text) for kind, texts in wordings.items() for at, text in enumerate(texts))
    )


def _one(label: str, template: str) -> str:
    pieces = re.split(r"\{(\w+)\}", template)
    seen: set[str] = set()
    made = []
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            made.append(re.escape(piece))
        elif piece in seen:
            made.append(f"(?P={label}_{piece})")
        else:
            seen.add(piece)
            made.append(rf"(?P<{label}_{piece}>\b(?:{_SHAPES.get(piece, '[0-9]{1,3}')}))")
    return "".join(made)


def _values(match: re.Match[str]) -> tuple[str, dict[str, str]]:
    found = {key: value for key, value in match.groupdict().items() if value is not None}
    kind = next(iter(found)).split("_")[0]
    return kind, {key.split("_")[2]: value for key, value in found.items()}
