"""What calls cost in US dollars: by the configuration's `price:`, else by the vendor's list price.

List prices come with the genai-prices package: its table lies inside it, nothing is fetched and nothing is sent. It is
asked for what a vendor charges at a base URL, never for a model's name alone, for anyone may serve a model that is
called like a vendor's. So a server of your own has no price until the configuration gives one.

    prompt tokens        (prompt - cached) x input + cached x cached
    completion tokens    x output; reasoning tokens are among them

Not covered: discounts by time of day that begin during a run, fees for writing a cache, taxes, commitments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from webscale_rl.backend import Usage
from webscale_rl.errors import ConfigError

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

ANY_MODEL = "*"
_MILLION = 1_000_000


class Price(BaseModel):
    """What one model costs, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False, description="a million prompt tokens")
    cached: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="a million prompt tokens found in the server's cache; default: input",
    )
    output: float = Field(ge=0, allow_inf_nan=False, description="a million completion tokens")


class Rates(NamedTuple):
    """US dollars per token, for prompts of more than `above` tokens."""

    above: int
    input: float
    cached: float
    output: float


class Prices:
    """The prices of a run's models. `configured` is by model, or under ANY_MODEL; `factor` is what a backend charges of
    the price (a batch backend half of it); a `free` backend costs nothing."""

    def __init__(
        self,
        configured: Mapping[str, Price],
        *,
        base_urls: Sequence[str] = (),
        factor: float = 1.0,
        free: bool = False,
    ) -> None:
        self._configured = configured
        self._base_urls = tuple(base_urls)
        self._factor = factor
        self._free = free
        self._known: dict[str, tuple[Rates, ...]] = {}

    def usd(self, model: str, usage: Usage) -> float | None:
        """What a call of this model with these tokens costs; None if the model has no price."""
        rates = self._known.get(model)
        if rates is None:
            rates = self._known[model] = self._rates(model)
        prompt = usage.prompt_tokens
        for rate in rates:
            if prompt > rate.above:
                cached = min(usage.cached_tokens, prompt)
                return (prompt - cached) * rate.input + cached * rate.cached + usage.completion_tokens * rate.output
        return None

    def missing(self, models: Iterable[str]) -> list[str]:
        """Those of the models that have no price, sorted."""
        return sorted({model for model in models if self.usd(model, Usage()) is None})

    def require(self, models: Iterable[str], why: str) -> None:
        """Raises ConfigError, which says what to add, if one of the models has no price. `why` names what needs it."""
        missing = self.missing(models)
        if missing:
            lines = [f"{why}: no price is known for {', '.join(missing)} at this server; add to the configuration:"]
            lines += [" price:"]
            lines += [f"   {model}: {{input: USD per million prompt tokens, output: ...}}" for model in missing]
            raise ConfigError("\n".join(lines))

    def _rates(self, model: str) -> tuple[Rates, ...]:
        """The rates of the longest prompts first; none if the model has no price."""
        if self._free:
            return (Rates(-1, 0.0, 0.0, 0.0),)
        configured = self._configured.get(model) or self._configured.get(ANY_MODEL)
        if configured is not None:
            cached = configured.input if configured.cached is None else configured.cached
            rates: tuple[Rates, ...] = (Rates(-1, configured.input, cached, configured.output),)
        else:
            listed = {_listed(model, url) for url in self._base_urls}
            # Servers that charge differently have no common price: which of them answers is not known beforehand.
            rates = listed.pop() if len(listed) == 1 else ()
        scale = self._factor / _MILLION
        return tuple(Rates(rate.above, *(part * scale for part in rate[1:])) for rate in rates)


def plain_prices(value: Any) -> Any:
    """The configuration's `price:` by model: one price without a model's name is that of every model."""
    if isinstance(value, Mapping) and value and not any(isinstance(inner, Mapping | Price) for inner in value.values()):
        return {ANY_MODEL: value}
    return value


def _listed(model: str, base_url: str) -> tuple[Rates, ...]:
    """The vendor's list price per million tokens; empty if the URL is no vendor's or the vendor does not list it."""
    if not base_url.startswith("https://"):  # no vendor's; and the table takes a third of a second to load
        return ()
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return ()
    return _tiers(found.get_prices(datetime.now(UTC)))


def _tiers(price: ModelPrice) -> tuple[Rates, ...]:
    from genai_prices.types import TieredPrices

    full, output = price.input_mtok, price.output_mtok
    if full is None or output is None:
        return ()
    cached = full if price.cache_read_mtok is None else price.cache_read_mtok
    parts = (full, cached, output)
    starts = {-1, *(tier.start for part in parts if isinstance(part, TieredPrices) for tier in part.tiers)}

    def at(part: Any, start: int) -> float:
        if not isinstance(part, TieredPrices):
            return float(part)
        return float(next((tier.price for tier in reversed(part.tiers) if start >= tier.start), part.base))

    return tuple(Rates(start, *(at(part, start) for part in parts)) for start in sorted(starts, reverse=True))
