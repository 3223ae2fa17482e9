"""The reward under watch: TRL trains on silently when nothing is ever rewarded, and this says so.

A step in which no response got a verdict teaches nothing; after `undecided_steps` of them in a row the training stops
and says which verdicts were given. A step in which the rewards of every group are all equal has no advantage; after
`flat_steps` of them in a row a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from webscale_rl.errors import TrainingError
from webscale_rl.reward import trl
from webscale_rl.reward.verdict import Verdict
from webscale_rl.training.books import Books
from webscale_rl.training.grading import Grader
from webscale_rl.training.recipe import GrpoRecipe

_MOST_TOLD = 4


class WatchedReward:
    """A reward function for TRL's GRPOTrainer: rows as our hook for TRL reads them, graded and watched."""

    __name__ = "webscale_rl"

    def __init__(self, recipe: GrpoRecipe, books: Books, grader: Grader) -> None:
        self._recipe, self._books, self._grader = recipe, books, grader
        self._undecided = self._flat = 0
        self._why: Counter[str] = Counter()

    def __call__(
        self,
        *,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """The rewards of one step's responses. Raises TrainingError if there were none for too many steps."""
        self._books.counts.rollout += sum(map(len, completion_ids))
        rows = [row for row in trl.rollouts(prompts, completions, columns) if row is not None]
        verdicts = self._grader.grade(rows)
        if log_metric is not None:
            log_metric("rewards/undecided", sum(verdict.score is None for verdict in verdicts) / len(verdicts))
        scores = [None if verdict.score is None else float(verdict.score) for verdict in verdicts]
        self._watch_verdicts(verdicts)
        self._watch_signal(scores)
        return scores

    def _watch_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        if any(verdict.score is not None for verdict in verdicts):
            self._undecided = 0
            self._why.clear()
            return
        self._undecided += 1
        self._why.update(verdict.how for verdict in verdicts)
        if self._undecided >= self._recipe.undecided_steps:
            told = ", ".join(f"{why} ({count:,})" for why, count in self._why.most_common(_MOST_TOLD))
            raise TrainingError(
                f"no response of {self._undecided} steps in a row got a reward, so nothing is learned; the verdicts"
                f" were {told}. Check the ground truths of the data (docs/reward.md says what a verdict means),"
                " or let a judge decide: --set judge.model=M"
            )

    def _watch_signal(self, scores: Sequence[float | None]) -> None:
        size = self._recipe.samples
        groups = [set(scores[at : at + size]) - {None} for at in range(0, len(scores), size)]
        if any(len(group) > 1 for group in groups):
            self._flat = 0
            return
        self._flat += 1
        if self._flat == self._recipe.flat_steps:
            decided = [score for score in scores if score is not None]
            mean = f"mean {sum(decided) / len(decided):.2f}" if decided else "none"
            self._books.note(
                f"no signal: for {self._flat} steps all responses to each question got the same reward ({mean}),"
                " so every advantage is 0; take questions of another difficulty, more samples, or warm up with SFT"
            )
