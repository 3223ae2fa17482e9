"""An index of what some texts can meet finds in them what the index of all finds."""

from __future__ import annotations

import random

import pytest

from tests.sieves.test_decontaminate import ITEMS, OTHERS
from webscale_rl.sieves import narrow
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.contamination import Index
from webscale_rl.sieves.matcher import LONGEST, Matcher
from webscale_rl.sieves.narrow import narrowed

WORDS = sorted({word for text in OTHERS for word in text.split()})
FORMS = [
    f"In which year was the famous {one} of {other} first shown?" for one, other in zip(WORDS, WORDS[9:], strict=False)
]
BENCHMARKS = [
    Benchmark.of("ours", [(one, "42") for one in ITEMS[::2]]),
    Benchmark.of("form", [(one, "1900") for one in FORMS[:200]]),
    Benchmark.of("theirs", [(one, "") for one in ITEMS[1::2]]),
]
WHOLE = Index(BENCHMARKS)


def changed(text: str, rng: random.Random) -> str:
    words = text.split()
    for at in rng.sample(range(len(words)), rng.randrange(len(words) // 2)):
        words[at] = rng.choice(WORDS)
    return rng.choice([" ", " ", ""]).join(words)


def texts(seed: int) -> list[str]:
    rng = random.Random(seed)
    asked = [changed(one, rng) for one in rng.sample([*ITEMS, *FORMS], 60)]
    inside = [f"{rng.choice(OTHERS)} {one} {rng.choice(OTHERS)}" for one in rng.sample(asked, 10)]
    return rng.sample([*asked, *inside, *rng.sample(OTHERS, 40), "", "?"], rng.choice([1, 7, 60, 112]))


@pytest.mark.parametrize("seed", range(12))
def test_it_finds_what_the_index_of_all_items_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow, "AT_ONCE", 300)  # so that a benchmark is looked at in several pieces
    some = texts(seed)
    assert Matcher(narrowed(BENCHMARKS, some)).find(some) == Matcher(WHOLE).find(some)


def test_items_that_no_text_can_meet_are_left_out() -> None:
    left = narrowed(BENCHMARKS, [ITEMS[0], "Nothing of that kind"])
    assert 1 <= len(left.items) < len(WHOLE.items) / 4


def test_a_very_long_text_is_looked_at_in_parts() -> None:
    text = "blah " * (LONGEST // 4) + ITEMS[0]
    assert Matcher(narrowed(BENCHMARKS, [text])).find([text]) == Matcher(WHOLE).find([text])
    assert Matcher(WHOLE).find([text]) != [None]


def test_no_texts_and_no_benchmarks_are_an_index_of_nothing() -> None:
    assert len(narrowed(BENCHMARKS, []).items) == 0
    assert Matcher(narrowed([], ["What is that?"])).find(["What is that?"]) == [None]
