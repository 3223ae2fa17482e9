"""A histogram of durations that can be stored, merged, and asked for percentiles.

Buckets grow by a constant ratio, so that every percentile is told within RELATIVE_ERROR of its value, whatever the
values are, and the histogram of a whole is that of its parts added up, bucket by bucket. This is DDSketch without its
limit on the number of buckets (C. Masson, J. Rim, H. Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019): from a microsecond to a day there are no more than 631.
"""

from __future__ import annotations

import math

import msgspec

RELATIVE_ERROR = 0.02
FLOOR_S = 1e-6
"""What is shorter counts as this."""

PERCENTILES = (50, 95, 99)

_RATIO = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_BUCKET = 1 / math.log(_RATIO)


class Histogram(msgspec.Struct):
    """`buckets` holds, for each i, how many values lie in (ratio**(i-1), ratio**i], in seconds."""

    buckets: dict[int, int] = {}

    @property
    def count(self) -> int:
        """How many values it holds."""
        return sum(self.buckets.values())

    def add(self, seconds: float) -> None:
        """Count one value."""
        bucket = math.ceil(math.log(max(seconds, FLOOR_S)) * _PER_BUCKET)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all that the other holds."""
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def percentile(self, percent: float) -> float:
        """The smallest value that is not below `percent` of them (the nearest-rank definition), in seconds, within
        RELATIVE_ERROR. Raises ValueError if the histogram is empty."""
        rank = max(1, math.ceil(self.count * percent / 100))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return 2 * _RATIO**bucket / (_RATIO + 1)
        raise ValueError("an empty histogram has no percentiles")

    def percentiles(self) -> dict[str, float]:
        """p50, p95 and p99 in seconds, to four digits; nothing of an empty histogram."""
        if not self.buckets:
            return {}
        return {f"p{percent}": float(f"{self.percentile(percent):.4g}") for percent in PERCENTILES}
