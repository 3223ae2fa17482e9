"""Requests and tokens per minute: from the configuration, or from what a server's `x-ratelimit-*` headers say is left.

Pure: the clock is the caller's. A configured limit is a token bucket that holds a second's worth, so that calls are
spread over the minute. What the headers say is left (OpenAI's, which other vendors and gateways send too) is spent
down, and at nothing left the endpoint rests until the reset that they name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

KINDS = ("requests", "tokens")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 3600.0
_REMAINING = {kind: f"x-ratelimit-remaining-{kind}" for kind in KINDS}


class Bucket:
    """A limit per minute. Starts with a second's worth, at least one call."""

    def __init__(self, per_minute: float) -> None:
        self._per_s = per_minute / 60.0
        self._most = max(self._per_s, 1.0)
        self._level = self._most
        self._at = 0.0

    def free_at(self, now: float) -> float:
        """When the next call may go. A call may overdraw the bucket: a large one waits no longer than a small one."""
        self._fill(now)
        return now if self._level >= 1.0 else now + (1.0 - self._level) / self._per_s

    def take(self, amount: float) -> None:
        """Spend. A negative amount gives back what a call turned out not to need."""
        self._level = min(self._level - amount, self._most)

    def _fill(self, now: float) -> None:
        self._level = min(self._level + (now - self._at) * self._per_s, self._most) if self._at else self._level
        self._at = now


class Rates:
    """The limits of one endpoint. `rpm` and `tpm` are configured; the rest is learned from the headers."""

    def __init__(self, rpm: float | None, tpm: float | None) -> None:
        self._buckets = {kind: Bucket(limit) for kind, limit in zip(KINDS, (rpm, tpm), strict=True) if limit}
        self._left: dict[str, tuple[float, float]] = {}
        """What the headers left over, and until when that holds."""

    @property
    def known(self) -> bool:
        """Whether there is any limit to look at."""
        return bool(self._buckets or self._left)

    def free_at(self, now: float) -> float:
        """When the next call may go; `now` or before if at once."""
        at = now
        for bucket in self._buckets.values():
            at = max(at, bucket.free_at(now))
        for kind, (left, until) in list(self._left.items()):
            if until <= now:
                del self._left[kind]
            elif left < 1:
                at = max(at, until)
        return at

    def take(self, tokens: float) -> None:
        """A call of about so many tokens is sent."""
        for kind, amount in (("requests", 1.0), ("tokens", tokens)):
            if kind in self._buckets:
                self._buckets[kind].take(amount)
            if kind in self._left:
                left, until = self._left[kind]
                self._left[kind] = left - amount, until

    def settle(self, expected: float, actual: float) -> None:
        """What a call took, when that is known."""
        if "tokens" in self._buckets:
            self._buckets["tokens"].take(actual - expected)

    def learn(self, headers: Mapping[str, str], now: float, in_flight: int) -> None:
        """Read the headers of an answer. `in_flight` other calls may not be in the server's count yet."""
        for kind, remaining in _REMAINING.items():
            said = headers.get(remaining)
            if said is None:
                continue
            reset = span_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
            try:
                left = float(said)
            except ValueError:
                continue
            if reset is None or not left >= 0:
                continue
            if kind == "requests":
                left -= in_flight
            self._left[kind] = left, now + min(reset, LONGEST_S)


def span_s(text: str) -> float | None:
    """Seconds of a header's span: "6m0s", "120ms", "1.5"; None if it is none."""
    text = text.strip()
    parts = _SPAN.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e9 else None
