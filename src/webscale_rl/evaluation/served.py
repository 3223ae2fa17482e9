"""A local suite put to a served model: a run of its own in OUT/served/NAME, as difficulty is measured by one.

Its documents are the questions, its personas the samples. So answers are journalled, retried, capped and resumed as in
any run. The prompt is `closed_book.md`, as for difficulty: the question in a fence, the answer between tags.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from webscale_rl.backend import Text
from webscale_rl.engine.closed_book import SAMPLES_PER_SHARD, ClosedBook, Samples
from webscale_rl.evaluation.local import Answer, Graded, Question
from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.results import RowFailed
from webscale_rl.ledger import Ledger, of_summary
from webscale_rl.types import Brief, Document, Pair


class Asked(ClosedBook):
    """Asks the question, and keeps whatever was said: it is graded afterwards."""

    name = ClosedBook.name
    reasons: ClassVar[frozenset[str]] = frozenset()

    def decide(self, record: Brief, reply: Text) -> list[Pair]:
        """The response, as the pair's evidence."""
        said = json.dumps({"text": reply.text, "end": reply.end})
        return [Pair(record, record.document.text, reply.end, "phrase", said)]


def ask(
    questions: Sequence[Question], model: str, options: Options, max_tokens: int, folder: Path
) -> tuple[Graded, Ledger]:
    """The graded answers, and what they cost. Raises RowFailed if some did not come, RunStopped at a cap, and what a
    run raises."""
    from webscale_rl.api import run
    from webscale_rl.config import Run

    sampler = options.sampler(max_tokens)
    sampler.check()
    values: dict[str, Any] = {
        "out": str(folder),
        "backend": {"use": "openai", "base_urls": [options.base_url], "model": model},
        "pipeline": [f"{Samples.__module__}:{Samples.__name__}", f"{__name__}:{Asked.__name__}"],
        "stages": {
            "samples": {"samples": sampler.samples},
            "closed_book": {"temperature": sampler.heat, "max_tokens": max_tokens},
        },
        "sieves": [],
        "dataset": {"pretrain_text": False},
        "shard_size": max(1, SAMPLES_PER_SHARD // sampler.samples),
        "traffic": options.traffic,
        "caps": options.caps,
    }
    folder.mkdir(parents=True, exist_ok=True)
    documents = [Document(f"{at:08d}", question.question) for at, question in enumerate(questions)]
    result = run(Run.make(values, "evaluate"), documents, accept_changes=True)
    if result.failed:
        asked = len(questions) * sampler.samples
        raise RowFailed(f"{result.failed:,} of {asked:,} answers did not come; run again to ask for them")
    found = {(int(row.document_id), int(row.persona)): json.loads(row.evidence) for row in result.examples()}
    answers = [
        _graded(question, sample, found[at, sample])
        for at, question in enumerate(questions)
        for sample in range(sampler.samples)
    ]
    books = of_summary(result.summary)
    sampled = sum(calls["completion_tokens"] for calls in result.summary["calls"].values())
    return Graded(tuple(questions), tuple(answers)), Ledger(rollout=sampled, usd=books.usd)


def _graded(question: Question, sample: int, said: dict[str, str]) -> Answer:
    """What a server refused to answer says nothing of the model; what was cut off is graded as it stands."""
    if said["end"] not in ("stop", "length"):
        return Answer(question.question, sample, said["text"], "", "answer/refused", None, cut=False, tokens=0)
    verdict = question.verdict(said["text"])
    told = (verdict.extracted, verdict.how, verdict.score)
    return Answer(question.question, sample, said["text"], *told, cut=said["end"] == "length", tokens=0)
