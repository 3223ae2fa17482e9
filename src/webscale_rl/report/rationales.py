"""What became of the questions that were held out, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from webscale_rl.report.text import clean, dollars

MOST_SHOWN = 2


def rationale_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """How many documents were held out, what became of their questions, what it cost, and where all of it lies."""
    yield (
        f"held out: {told['documents']:,} documents with {told['asked']:,} of {told['of']:,} pairs"
        f" (no more than {told['count']:,}, nor than {100 * told['share']:g} %)"
    )
    dropped = sum(told["dropped"].values())
    ends = f"{told['kept']:,} kept + {dropped:,} dropped + {told['failed']:,} failed"
    yield f"rationales: {told['asked']:,} asked = {ends}"
    for word, count in sorted(told["dropped"].items(), key=lambda item: (-item[1], item[0])):
        yield f"  {word:<15} {count:>7,}"
    yield f"written by: {clean(told['generator'], 80)}"
    if told["usd"] is None:
        yield "cost: unknown, for no price is known of a model at this server; add `price:` to the run's configuration"
    else:
        yield f"calls answered: {told['calls']:,}; cost: {dollars(told['usd'])}"
    if told["failures"]:
        failures = ", ".join(f"{kind} {count:,}" for kind, count in told["failures"].items())
        yield f"failures: {failures}; run again to ask them again"
    yield f"held out: {told['held_out']}"
    yield f"dataset: {told['dataset']}"


def shown(dataset: Path) -> Iterator[str]:
    """The first rationales of a dataset, cut to a few lines of a screen."""
    from itertools import islice

    from webscale_rl.dataset.writer import dataset_batches

    batches = dataset_batches(dataset, ("question", "rationale", "answer"))
    for row in islice((row for batch in batches for row in batch.to_pylist()), MOST_SHOWN):
        yield ""
        yield f"  question   {clean(row['question'], 400)}"
        yield f"  rationale  {clean(row['rationale'], 600)}"
        yield f"  answer     {clean(row['answer'], 200)}"
