"""An estimate as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from webscale_rl.report.text import dollars

Shown = Callable[[float], str]
_UNITS = (("h", 1.0), ("min", 1 / 60), ("s", 1 / 3600))


def estimate_lines(estimate: Mapping[str, Any]) -> Iterator[str]:
    """What the pilot was, the totals for the whole input, and the stages one by one."""
    whole = estimate["sampled"] == estimate["input"]["documents"]
    paid = estimate["pilot"]["calls"]
    cost = "" if estimate["pilot"]["usd"] is None else f", {dollars(estimate['pilot']['usd'])}"
    yield (
        f"pilot: {estimate['sampled']:,} of {estimate['input']['documents']:,} documents"
        + (f"; its {paid:,} calls{cost} are kept and not paid again" if paid else "")
    )
    if estimate["input"]["unreadable"]:
        yield f"unreadable records in the input: {estimate['input']['unreadable']:,}"
    yield ""
    yield _row("the whole input", "estimate", "" if whole else "90 % interval")
    for label, key in (("documents kept", "documents_kept"), ("pairs kept", "pairs_kept"), ("calls", "calls")):
        yield _interval(label, estimate[key], _count)
    yield _interval("tokens in", estimate["prompt_tokens"], _count)
    yield _interval("  of them cached", estimate["cached_tokens"], _count)
    yield _interval("tokens out", estimate["completion_tokens"], _count)
    if estimate["usd"] is None:
        yield _row("money", "unknown", "no price is known; add `price:` to the configuration")
    else:
        yield _interval("money", estimate["usd"], dollars)
        if estimate["usd_per_pair"] is not None:
            yield _interval("  for each pair", estimate["usd_per_pair"], dollars)
    yield from _hours_lines(estimate)
    yield ""
    yield from _stage_lines(estimate)
    if estimate["failures"]:
        yield ""
        told = ", ".join(f"{kind} {count:,}" for kind, count in estimate["failures"].items())
        yield f"failures in the pilot: {told}; estimate again to try them again"
    if not whole:
        yield ""
        yield "Pairs are counted before the sieves, which see what the pilot cannot: what documents have in common."


def _hours_lines(estimate: Mapping[str, Any]) -> Iterator[str]:
    if estimate["hours"] is None:
        return
    yield _interval("time", estimate["hours"], _duration, f"at {estimate['concurrency']:,} calls in flight")
    if estimate["hours_at_pilot_pace"] is not None:
        note = f"if the server takes no more than the pilot's {estimate['in_flight']:,.1f}"
        yield _interval("  or", estimate["hours_at_pilot_pace"], _duration, note)


def _stage_lines(estimate: Mapping[str, Any]) -> Iterator[str]:
    head = f"{'stage':<12} {'':<9} {'kept':>10} {'of':>10}  {'90 % interval':<23}"
    with_calls = estimate["calls"]["high"] != 0
    if with_calls:
        head += f" {'calls':>10}  {'90 % interval':<23} {'money':>9}"
    yield head.rstrip()
    for row in estimate["stages"]:
        kept, seen = _count(row["kept"]["value"]), _count(row["seen"]["value"])
        line = (
            f"{row['stage'][:12]:<12} {row['unit'] + 's':<9} {kept:>10} {seen:>10}  {_range(row['kept'], _count):<23}"
        )
        if with_calls and "calls" in row:
            usd = "" if row["usd"] is None else dollars(row["usd"]["value"])
            line += f" {_count(row['calls']['value']):>10}  {_range(row['calls'], _count):<23} {usd:>9}"
        yield line.rstrip()


def _interval(label: str, told: Mapping[str, Any], shown: Shown, note: str = "") -> str:
    return _row(label, shown(told["value"]), _range(told, shown), note)


def _row(label: str, value: str, interval: str = "", note: str = "") -> str:
    return f"{label:<18} {value:>14}  {interval:<30} {note}".rstrip()


def _range(told: Mapping[str, Any], shown: Shown) -> str:
    if told["high"] is None:
        return f"{shown(told['low'])} to unknown"
    if told["low"] == told["high"]:
        return "exactly"
    return f"{shown(told['low'])} to {shown(told['high'])}"


def _count(value: float) -> str:
    return f"{round(value):,}"


def _duration(hours: float) -> str:
    unit, size = next(((unit, size) for unit, size in _UNITS if hours >= 1.5 * size), _UNITS[-1])
    return f"{hours / size:,.0f} {unit}" if hours >= 20 * size else f"{hours / size:.1f} {unit}"
