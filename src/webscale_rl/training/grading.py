"""The reward of responses in a training: by the rules, and by a judge, if there is one, where they cannot tell.

The judge's answers are kept in DIR/judge: a training that goes on does not pay for them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from webscale_rl.backend import BackendError
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE
from webscale_rl.errors import RunStopped
from webscale_rl.ledger import Ledger
from webscale_rl.reward.blocking import BlockingJudge
from webscale_rl.reward.judge import Judge
from webscale_rl.reward.rollout import Rollout, decide
from webscale_rl.reward.verdict import Verdict
from webscale_rl.training.recipe import JudgeOptions

JUDGE_FOLDER = "judge"


class Grader(AbstractContextManager["Grader"]):
    """Grades responses, and knows what its judge has cost."""

    def __init__(self, judge: JudgeOptions, folder: Path) -> None:
        self._options, self._folder = judge, folder / JUDGE_FOLDER
        self._judge: Judge | None = None
        self._blocking = BlockingJudge(self._make)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocking.close()

    def grade(self, responses: Sequence[Rollout]) -> list[Verdict]:
        """The verdicts, in order. Raises ConfigError or RunStopped if the judge cannot be opened."""
        verdicts = [decide(response) for response in responses]
        unsure = [place for place, verdict in enumerate(verdicts) if verdict.score is None]
        if self._options.model is None or not unsure:
            return verdicts
        try:
            asked = self._blocking.grade_all(responses[place] for place in unsure)
        except BackendError as error:
            raise RunStopped(f"judge: {error}", RESUMABLE if error.resumable else WRONG_USAGE) from error
        for place, verdict in zip(unsure, asked, strict=True):
            verdicts[place] = verdict
        return verdicts

    def spent(self) -> Ledger:
        """What all of the judge's calls took, in this process and those before it."""
        if self._judge is None and self._options.model is not None and self._folder.exists():
            self._blocking.grade_all([])  # reads what earlier processes paid for
        if self._judge is None:
            return Ledger()
        calls = self._judge.spent
        usd = None if calls.unpriced else calls.usd
        return Ledger(judged=calls.prompt_tokens + calls.completion_tokens, usd=usd)

    def _make(self) -> Judge:
        assert self._options.model is not None
        self._judge = Judge.openai(self._options.model, self._options.base_url, journal=self._folder)
        return self._judge
