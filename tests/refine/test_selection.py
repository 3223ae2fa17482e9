"""The best documents stay, as many as the budget holds, and not one more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from webscale_rl.refine.selection import EVERYONE, Ranked, mark, ranked, stays


def chosen(scores: list[float], tokens: list[int], budget: int, temperature: float = 0.0, seed: int = 0) -> list[int]:
    keys = ranked(np.array(scores), np.arange(len(scores)), np.array(tokens), temperature, seed)

    def chunks() -> Iterator[Ranked]:
        for at in range(0, len(scores), 7):
            yield keys[0][at : at + 7], keys[1][at : at + 7], keys[2][at : at + 7]

    return np.flatnonzero(stays(keys, mark(chunks, budget))).tolist()


@pytest.mark.parametrize("seed", range(10))
def test_it_is_what_sorting_would_find(seed: int) -> None:
    chance = np.random.default_rng(seed)
    scores = np.round(chance.normal(size=200), 1).tolist()
    tokens = chance.integers(1, 500, 200).tolist()
    order = sorted(range(200), key=lambda at: -scores[at])
    for budget in (0, 1, 700, 20_000, sum(tokens) - 1, sum(tokens), 10**9):
        found = chosen(scores, tokens, budget)
        assert sum(tokens[at] for at in found) <= budget
        worst = min((scores[at] for at in found), default=np.inf)
        assert all(at in found for at in order if scores[at] > worst), "none that stays is worse than one that goes"
        left = [at for at in order if at not in found]
        if left:
            best = max(scores[at] for at in left)
            candidates = [tokens[at] for at in left if scores[at] == best]
            assert max(candidates) + sum(tokens[at] for at in found) > budget, "and one more would not fit"
        else:
            assert budget >= sum(tokens)


def test_all_that_fits_stays() -> None:
    keys = ranked(np.array([1.0, -2.0]), np.arange(2), np.array([3, 4]), 0.0, 0)
    assert mark(lambda: iter([keys]), 7) == EVERYONE
    assert mark(lambda: iter([]), 7) == EVERYONE


def test_equals_are_told_apart_by_the_seed() -> None:
    one, other = (chosen([1.0] * 50, [1] * 50, 10, seed=seed) for seed in (0, 1))
    assert len(one) == len(other) == 10
    assert one != other
    assert one == chosen([1.0] * 50, [1] * 50, 10, seed=0)


def test_a_temperature_draws_by_the_score() -> None:
    scores = [0.0] * 500 + [1.0] * 500
    counts = [
        sum(at >= 500 for at in chosen(scores, [1] * 1000, 100, temperature, 5)) for temperature in (0.1, 1.0, 50.0)
    ]
    assert counts[0] == 100
    assert 62 <= counts[1] <= 84, "e/(1 + e) = 73 %"
    assert 36 <= counts[2] <= 64
