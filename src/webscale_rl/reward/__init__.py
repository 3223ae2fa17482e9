"""One reward for checking data, training and scoring: is the final answer of a response right?"""

from __future__ import annotations

from webscale_rl.reward.reference import Reference
from webscale_rl.reward.verdict import Match, Verdict

__all__ = ["Match", "Reference", "Verdict"]
