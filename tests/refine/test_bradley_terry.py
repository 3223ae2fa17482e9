"""Comparisons give back the order that they came of, on one scale for all blocks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from webscale_rl.refine.bradley_terry import strengths
from webscale_rl.refine.qurating import CRITERIA, OpponentsOptions
from webscale_rl.refine.rating import Scores
from webscale_rl.refine.schedule import anchors, matched
from webscale_rl.types import Document

NONE = np.zeros(0, np.int64)


def rank_correlation(one: Any, other: Any) -> float:
    return float(np.corrcoef(np.argsort(np.argsort(one)), np.argsort(np.argsort(other)))[0, 1])


def test_strengths_are_recovered_from_noisy_outcomes() -> None:
    chance = np.random.default_rng(0)
    true = chance.normal(size=100)
    first, second = chance.integers(0, 100, (2, 20_000))
    first, second = first[first != second], second[first != second]
    won = (chance.random(len(first)) < 1 / (1 + np.exp(true[second] - true[first]))).astype(float)
    found = strengths(first, second, won, 100, NONE)
    assert rank_correlation(found, true) > 0.98
    assert np.abs(found - (true - true.mean())).max() < 0.6, "and their distances"


def test_who_never_lost_stays_finite_and_ties_are_even() -> None:
    found = strengths(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([1.0, 1.0, 0.5]), 3, NONE)
    assert np.isfinite(found).all()
    assert found[0] > found[1] == pytest.approx(found[2])


def test_the_anchors_are_the_zero_of_the_scale() -> None:
    found = strengths(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]), 3, np.array([2]))
    assert found[2] == 0
    assert found[0] > found[1] > 0


def rows_of(document: Document, letter: Callable[[str, str], str]) -> list[Mapping[str, Any]]:
    """The outcomes of a document whose judge says this of two texts."""
    rows: list[Mapping[str, Any]] = [{"unit": "document", "end": "kept", "evidence": None}]
    for ordinal, other in document.metadata["opponents"]:
        for order, pair in enumerate(((document.text, other), (other, document.text))):
            answer = letter(*pair) * len(CRITERIA)
            told = {"persona": f"{ordinal}:{order}", "answer": answer, "evidence": str(document.metadata["tokens"])}
            rows.append({"unit": "pair", "end": "kept", **told})
    return rows


def scored(texts: list[str], letter: Callable[[str, str], str], path: Path, **options: Any) -> Any:
    chosen = OpponentsOptions(**options)
    documents = [Document(f"d{at}", text) for at, text in enumerate(texts)]
    drawn = anchors(documents, chosen, 0, None)
    outcomes = [
        (at, rows_of(item, letter))
        for at, item in enumerate(matched(documents, drawn, chosen, 0))
        if isinstance(item, Document)
    ]
    scores = Scores(path)
    scores.rate(outcomes, chosen.block, [anchor.ordinal for anchor in drawn])
    return np.concatenate(list(scores.chunks()))["scores"][:, 0]


def test_a_planted_order_comes_out_also_across_blocks(tmp_path: Path) -> None:
    """Blocks of very different quality: within each, all scores are centred; the anchors tell the blocks apart."""
    chance = random.Random(3)
    quality = [chance.gauss(2.0 * (at // 100), 1) for at in range(400)]
    texts = [f"{value:.9f} words" for value in quality]

    def judge(one: str, other: str) -> str:
        ahead = float(one.split()[0]) - float(other.split()[0])
        return "A" if chance.random() < 1 / (1 + np.exp(-2 * ahead)) else "B"

    found = scored(texts, judge, tmp_path / "scores", block=100, pairs=6, anchors=12)
    assert rank_correlation(found, quality) > 0.93
    means = [found[at : at + 100].mean() for at in range(0, 400, 100)]
    assert means == sorted(means)
    assert means[3] - means[0] > 3


def test_a_judge_who_always_takes_the_first_text_says_nothing(tmp_path: Path) -> None:
    texts = [f"text {at}" for at in range(60)]
    assert np.abs(scored(texts, lambda one, other: "A", tmp_path / "a")).max() < 1e-6
    assert np.abs(scored(texts, lambda one, other: "B", tmp_path / "b")).max() < 1e-6
    clear = scored(texts, lambda one, other: "A" if one > other else "B", tmp_path / "c")
    assert np.ptp(clear) > 3
