"""Bradley-Terry: from who won against whom to a strength for each, on a logarithmic scale.

P(i beats j) = e^s_i / (e^s_i + e^s_j). The strengths are those that make the outcomes most likely, found by the
minorisation-maximisation steps of D. Hunter, "MM algorithms for generalized Bradley-Terry models" (Annals of Statistics
32, 2004, section 3); a tie counts as half a win for both. Everyone has tied once more with a player of strength 0, a
prior that keeps who never lost finite. In the end the scale is shifted: its zero is the mean of the anchors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
PRIOR_GAMES = 1.0
STEPS = 2000
PRECISION = 1e-7


def strengths(first: Places, second: Places, won: Floats, players: int, anchors: Places) -> Floats:
    """Each player's strength. `won` is what the first of each pair won: 1, 0, or 0.5 for a tie. The mean strength of
    the `anchors` is 0; without any, everyone is one."""
    if not players:
        return np.zeros(0)
    fixed = anchors if len(anchors) else np.arange(players)
    wins = np.bincount(first, won, players) + np.bincount(second, 1 - won, players) + PRIOR_GAMES / 2
    scores: Floats = np.zeros(players)
    for _ in range(STEPS):
        power = np.exp(scores)
        shared = 1 / (power[first] + power[second])
        games = np.bincount(first, shared, players) + np.bincount(second, shared, players) + PRIOR_GAMES / (power + 1)
        after = np.log(wins / games)
        moved = np.abs(after - scores).max()
        scores = after
        if moved < PRECISION:
            break
    shifted: Floats = scores - scores[fixed].mean()
    return shifted
