"""A small world to write about: invented towns with facts that nobody can guess, and sums that anybody can work out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

CONSONANTS, VOWELS = "bdfghklmnprstvz", "aeiou"
THINGS = ("bells", "caps", "jars", "keys", "lamps", "nails", "pots", "rods")
YEARS = (1100, 1899)
FIRST, SECOND = (100, 996), (1, 2)
"""Both summands lie in these, ends included: 897 times 2 sums."""
RELATIONS = ("river", "founded", "mayor")


class Fact(NamedTuple):
    """What is so of a town."""

    town: str
    relation: str
    value: str


class Town(NamedTuple):
    """A town, and what is so of it."""

    name: str
    river: str
    founded: str
    mayor: str

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All three, in the order of `RELATIONS`."""
        return tuple(Fact(self.name, relation, getattr(self, relation)) for relation in RELATIONS)


class Sum(NamedTuple):
    """A sum of things of one kind."""

    first: int
    second: int
    things: str

    @property
    def total(self) -> int:
        """What it comes to."""
        return self.first + self.second


def name(draw: random.Random, syllables: int = 2) -> str:
    """A name of so many syllables: about 10 bits for two."""
    pairs = ((draw.choice(CONSONANTS), draw.choice(VOWELS)) for _ in range(syllables))
    return "".join(consonant + vowel for consonant, vowel in pairs).capitalize() + draw.choice("klmnrst")


def town(draw: random.Random) -> Town:
    """A town that is drawn anew."""
    return Town(name(draw), name(draw), str(draw.randint(*YEARS)), name(draw))


def towns(draw: random.Random, count: int, taken: frozenset[str] = frozenset()) -> list[Town]:
    """So many towns, no two of one name, and none of a name that is taken."""
    found: dict[str, Town] = {}
    while len(found) < count:
        one = town(draw)
        if one.name not in taken:
            found.setdefault(one.name, one)
    return list(found.values())


def sums(draw: random.Random) -> list[tuple[int, int]]:
    """All pairs of summands, in a random order."""
    pairs = [(first, second) for first in range(FIRST[0], FIRST[1] + 1) for second in range(SECOND[0], SECOND[1] + 1)]
    draw.shuffle(pairs)
    return pairs


def with_things(draw: random.Random, pairs: list[tuple[int, int]]) -> Iterator[Sum]:
    """The sums, each of things that are drawn."""
    return (Sum(first, second, draw.choice(THINGS)) for first, second in pairs)
