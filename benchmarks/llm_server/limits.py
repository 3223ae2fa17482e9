"""Rate limits as OpenAI enforces and announces them: requests and prompt tokens a minute, refilled continuously.

    x-ratelimit-limit-requests: 600      x-ratelimit-remaining-requests: 599      x-ratelimit-reset-requests: 100ms
    x-ratelimit-limit-tokens: 150000     x-ratelimit-remaining-tokens: 149984     x-ratelimit-reset-tokens: 6m0s

Simpler than the original in one thing: it counts a prompt's tokens, not what the answer might cost beside them.
"""

from __future__ import annotations

import math


class Bucket:
    """A bucket that holds `limit` units and is filled in `window_s` seconds."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self._rate = limit / window_s
        self._level = float(limit)
        self._at = -math.inf

    def level(self, now: float) -> float:
        """What it holds."""
        if self._at > -math.inf:
            self._level = min(float(self.limit), self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def wait_s(self, units: float, now: float) -> float:
        """Seconds until it holds so much. What is more than a full bucket waits for a full one."""
        return max(0.0, (min(units, self.limit) - self.level(now)) / self._rate)

    def take(self, units: float, now: float) -> None:
        """Take so much out."""
        self._level = self.level(now) - units

    def headers(self, kind: str, now: float) -> str:
        """The three headers of this limit, as lines."""
        level = self.level(now)
        return (
            f"x-ratelimit-limit-{kind}: {self.limit}\r\n"
            f"x-ratelimit-remaining-{kind}: {max(0, int(level))}\r\n"
            f"x-ratelimit-reset-{kind}: {duration(self.wait_s(self.limit, now))}\r\n"
        )


class Limits:
    """Both limits of a server; None is no limit."""

    def __init__(self, rpm: int | None, tpm: int | None, window_s: float) -> None:
        self._requests = Bucket(rpm, window_s) if rpm else None
        self._tokens = Bucket(tpm, window_s) if tpm else None

    def refuse(self, tokens: int, now: float) -> tuple[str, float] | None:
        """Which limit refuses a request of so many tokens and for how many seconds; None if it passes, and is charged.

        A refused request is not charged."""
        costs = (("requests", self._requests, 1), ("tokens", self._tokens, tokens))
        for kind, bucket, units in costs:
            if bucket is not None and (wait := bucket.wait_s(units, now)) > 1e-9:
                return kind, wait
        for _, bucket, units in costs:
            if bucket is not None:
                bucket.take(units, now)
        return None

    def headers(self, now: float) -> str:
        """The headers of all limits, as lines."""
        asked = (("requests", self._requests), ("tokens", self._tokens))
        return "".join(bucket.headers(kind, now) for kind, bucket in asked if bucket is not None)


def duration(seconds: float) -> str:
    """Seconds as OpenAI writes them: 120ms, 1.5s, 6m0s, 1h0m0s."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown
