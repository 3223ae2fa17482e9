"""The funnel, the example pairs and the books as text for a terminal. Everything that documents brought is defused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webscale_rl.prompt import defuse


def funnel_lines(funnel: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A table: each stage's records seen, kept, dropped (with the reasons) and failed."""
    yield f"{'stage':<13} {'':<9} {'seen':>9} {'kept':>9} {'dropped':>9} {'failed':>7}  why"
    for row in funnel:
        dropped, failed = sum(row["dropped"].values()), sum(row["failed"].values())
        yield (
            f"{row['stage'][:13]:<13} {row['unit'] + 's':<9} {row['seen']:>9,} {row['kept']:>9,} {dropped:>9,}"
            f" {failed:>7,}  {_why({**row['dropped'], **row['failed']})}"
        ).rstrip()


def books_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Totals of documents, pairs, calls and failures."""
    for unit in ("documents", "pairs"):
        count = summary[unit]
        dropped, failed = sum(count["dropped"].values()), sum(count["failed"].values())
        yield f"{unit}: {count['seen']:,} seen = {count['kept']:,} kept + {dropped:,} dropped + {failed:,} failed"
    if summary["unreadable"]:
        yield f"unreadable records: {_why(summary['unreadable'])} (dropped/ names each file and position)"
    if summary["calls"]:
        total = {
            name: sum(calls[name] for calls in summary["calls"].values())
            for name in ("answered", "prompt_tokens", "completion_tokens", "cached_tokens")
        }
        yield (
            f"calls answered: {total['answered']:,}; tokens: {total['prompt_tokens']:,} in"
            f" ({total['cached_tokens']:,} cached), {total['completion_tokens']:,} out"
        )
        latencies = {stage: calls.get("latency_s") for stage, calls in summary["calls"].items()}
        if any(latencies.values()):
            yield f"seconds per call, p50 / p95 / p99: {_latencies(latencies)}"
        yield from _cost_lines(summary)
        for stage, calls in summary["calls"].items():
            if calls["prompt_tokens"]:
                yield (
                    f"  {stage}: {calls['answered']:,} calls, {calls['prompt_tokens']:,} in"
                    f" ({calls['cached_tokens']:,} cached), {calls['completion_tokens']:,} out"
                )
            if calls["unusable"]:
                yield f"answers of no use in {stage}: {_why(calls['unusable'])}"
        retried: Counter[str] = Counter()
        for calls in summary["calls"].values():
            retried.update(calls.get("retried", {}))
        if retried:
            yield f"not answered and tried again: {_why(retried)}"
        yield from _share_lines(summary.get("endpoints", {}))
    yield from _short_lines(summary.get("sieving", {}))
    if summary["failures"]:
        yield f"failures: {_why(summary['failures'])} (failed/ names each); run again to try them again"
    if not summary["pairs"]["kept"] and summary["documents"]["seen"]:
        yield "no pair was kept: dropped/ names the reason for each document"


def _short_lines(sieving: Mapping[str, Any]) -> Iterator[str]:
    """What the balance could not fill, and what would."""
    full: list[str] = []
    for column, values in sieving.get("balance", {}).items():
        for value, count in values.items():
            if count["kept"] < count["wanted"]:
                told = f"{column} {clean(value, 80)}: {count['kept']:,} of {count['wanted']:,} wanted"
                yield f"balance: {told} ({count['found']:,} found)"
                target = sieving.get("target", {}).get(value) if column == "domain" else None
                full += [value] if target is not None and target["made"] >= target["enough"] else []
    if full:
        yield (
            f"  of {', '.join(full)} the sieves took more than the margin left: raise sieving.balance.margin and run"
            " again, which pays for the documents that were left out and for nothing twice"
        )


def _share_lines(endpoints: Mapping[str, int]) -> Iterator[str]:
    if len(endpoints) > 1:
        total = sum(endpoints.values())
        for url, answered in endpoints.items():
            yield f"  {url}: {answered:,} answers, {100 * answered / total:.0f} %"


def _cost_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    if "usd" not in summary:  # of an older version
        return
    if summary["usd"] is None:
        yield "cost: unknown, for no price is known of a model at this server; add `price:` to the configuration"
        return
    by_stage = ", ".join(f"{stage} {dollars(usd)}" for stage, usd in summary["usd_by_stage"].items())
    per_pair = f"; {dollars(summary['usd_per_pair'])} for each pair kept" if summary["usd_per_pair"] is not None else ""
    yield f"cost: {dollars(summary['usd'])} ({by_stage}){per_pair}"


def dollars(usd: float) -> str:
    """US dollars: cents from a dollar on, below it three digits that say something."""
    if usd == 0 or usd >= 1:
        return f"${usd:,.2f}"
    whole, _, digits = f"{float(f'{usd:.3g}'):.12f}".rstrip("0").partition(".")
    return f"${whole}.{digits:0<2}"


PAIR_COLUMNS = ("persona", "domain", "question", "answer", "answer_type", "evidence")


def pair_lines(row: Mapping[str, str]) -> Iterator[str]:
    """One pair, its PAIR_COLUMNS, cut to a screen's width or two."""
    yield f"  persona   {clean(row['persona'], 100)} [{row['domain']}]"
    yield f"  question  {clean(row['question'], 400)}"
    yield f"  answer    {clean(row['answer'], 200)} ({row['answer_type']})"
    yield f"  evidence  {clean(row['evidence'], 240)}"


def clean(text: str, limit: int) -> str:
    """Text that nobody vouches for, safe on a terminal: one line, no control characters, not too long."""
    line = " ".join(defuse(text).split())
    line = "".join(character if character.isprintable() else "�" for character in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _why(counts: Mapping[str, int], most: int = 4) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{word} {count:,}" for word, count in ordered[:most]]
    rest = sum(count for _, count in ordered[most:])
    return ", ".join(shown) + (f", other {rest:,}" if rest else "")


def _latencies(stages: Mapping[str, Mapping[str, float] | None]) -> str:
    told = {stage: " / ".join(map(_seconds, values.values())) for stage, values in stages.items() if values}
    return ", ".join(f"{stage} {values}" for stage, values in told.items())


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"
