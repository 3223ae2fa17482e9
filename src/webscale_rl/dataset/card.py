"""The dataset card: what is in the dataset, how it was made, what is known to be wrong with it.

No dates and no durations: the same run writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webscale_rl.target import Beyond

COLUMNS = {
    "id": "digest of document, persona, question and answer",
    "question": "asked without the document",
    "answer": "the ground truth: short, and checkable against the evidence",
    "answer_type": "number, quantity, money, percentage, date, range, list, yes_no, choice, person, name, code, formula"
    " or phrase",
    "reference": "the answer as the reward reads it, as JSON: type, and unit, tolerance, aliases, order if it has them",
    "domain": "the domain of the document",
    "persona": "for whom the question was written",
    "evidence": "words of the document that prove the answer",
    "document_id": "the document's id in the corpus",
    "source": "the document's source, if the corpus names one",
    "url": "the document's URL, if the corpus names one",
    "pretrain_text": "the document's text, unless the run left it out",
    "metadata": "the document's other columns, as JSON",
    "generator": "backend and model that wrote the pair",
    "checker": "backend and model that checked it",
    "difficulty": "pass rate without the document, 0 to 1, if it was measured",
    "created_with": "name and version of the software",
}
"""The columns and what they mean, in their order."""


def card(summary: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """The text of the card. It starts with the YAML that the hub and `datasets` read."""
    config = record["config"]
    pairs, documents = summary["pairs"], summary["documents"]
    backend = config["backend"]
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files: part-*.parquet",
        "task_categories:",
        "- question-answering",
        "tags:",
        "- reinforcement-learning",
        "- verifiable-rewards",
        "- synthetic",
        "- webscale-rl",
        "---",
        "",
        "# Verified question-answer pairs",
        "",
        f"{pairs['kept']:,} pairs from {documents['seen']:,} documents, made with webscale-rl {record['webscale_rl']}"
        " after the pipeline of arXiv 2510.06499.",
        "",
        f"- backend: {backend['use']}" + (f", model: {backend['model']}" if backend.get("model") else ""),
        f"- stages: {', '.join(config['pipeline'])}; then {', '.join(config['sieves']) or 'no sieve'}",
        f"- seed: {config['seed']}",
        "",
        "The documents keep their own licences; see `source`, `url` and `metadata`.",
        "",
        *_limits(backend["use"]),
        "## Columns",
        "",
        "| column | meaning |",
        "|---|---|",
        *(f"| {name} | {meaning} |" for name, meaning in COLUMNS.items()),
        "",
        "## What became of every record",
        "",
        *_funnel(summary["funnel"]),
        *_balance(summary.get("sieving", {}).get("balance", {})),
    ]
    lines += _difficulty(summary.get("difficulty"))
    for column, title in (("domain", "Domains"), ("answer_type", "Answer types")):
        lines += [f"## {title}", "", f"| {column} | pairs |", "|---|---|"]
        lines += [f"| {value} | {count:,} |" for value, count in summary[column].items()]
        lines.append("")
    return "\n".join(lines)


def _difficulty(told: Mapping[str, Any] | None) -> list[str]:
    if told is None:
        return []
    times = "once" if told["samples"] == 1 else f"{told['samples']:,} times"
    warmth = "the server's temperature" if told["temperature"] is None else f"temperature {told['temperature']:g}"
    solved = ("never", "sometimes", "always", "undecided", "not_measured")
    return [
        "## Difficulty",
        "",
        f"Each question was put to {told['model']} {times} without the document, at {warmth}; the rate is of the"
        " answers that the rules could decide.",
        "",
        "| solved | pairs |",
        "|---|---|",
        *(f"| {word.replace('_', ' ')} | {told[word]:,} |" for word in solved),
        "",
    ]


def _funnel(funnel: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table. Of a run that aimed at quotas, only what follows the cut: before it, numbers differ with timing."""
    cut = next((at for at, row in enumerate(funnel) if row["stage"] == Beyond.name), None)
    if cut is not None:
        yield "Documents of domains that were full were left out. From the examples that were made until then:"
        yield ""
        funnel = funnel[cut + 1 :]
    yield "| stage | unit | seen | kept | dropped | failed |"
    yield "|---|---|---|---|---|---|"
    for row in funnel:
        dropped, failed = sum(row["dropped"].values()), sum(row["failed"].values())
        yield f"| {row['stage']} | {row['unit']} | {row['seen']:,} | {row['kept']:,} | {dropped:,} | {failed:,} |"
    yield ""


def _balance(balance: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[str]:
    for column, values in balance.items():
        yield f"## Balance by {column}"
        yield ""
        yield f"| {column} | wanted | found | kept |"
        yield "|---|---|---|---|"
        for value, count in values.items():
            yield f"| {_cell(value)} | {count['wanted']:,} | {count['found']:,} | {count['kept']:,} |"
        yield ""


def _cell(value: str) -> str:
    return " ".join(value.replace("|", "\\|").split())


def _limits(backend: str) -> list[str]:
    if backend != "extractive":
        return []
    return [
        "The questions were made by rules from single sentences, by no language model: many are cloze questions."
        " They suit first experiments and masked-span tasks; they are narrower than a model's.",
        "",
    ]
