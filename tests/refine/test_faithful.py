"""A cleaned text takes away and adds nothing."""

from __future__ import annotations

import random

import pytest

from webscale_rl.refine.faithful import _common, infidelity

SOURCE = (
    "Home | News | Login\n"
    "The river Orle rises at 1,034 metres on the slope of Mount Teval. It is not navigable before 14 May.[1]\n"
    "Share this page\n"
    "The bridge at Karsk was built in 1934 by the engineer Anna Holm from local granite, and closed in 1990.\n"
    "Subscribe to our newsletter! We will never sell your address.\n"
)
CLEAN = (
    "The river Orle rises at 1,034 metres on the slope of Mount Teval. It is not navigable before 14 May.\n"
    "The bridge at Karsk was built in 1934 by the engineer Anna Holm from local granite, and closed in 1990.\n"
)


def word(cleaned: str, most: float = 0.9) -> str | None:
    fault = infidelity(cleaned, SOURCE, most)
    return fault and fault[0]


def test_what_only_takes_away_passes() -> None:
    assert word(CLEAN) is None
    assert word(SOURCE) is None
    assert word("the river orle rises at 1,034 metres on the slope of mount teval.\n") is None
    assert word(CLEAN.replace("navigable", "navigabel").replace("not ", "")) is None, "one mended word"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1,034", "1,043"),
        ("1934", "1943"),
        ("Anna Holm", "Berta Holm"),
        ("14 May", "14 June"),
        ("in 1934", "in 1990"),
        ("is not", "is not and never was"),
        ("closed", "not closed"),
        ("local granite", "local granite in the year 1935"),
    ],
)
def test_a_number_a_name_or_a_negation_of_its_own_is_refused(old: str, new: str) -> None:
    changed = CLEAN.replace(old, new)
    assert changed != CLEAN
    assert word(changed) == "adds_facts"


def test_numbers_that_changed_places_are_refused() -> None:
    assert word(CLEAN.replace("1934", "X").replace("1990", "1934").replace("X", "1990")) == "adds_facts"


def test_sentences_of_its_own_are_refused_even_in_the_words_of_the_source() -> None:
    assert word(CLEAN + "This lovely spot is a wonderful place to spend a quiet weekend with friends.") == "adds_text"
    assert word(CLEAN + "the slope of the river was built on the bridge by the local engineer") == "adds_text"
    assert (
        word(CLEAN + CLEAN.replace("1,034", "").replace("14", "").replace("1934", "").replace("1990", ""))
        == "adds_text"
    )


def test_what_leaves_next_to_nothing_is_refused() -> None:
    assert word("") == "removes_too_much"
    assert word("The river Orle.") == "removes_too_much"
    assert word("The river Orle.", most=1.0) is None


def test_cuts_between_many_short_lines_are_no_new_text() -> None:
    source = "\n".join(f"entry {at} of it\nAdvertisement {at}" for at in range(40))
    cleaned = "\n".join(line for line in source.split("\n") if line.startswith("entry"))
    assert infidelity(cleaned, source, 0.9) is None


def test_the_common_subsequence_is_the_longest() -> None:
    def plain(one: list[str], other: list[str]) -> int:
        row = [0] * (len(other) + 1)
        for a in one:
            before = 0
            for at, b in enumerate(other, 1):
                before, row[at] = row[at], before + 1 if a == b else max(row[at], row[at - 1])
        return row[-1]

    chance = random.Random(1)
    for _ in range(200):
        one, other = ([chance.choice("abcd") for _ in range(chance.randrange(30))] for _ in range(2))
        assert _common(one, other) == plain(one, other)
