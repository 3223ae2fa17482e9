"""Prometheus metrics of a run, served while it makes calls: GET /metrics, on loopback unless told otherwise.

Counters are those of this process: Prometheus itself bridges the restart of a process. Documents and pairs count those
of finished shards that this run found. Nothing here is text of a document or a key; still, whoever can reach the port
can read it.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Self

import msgspec

from webscale_rl.config import MetricsOptions
from webscale_rl.engine.calls import Call
from webscale_rl.engine.progress import Progress
from webscale_rl.errors import ConfigError

if TYPE_CHECKING:
    from aiohttp import web
    from prometheus_client.core import Metric

PREFIX = "webscale_rl"
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0)
"""Upper bounds of the histograms' buckets, in seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text exposition format."""
_KINDS = ("prompt", "completion", "cached", "reasoning")


class _Durations(msgspec.Struct):
    """Durations of one stage, by the bounds; the last count is of what lies beyond them."""

    counts: list[int]
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total += seconds


class CallCounters:
    """What metrics count of calls. An Observer."""

    def __init__(self) -> None:
        self.calls: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        self.tokens: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(_KINDS))
        self.latency: defaultdict[str, _Durations] = defaultdict(_no_durations)
        self.queue: defaultdict[str, _Durations] = defaultdict(_no_durations)

    def __call__(self, call: Call) -> None:
        """Count one attempt."""
        self.calls[call.stage, call.model, call.endpoint, call.outcome] += 1
        self.latency[call.stage].add(call.latency_s)
        self.queue[call.stage].add(call.queue_s)
        usage = call.usage
        if usage.prompt_tokens or usage.completion_tokens:
            tokens = self.tokens[call.stage, call.model, call.endpoint]
            tokens[0] += usage.prompt_tokens
            tokens[1] += usage.completion_tokens
            tokens[2] += usage.cached_tokens
            tokens[3] += usage.reasoning_tokens


def _no_durations() -> _Durations:
    return _Durations([0] * (len(BOUNDS_S) + 1))


class RunCollector:
    """All metric families of a run at the moment of a scrape, as prometheus_client wants them of a collector."""

    def __init__(self, counters: CallCounters, progress: Progress) -> None:
        self._counters = counters
        self._progress = progress

    def collect(self) -> Iterator[Metric]:
        """The families. Must run in the event loop, for it reads what that writes."""
        yield from self._of_calls()
        yield from self._of_records()
        yield from self._of_traffic()

    def _of_calls(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        labels = ["stage", "model", "endpoint"]
        calls = CounterMetricFamily(
            f"{PREFIX}_calls", "Attempts at calls that have ended, by outcome.", labels=[*labels, "outcome"]
        )
        for key, count in self._counters.calls.items():
            calls.add_metric(key, count)
        yield calls
        tokens = CounterMetricFamily(
            f"{PREFIX}_tokens",
            "Tokens of all answers; cached ones are part of prompt, reasoning ones of completion.",
            labels=[*labels, "kind"],
        )
        for where, counts in self._counters.tokens.items():
            for kind, number in zip(_KINDS, counts, strict=True):
                tokens.add_metric([*where, kind], number)
        yield tokens
        for name, told, durations in (
            ("call_latency", "Seconds from sending a call to its end.", self._counters.latency),
            ("call_queue", "Seconds that a call waited for a slot.", self._counters.queue),
        ):
            family = HistogramMetricFamily(f"{PREFIX}_{name}_seconds", told, labels=["stage"])
            for stage, found in durations.items():
                bounds = [*map(str, BOUNDS_S), "+Inf"]
                buckets = list(zip(bounds, accumulate(found.counts), strict=True))
                family.add_metric([stage], buckets, sum_value=found.total)
            yield family

    def _of_records(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        labels = ["stage", "end", "reason"]
        families = {
            unit: CounterMetricFamily(f"{PREFIX}_{unit}s", f"What became of {unit}s, and where.", labels=labels)
            for unit in ("document", "pair")
        }
        for unit, stage, end, reason, count in self._progress.tally.each_end():
            families[unit].add_metric([stage, end, reason], count)
        yield from families.values()

    def _of_traffic(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        if self._progress.traffic is None:
            return
        state = self._progress.traffic.state()
        yield GaugeMetricFamily(f"{PREFIX}_calls_in_flight", "Calls in flight now.", value=state.in_flight)
        yield GaugeMetricFamily(f"{PREFIX}_calls_waiting", "Calls that wait for a slot now.", value=state.waiting)
        yield GaugeMetricFamily(f"{PREFIX}_documents_open", "Documents under way now.", value=state.documents)
        window = GaugeMetricFamily(
            f"{PREFIX}_endpoint_window", "Calls that a server may have at once now.", labels=["endpoint"]
        )
        in_flight = GaugeMetricFamily(
            f"{PREFIX}_endpoint_calls_in_flight", "Calls in flight to a server now.", labels=["endpoint"]
        )
        up = GaugeMetricFamily(
            f"{PREFIX}_endpoint_available", "1 if a server takes new calls, else 0.", labels=["endpoint"]
        )
        for name, endpoint in state.endpoints.items():
            window.add_metric([name], endpoint.window)
            in_flight.add_metric([name], endpoint.in_flight)
            up.add_metric([name], float(endpoint.available))
        yield from (window, in_flight, up)


class MetricsServer:
    """Serves /metrics from the running event loop for as long as the context lasts."""

    def __init__(self, options: MetricsOptions, collector: RunCollector) -> None:
        self._options = options
        self._collector = collector
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Take the port. Raises ConfigError if that cannot be."""
        try:
            from aiohttp import web
            from prometheus_client import CollectorRegistry
        except ImportError as error:
            raise ConfigError("metrics: install what serves them: pip install 'webscale-rl[metrics]'") from error

        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._collector)
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        host, port = self._options.host, self._options.port
        try:
            await web.TCPSite(self._runner, host, port).start()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that cannot be a name
            await self._runner.cleanup()
            raise ConfigError(
                f"metrics: cannot serve at {host}:{port} ({_reason(error)}); choose another --metrics-port"
                " or metrics.host"
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        from aiohttp import web
        from prometheus_client import generate_latest

        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE})


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "no such host"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)  # of a name that was looked up in vain, whose numbers are its own
