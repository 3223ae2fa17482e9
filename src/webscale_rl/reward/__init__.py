"""One reward for checking data, training and scoring: is the final answer of a response right?

    from webscale_rl.reward import reward

    reward("So the answer is \\boxed{\\frac{1}{2}}.", "0.5").score  # 1

`reward` decides by rules: pure, in well under a millisecond, and None when it cannot tell. `judge.py` asks a model
then.
"""

from __future__ import annotations

from webscale_rl.reward.reference import GroundTruth, Reference, from_json, infer, references, to_json
from webscale_rl.reward.rule import reward
from webscale_rl.reward.verdict import Match, Verdict

__all__ = ["GroundTruth", "Match", "Reference", "Verdict", "from_json", "infer", "references", "reward", "to_json"]
