"""Rows that the rules leave to a judge. Which those are is the rules' business, so they are looked up, not assumed."""

from __future__ import annotations

from functools import cache
from typing import Any

from webscale_rl.reward import reward

_CANDIDATES = (
    ("What does the drug do?", "it lowers blood pressure", "it reduces hypertension"),
    ("Why is the sky blue?", "Rayleigh scattering", "shorter wavelengths are scattered more by the air"),
    ("What is the function of red blood cells?", "to carry oxygen to the body's tissues", "oxygen transport"),
    ("What did the council decide?", "to postpone the vote", "the vote was put off"),
    ("How do plants make their food?", "by means of the energy of light", "by harnessing the light of the sun"),
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
