"""Decontamination: no question of the dataset asks what an evaluation benchmark asks.

The paper removes what overlaps the benchmarks "in the manner of lm-evaluation-harness", runs of 13 words. Questions are
shorter than that, so there are rules for less; `contamination.py` has them all. The benchmarks that come with the
package are there as hashes; your own are files. The answers are evidence as well: a short question that is nearly the
benchmark's is left alone if its answer is another one, and goes on less overlap if its answer is the same.

Not covered: translations and paraphrases in other words, answers without their question, items of few letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from webscale_rl.errors import ConfigError
from webscale_rl.sieve import Examples, Rejected, SieveOptions
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.benchmark_files import benchmarks
from webscale_rl.sieves.contamination import packaged
from webscale_rl.sieves.matcher import CONTAINS, NEAR, SAME, SHARED_RUN, Matcher, Near
from webscale_rl.sieves.narrow import narrowed

USUAL = Near()
TOGETHER = 1 << 21
"""Bytes of questions and answers that are looked up together, in an index of the items that they can meet."""


class DecontaminateOptions(SieveOptions):
    """What the configuration can set."""

    benchmarks: tuple[str, ...] | None = Field(
        None, description="names of packaged benchmarks (decontamination.md); default: all of them"
    )
    paths: tuple[str, ...] = Field((), description="benchmarks of your own: files, or folders of them")
    near_share: float = Field(
        USUAL.share, ge=0, le=1, description="share of a question's pairs of words that makes a text of its length one"
    )
    longer_share: float = Field(USUAL.longer_share, ge=0, le=1, description="the same for a longer text")


class Decontaminate:
    """Finds questions that a benchmark asks. What it holds does not grow with the examples."""

    name: ClassVar[str] = "decontaminate"
    reasons: ClassVar[frozenset[str]] = frozenset({SAME, CONTAINS, SHARED_RUN, NEAR})
    Options: ClassVar[type[SieveOptions]] = DecontaminateOptions

    def __init__(self, options: SieveOptions) -> None:
        self.options = options
        if not isinstance(options, DecontaminateOptions):
            raise TypeError("options of another sieve")
        self._named = [*(packaged() if options.benchmarks is None else options.benchmarks), *options.paths]
        strangers = sorted({*(options.benchmarks or ())} - {*packaged()})
        if strangers:
            known = ", ".join(packaged())
            raise ConfigError(f"sieving.decontaminate.benchmarks: there is no {strangers[0]!r}; known: {known}")
        for path in options.paths:
            if not Path(path).exists():
                raise ConfigError(f"sieving.decontaminate.paths: {path}: no such file or folder")
        self._near = USUAL._replace(
            share=options.near_share,
            short_share=max(USUAL.short_share, options.near_share),
            longer_share=options.longer_share,
        )

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """The examples whose question a benchmark asks."""
        known: list[Benchmark] = []
        for rows, questions, answers in _batches(examples):
            known = known or benchmarks(self._named)
            matcher = Matcher(narrowed(known, questions), self._near)
            for row, hit in zip(rows, matcher.find(questions, answers), strict=True):
                if hit is not None:
                    yield Rejected(row, hit.reason, hit.detail)


def _batches(examples: Examples) -> Iterator[tuple[list[int], Sequence[str], Sequence[str]]]:
    """Rows, questions and answers, so many at a time that narrowing the benchmarks to them is worth its while."""
    rows: list[int] = []
    questions: list[str] = []
    answers: list[str] = []
    held = 0
    for numbers, batch in examples.batches(("question", "answer")):
        rows += numbers
        questions += batch.column("question").to_pylist()
        answers += batch.column("answer").to_pylist()
        held += batch.nbytes
        if held >= TOGETHER:
            yield rows, questions, answers
            rows, questions, answers, held = [], [], [], 0
    if rows:
        yield rows, questions, answers
