"""open-instruct: a verifier named `webscale`, for rows whose `dataset` is that word.

open-instruct builds every subclass of its VerifierFunction that was imported before it starts, so import this module
first (docs/trainers.md has the three lines). It is no package of an index: install it from its repository.

open-instruct takes a number for every rollout: one that nobody can decide gets 0.0, with the reason in `reasoning`.
"""

from __future__ import annotations

from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import JudgeAt, Rollout

try:
    from open_instruct.ground_truth_utils import VerificationResult, VerifierFunction
except ImportError as error:
    raise rollout.not_installed("open_instruct", "clone github.com/allenai/open-instruct", error) from error

NAME = "webscale"


class WebscaleVerifier(VerifierFunction):  # type: ignore[misc]
    """Grades a response against its label, a ground truth. Its asynchronous call is the base class's: in a thread.

    Set `judge` before open-instruct starts to have a judge asked about what the rules cannot tell.
    """

    judge: JudgeAt | None = None

    def __init__(self, verifier_config: Any = None) -> None:
        super().__init__(NAME, weight=1.0, verifier_config=verifier_config)
        self.judge = type(self).judge  # of the object: a Ray worker unpickles it, and has the class as it is written

    def __call__(
        self,
        tokenized_prediction: list[int],
        prediction: str,
        label: Any,
        query: str | None = None,
        rollout_state: dict[str, Any] | None = None,
    ) -> VerificationResult:
        """A VerificationResult with score 1.0 or 0.0, and the rule that decided as `reasoning`."""
        row = Rollout(rollout.without_marks(prediction), rollout.plain(label), query or None)
        (verdict,) = rollout.decide_all([row], self.judge)
        return VerificationResult(score=rollout.reward_of(verdict), reasoning=verdict.how)
