"""What is known of one attempt at a call when it has ended, and of the traffic at a moment: for events and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from webscale_rl.backend import Reply, Request, Usage
from webscale_rl.replies import Unusable, parse

OK = "ok"
CANCELLED = "cancelled"
"""It was given up in flight: the run stopped."""


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


Observer = Callable[[Call], None]
"""Is told of every attempt that has ended, in the event loop: it must return within microseconds, and never raise."""


def worth(request: Request, reply: Reply) -> str:
    """The outcome of a call that was answered: OK, or why the answer is of no use."""
    try:
        parse(reply, request.reply_type)
    except Unusable as error:
        return error.kind
    return OK


class EndpointState(msgspec.Struct, frozen=True):
    """One server at a moment: calls in flight, how many it may have at once, whether it takes new ones."""

    in_flight: int
    window: float
    available: bool = True


class TrafficState(msgspec.Struct, frozen=True):
    """The traffic at a moment: calls in flight, calls that wait for a slot, documents under way, servers by name."""

    in_flight: int
    waiting: int
    documents: int
    endpoints: Mapping[str, EndpointState] = {}
