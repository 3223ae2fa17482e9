"""The funnel, the example pairs and the books as text for a terminal. Everything that documents brought is defused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webscale_rl.prompt import defuse
from webscale_rl.types import Example


def funnel_lines(funnel: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A table: each stage's records seen, kept, dropped (with the reasons) and failed."""
    yield f"{'stage':<12} {'':<9} {'seen':>9} {'kept':>9} {'dropped':>9} {'failed':>7}  why"
    for row in funnel:
        dropped, failed = sum(row["dropped"].values()), sum(row["failed"].values())
        yield (
            f"{row['stage'][:12]:<12} {row['unit'] + 's':<9} {row['seen']:>9,} {row['kept']:>9,} {dropped:>9,}"
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
        for stage, calls in summary["calls"].items():
            if calls["prompt_tokens"]:
                yield (
                    f"  {stage}: {calls['answered']:,} calls, {calls['prompt_tokens']:,} in"
                    f" ({calls['cached_tokens']:,} cached), {calls['completion_tokens']:,} out"
                )
            if calls["unusable"]:
                yield f"answers of no use in {stage}: {_why(calls['unusable'])}"
    if summary["failures"]:
        yield f"failures: {_why(summary['failures'])} (failed/ names each); run again to try them again"
    if not summary["pairs"]["kept"] and summary["documents"]["seen"]:
        yield "no pair was kept: dropped/ names the reason for each document"


def pair_lines(example: Example) -> Iterator[str]:
    """One pair, cut to a screen's width or two."""
    yield f"  persona   {clean(example.persona, 100)} [{example.domain}]"
    yield f"  question  {clean(example.question, 400)}"
    yield f"  answer    {clean(example.answer, 200)} ({example.answer_type})"
    yield f"  evidence  {clean(example.evidence, 240)}"


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
