"""What a run may spend, in money, tokens and hours; reached, it stops resumably, and the calls in flight come home.

Money and tokens count from the run's first call, whatever process made it; hours from the start of this process.
Nothing is cut off: a cap is overshot by the calls in flight when it was reached, and by no more.
"""

from __future__ import annotations

from collections.abc import Callable

from webscale_rl.backend import Usage
from webscale_rl.config import CapOptions
from webscale_rl.engine.stop import Stop

Price = Callable[[str, Usage], float | None]
"""US dollars of one call: model and usage. A stage that is capped in money has a price: `Parts` sees to that."""
ALL = ""


class Caps:
    """Spending against the caps. The empty stage name stands for the whole run."""

    def __init__(self, options: CapOptions, price: Price, stop: Stop) -> None:
        self._stop = stop
        self._price = price
        self._limits = options.limits
        self._usd = dict.fromkeys(self._limits, 0.0)
        self._tokens = dict.fromkeys(self._limits, 0)

    def spend(self, stage: str, model: str, usage: Usage, usd: float | None = None) -> None:
        """Count a call. `usd` is what was paid, if known."""
        tokens = usage.prompt_tokens + usage.completion_tokens
        if usd is None:
            usd = self._price(model, usage) or 0.0
        for name in (ALL, stage):
            if name in self._limits:
                self._usd[name] += usd
                self._tokens[name] += tokens

    def require(self, stage: str) -> None:
        """Stop the run if a call of this stage would be above a cap: what needs no call is done all the same."""
        for name in (ALL, stage):
            if name in self._limits:
                self._look(name)

    def _look(self, name: str) -> None:
        most_usd, most_tokens = self._limits[name]
        where, flag = (f"stage {name}: ", f"caps.stages.{name}.") if name else ("", "--max-")
        if most_usd is not None and self._usd[name] >= most_usd:
            self._stop.request(
                f"{where}the cap of ${most_usd:g} is reached (${self._usd[name]:.4g} spent);"
                f" raise {flag}usd and run again to go on",
                grace_s=None,
            )
        if most_tokens is not None and self._tokens[name] >= most_tokens:
            self._stop.request(
                f"{where}the cap of {most_tokens:,} tokens is reached ({self._tokens[name]:,} spent);"
                f" raise {flag}tokens and run again to go on",
                grace_s=None,
            )
