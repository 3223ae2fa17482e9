"""What is known of one attempt at a call when it has ended: for events, percentiles and metrics."""

from __future__ import annotations

import msgspec

from webscale_rl.backend import Usage

OK = "ok"


class Call(msgspec.Struct, frozen=True):
    """One attempt. Never holds text or a key.

    `time` is its end in Unix seconds; `attempt` counts from 1; `queue_s` is the wait for a slot, `latency_s` the time
    from the send to the answer; `outcome` is OK, or the kind of the BackendError or of the Unusable that it was.
    """

    time: float
    stage: str
    model: str
    endpoint: str
    attempt: int
    queue_s: float
    latency_s: float
    usage: Usage
    outcome: str
