"""Two runs side by side: what differs between them, and whether it is more than chance would do.

sample.py       documents of both runs, and what became of them      settings.py   configurations, and what was paid
counts.py       yields, distributions, pairs per document            overlap.py    questions that both have
diversity.py    how much questions differ from one another           vectors.py    the vectors for that
words.py        words that one run uses more                         chance.py     intervals and verdicts
lines.py        all of it as text
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webscale_rl.errors import ConfigError
from webscale_rl.normalise import tokens
from webscale_rl.report.compare import diversity
from webscale_rl.report.compare.chance import Finding, grouped, judged
from webscale_rl.report.compare.counts import Counts, counted, jensen_shannon
from webscale_rl.report.compare.overlap import shared
from webscale_rl.report.compare.sample import Asked, Sampled, common, read_run
from webscale_rl.report.compare.settings import differences, paid
from webscale_rl.report.compare.vectors import hashed
from webscale_rl.report.compare.words import Word, telling

SAMPLE = 5000
HASHED = "hashed words and pairs of words"
MOST_PERSONAS = 8


@dataclass(frozen=True)
class Options:
    """How two runs are compared: on so many documents of each, drawn by the seed, and with which vectors."""

    sample: int = SAMPLE
    seed: int = 0
    vectors: Callable[[Sequence[str]], diversity.Vectors] = hashed
    vectors_name: str = HASHED


def compare(a: Path, b: Path, options: Options | None = None) -> dict[str, Any]:
    """All that differs between two finished runs, as JSON wants it. Raises ConfigError if one is none."""
    options = options or Options()
    first, second = common(*(read_run(folder, options.sample, options.seed) for folder in (a, b)))
    for run in (first, second):
        if not run.pairs:
            raise ConfigError(f"{run.folder}: no pair in its dataset; there is nothing to compare")
    counts = counted(first, second, shared(first.pairs, second.pairs), options.seed)
    diverse, groups = _diversity(first.pairs, second.pairs, options)
    columns = {name: column.finding for name, column in counts.columns.items()}
    verdicts = iter(judged([*counts.yields, *columns.values(), *diverse]))
    yields = [next(verdicts).plain() for _ in counts.yields]
    distances = {name: next(verdicts).plain() for name in columns}
    return {
        "a": str(a),
        "b": str(b),
        "sample": {
            "documents": [len(run.documents) for run in (first, second)],
            "of": [run.summary["documents"]["seen"] for run in (first, second)],
            "in_both": counts.shared_documents,
            "pairs": [len(run.pairs) for run in (first, second)],
        },
        "configuration": differences(first.record, second.record),
        "yield": yields,
        "distributions": {name: distances[name] | _spread(counts, name) for name in columns},
        "diversity": {
            **groups,
            "vectors": options.vectors_name,
            "measures": [one.plain() for one in verdicts],
        },
        "personas": _personas(first, second),
        "words": {
            "personas": _words(first, second, lambda pair: pair.persona),
            "questions": _words(first, second, lambda pair: pair.question),
        },
        "overlap": [one.plain() for one in counts.overlap],
        "cost": {"a": paid(first.summary), "b": paid(second.summary)},
    }


def _spread(counts: Counts, name: str) -> dict[str, Any]:
    column = counts.columns[name]
    values = {value: [one, other] for value, one, other in column.values if one or other}
    return {
        "in_sample": column.in_sample,
        "by_chance_below": column.by_chance,
        "jensen_shannon_bits": jensen_shannon(column.values),
        "values": values,
    }


def _diversity(
    a: Sequence[Asked], b: Sequence[Asked], options: Options
) -> tuple[list[Finding], dict[str, int | list[int] | None]]:
    """The findings, and how large the groups were and how many."""
    size = diversity.group_size(a, b)
    if size is None:
        return [], {"questions_per_group": None, "groups": [0, 0]}
    cuts = [diversity.cut(pairs, size) for pairs in (a, b)]
    asked = [pair.question for groups in cuts for group in groups for pair in group]
    vectors = options.vectors(asked)
    measured, at = [], 0
    for groups in cuts:
        rows = []
        for group in groups:
            rows.append(diversity.measured(group, vectors[at : at + size]))
            at += size
        measured.append(np.array(rows, np.float64))
    findings = [
        grouped(name, measured[0][:, place], measured[1][:, place], options.seed)
        for place, name in enumerate(diversity.MEASURES)
    ]
    return findings, {"questions_per_group": size, "groups": [len(groups) for groups in cuts]}


def _personas(*runs: Sampled) -> dict[str, Any]:
    """How many personas there are among equally many pairs, how concentrated, and which come most often."""
    size = min(len(run.pairs) for run in runs)
    told: dict[str, Any] = {"pairs": size, "distinct": [], "effective": [], "most": []}
    seen: list[dict[str, int]] = []
    for run in runs:
        counts: dict[str, int] = {}
        for pair in run.pairs[:size]:
            counts[pair.persona] = counts.get(pair.persona, 0) + 1
        shares = np.array([*counts.values()], np.float64) / size
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        told["distinct"].append(len(counts))
        told["effective"].append(float(np.exp(-(shares * np.log(shares)).sum())))
        told["most"].append([[persona, count / size] for persona, count in ordered[:MOST_PERSONAS]])
        seen.append(counts)
    told["in_both"] = len(seen[0].keys() & seen[1].keys())
    return told


def _words(a: Sampled, b: Sampled, text: Callable[[Asked], str]) -> Mapping[str, list[dict[str, Any]]]:
    def words(run: Sampled) -> list[list[tuple[str, ...]]]:
        return [[tokens(said) for said in {text(pair) for pair in document.pairs}] for document in run.documents]

    def plain(found: Sequence[Word]) -> list[dict[str, Any]]:
        return [{"word": one.word, "z": one.z, "share_a": one.a, "share_b": one.b} for one in found]

    ours, theirs = telling(words(a), words(b))
    return {"a": plain(ours), "b": plain(theirs)}
