"""The reward under watch: TRL trains on silently when nothing is ever rewarded, and this says so.

A step in which no response got a verdict teaches nothing; after `undecided_steps` of them in a row the training stops
and says which verdicts were given. A step in which every group's rewards are all equal has no advantage; after
`flat_steps` of them in a row a note says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from webscale_rl.errors import TrainingError
from webscale_rl.reward import trl
from webscale_rl.training.books import Books
from webscale_rl.training.recipe import GrpoRecipe

_MOST_TOLD = 4


class WatchedReward:
    """A reward function for TRL's GRPOTrainer."""

    __name__ = "webscale_rl"

    def __init__(self, recipe: GrpoRecipe, books: Books) -> None:
        self._recipe = recipe
        self._books = books
        self._judged = None if recipe.judge is None else trl.judged(recipe.judge.model, recipe.judge.base_url)
        self._undecided = self._flat = 0
        self._why: Counter[str] = Counter()

    def __call__(self, *, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """The rewards of one step's responses. Raises TrainingError if there were none for too many steps."""
        self._books.counts.rollout += sum(len(ids) for ids in columns.get("completion_ids") or ())
        reasons: list[str] = []
        log_extra = columns.pop("log_extra", None)

        def note(name: str, values: list[str]) -> None:
            if name == "how":
                reasons.extend(values)
            if log_extra is not None:
                log_extra(name, values)

        scores = self._graded(prompts=prompts, completions=completions, log_extra=note, **columns)
        self._watch_verdicts(scores, reasons)
        self._watch_signal(scores)
        return scores

    def _graded(self, **columns: Any) -> list[float | None]:
        if self._judged is not None:
            return asyncio.run(self._judged(**columns))
        return trl.reward(**columns)

    def _watch_verdicts(self, scores: Sequence[float | None], reasons: Sequence[str]) -> None:
        if any(score is not None for score in scores):
            self._undecided = 0
            self._why.clear()
            return
        self._undecided += 1
        self._why.update(reasons)
        if self._undecided >= self._recipe.undecided_steps:
            told = ", ".join(f"{why} {count:,}" for why, count in self._why.most_common(_MOST_TOLD))
            raise TrainingError(
                f"no response of {self._undecided} steps in a row got a reward, so nothing is learned; the verdicts:"
                f" {told}. Check the column of the ground truth (docs/reward.md says what each verdict means),"
                " or let a judge decide: --set judge.model=M"
            )

    def _watch_signal(self, scores: Sequence[float | None]) -> None:
        size = self._recipe.samples
        groups = [
            {score for score in scores[at : at + size] if score is not None} for at in range(0, len(scores), size)
        ]
        if any(len(group) > 1 for group in groups):
            self._flat = 0
            return
        self._flat += 1
        if self._flat == self._recipe.flat_steps:
            decided = [score for score in scores if score is not None]
            mean = f"{sum(decided) / len(decided):.2f}" if decided else "none"
            self._books.note(
                f"no signal: for {self._flat} steps all responses to each question got the same reward (mean {mean}),"
                " so every advantage is 0; take questions of another difficulty, more samples, or warm up with SFT"
            )
