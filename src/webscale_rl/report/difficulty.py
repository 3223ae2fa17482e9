"""How hard a dataset's questions are for a model, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from webscale_rl.report.text import clean, dollars

_MEANING = {
    "never": "too hard, or wrong",
    "sometimes": "what reinforcement learning learns from",
    "always": "known already, or guessed",
    "undecided": "no answer that the rules could decide: no difficulty",
    "not_measured": "not asked",
}


def difficulty_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """How many questions are solved how often, what the answers came to, and what they cost."""
    count = sum(told[word] for word in _MEANING)
    yield f"{'solved':<14} {'questions':>9}"
    for word, meaning in _MEANING.items():
        share = f"{100 * told[word] / count:.0f} %" if count else ""
        yield f"{word.replace('_', ' '):<14} {told[word]:>9,} {share:>6}  {meaning}"
    mean = "" if told["mean"] is None else f"; mean rate {told['mean']:.3f}"
    yield f"{count:,} questions, {told['samples']:,} samples each by {clean(told['model'], 80)}{mean}"
    ends = told["answers"]
    shown = " + ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in ends.items())
    yield f"samples: {sum(ends.values()):,} = {shown}"
    if told["usd"] is None:
        yield "cost: unknown, for no price is known of a model at this server; add `price:` to the run's configuration"
    else:
        yield f"calls answered: {told['calls']:,}; cost: {dollars(told['usd'])}"
    if told["failures"]:
        failures = ", ".join(f"{kind} {count:,}" for kind, count in told["failures"].items())
        yield f"failures: {failures}; run again to ask them again"
    yield f"dataset: {told['dataset']}"
