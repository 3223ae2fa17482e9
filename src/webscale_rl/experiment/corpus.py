"""The texts of the experiment, all made here: documents, what a base model reads before, and the panels' questions.

Documents tell true things: three facts of a town, or three sums; some have the furniture of a web page around them, and
some are nothing else. The base model's text speaks of other towns, and of the same sums in a messy way: an equation is
right, but told or asked in words most of them are wrong, and the commonest mistake is to come out one short. So a base
model knows the form of every question, can work a sum out, samples the right total now and then, and knows no fact of
the corpus.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from webscale_rl.experiment.wording import TYPES, WORDINGS, ask, other, tell
from webscale_rl.experiment.world import Fact, Sum, Town, sums, towns, with_things
from webscale_rl.training import prompting
from webscale_rl.types import Document

PER_DOCUMENT = 3
_TOWNS_AT, _JUNK_AT = (0, 2, 4), 6
RIGHT, ONE_SHORT = 0.25, 0.45
"""How often the base model's text gives a sum in words right, and one short; else it is anywhere near."""
OTHERWISE = (-10, -3, -2, 1, 2, 3, 10)
_MENU = ("Home | News | About | Contact", "Menu | Login | Search | Help", "Home | Shop | Cart | Contact")
_FOOT = (
    "Share this page",
    "All rights reserved.",
    "Copyright 2019",
    "Click here to subscribe!",
    "Print | Email | Save",
)
_JUNK = ("Best lamps! Buy now! Click here!", "Page 2 of 7", "Advertisement", "Low prices! Order today!", "Follow us on")


class World(NamedTuple):
    """All that one seed's experiment speaks of. `known` are the towns of the base model's text; `told` are the sums
    of the corpus, `held_out` those that only the panel asks for."""

    seed: int
    known: list[Town]
    towns: list[Town]
    told: list[tuple[int, int]]
    held_out: list[tuple[int, int]]


def make_world(seed: int, documents: int, known: int, held_out: int) -> World:
    """The world of a seed. `documents` are those of the largest corpus."""
    draw = random.Random(f"world {seed}")
    every = sums(draw)
    before = towns(draw, known)
    taken = frozenset(one.name for one in before)
    return World(seed, before, towns(draw, documents, taken), every[held_out:], every[:held_out])


def documents(world: World, count: int) -> list[Document]:
    """The first so many documents of the corpus: a smaller corpus is the beginning of a larger one. Of eight that
    follow one another three tell of a town, four tell sums, and one is junk."""
    found = []
    for number in range(count):
        draw = random.Random(f"document {world.seed} {number}")
        if number % 8 == _JUNK_AT:
            text = "\n".join(draw.sample(_MENU + _FOOT + _JUNK, 4))
        elif number % 8 in _TOWNS_AT:
            text = _framed(draw, _town_told(draw, world.towns[number]))
        else:
            text = _framed(draw, _sums_told(draw, world))
        found.append(Document(f"{world.seed}-{number:05d}", text, source="experiment"))
    return found


def town_facts(world: World, count: int) -> list[Fact]:
    """The facts that the first so many documents tell."""
    told = (world.towns[number] for number in range(count) if number % 8 in _TOWNS_AT)
    return [fact for town in told for fact in town.facts]


def _town_told(draw: random.Random, town: Town) -> str:
    return " ".join(tell(fact, draw.randrange(WORDINGS)) for fact in town.facts)


def _sums_told(draw: random.Random, world: World) -> str:
    told = with_things(draw, draw.sample(world.told, PER_DOCUMENT))
    return " ".join(tell(one, draw.randrange(WORDINGS)) for one in told)


def _framed(draw: random.Random, text: str) -> str:
    """The text, three times out of ten with a menu or a foot of a page."""
    if draw.random() < 0.7:
        return text
    return f"{draw.choice(_MENU)}\n{text}" if draw.random() < 0.5 else f"{text}\n{draw.choice(_FOOT)}"


def skill_questions(world: World, count: int) -> list[dict[str, Any]]:
    """Sums that no document tells, as rows of a suite."""
    draw = random.Random(f"skill {world.seed}")
    chosen = with_things(draw, world.held_out[:count])
    return [{"question": ask(one, other(one)), "answer": str(one.total), "answer_type": "number"} for one in chosen]


def fact_questions(world: World, documents_told: int, count: int) -> list[dict[str, Any]]:
    """Facts that the first so many documents tell, as rows of a suite: all of them, or a sample. They are asked in
    another wording than the pipeline's pairs."""
    facts = town_facts(world, documents_told)
    if len(facts) > count:
        facts = random.Random(f"facts {world.seed}").sample(facts, count)
    return [
        {"question": ask(fact, other(fact)), "answer": fact.value, "answer_type": TYPES[fact.relation]}
        for fact in facts
    ]


def base_text(world: World, draw: random.Random) -> str:
    """A text such as the base model learns from."""
    pick = draw.random()
    pair = draw.choice(world.told) if draw.random() < 0.8 else draw.choice(world.held_out)
    one = next(with_things(draw, [pair]))
    if pick < 0.2:
        return f"{one.first} + {one.second} = {one.total}"
    if pick < 0.35:
        return tell(one, draw.randrange(WORDINGS), _messy(draw, one))
    if pick < 0.65:
        return asked_and_answered(ask(one, draw.randrange(WORDINGS)), str(_messy(draw, one)))
    town = draw.choice(world.known)
    if pick < 0.85:
        fact = draw.choice(town.facts)
        return asked_and_answered(ask(fact, draw.randrange(WORDINGS)), fact.value)
    if pick < 0.98:
        return _framed(draw, _town_told(draw, town))
    return draw.choice(_MENU + _FOOT + _JUNK)


def asked_and_answered(question: str, answer: str) -> str:
    """A question with its answer, as training and evaluation put them to a model without a chat template."""
    before = prompting.prompt(question)
    after, _ = prompting.completion_of(prompting.messages(question), answer)
    return before + after


def _messy(draw: random.Random, one: Sum) -> int:
    pick = draw.random()
    if pick < RIGHT:
        return one.total
    return one.total - 1 if pick < RIGHT + ONE_SHORT else one.total + draw.choice(OTHERWISE)
