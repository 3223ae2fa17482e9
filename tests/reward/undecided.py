"""Rows that the rules leave to a judge. Which those are is the rules' business, so they are looked up, not assumed."""

from __future__ import annotations

from functools import cache
from typing import Any

from webscale_rl.reward import reward

_CANDIDATES = (
    ("What causes the tides?", "the gravitational pull of the Moon", "lunar gravity"),
    ("How do plants make their food?", "by means of the energy of light", "by harnessing the light of the sun"),
    ("Why did the bridge fail?", "metal fatigue in an eyebar", "a tired metal eyebar"),
    ("What does the drug do?", "it lowers blood pressure", "it brings down hypertension, that is, high pressure"),
    ("What did he study?", "the behaviour of light in crystals", "crystal optics"),
)


@cache
def undecided() -> tuple[str, str, str]:
    """A question, its ground truth and an answer that no rule decides."""
    for question, truth, answer in _CANDIDATES:
        if reward(f"Answer: {answer}", truth, question).score is None:
            return question, truth, answer
    raise AssertionError("the rules decide all candidates: add some that they leave open")


def rows(count: int) -> list[dict[str, Any]]:
    """So many of them, each with a question of its own."""
    question, truth, answer = undecided()
    return [
        {"question": f"{i}. {question}", "ground_truth": truth, "response": f"Answer: {answer}"} for i in range(count)
    ]
