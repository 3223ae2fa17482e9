"""What differs in the configurations of two runs, and what each has paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SAME_RESULT = frozenset(("out", "traffic", "caps", "min_free_disk_mb", "events", "metrics", "serve"))
"""What changes no dataset (`run.yaml`, docs/configuration.md)."""


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each key of run.yaml whose values differ, with both; prompts, layouts and domains that were edited have none."""
    old, new = dict(_flat(a["config"])), dict(_flat(b["config"]))
    found = [
        {"key": key, "a": old.get(key), "b": new.get(key)}
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and key.split(".")[0] not in _SAME_RESULT
    ]
    ours, theirs = dict(_flat(a["digests"])), dict(_flat(b["digests"]))
    for key in sorted(ours.keys() & theirs.keys()):
        if ours[key] != theirs[key] and not key.startswith("target"):
            found.append({"key": f"the words of {key}", "a": str(ours[key])[:8], "b": str(theirs[key])[:8]})
    if a["webscale_rl"] != b["webscale_rl"]:
        found.append({"key": "webscale_rl", "a": a["webscale_rl"], "b": b["webscale_rl"]})
    return found


def paid(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Calls, tokens and US dollars of a run, in all and for each pair of its dataset. Counted, not estimated."""
    calls = summary["calls"].values()
    totals: dict[str, Any] = {
        "calls": sum(count["answered"] for count in calls),
        "prompt_tokens": sum(count["prompt_tokens"] for count in calls),
        "completion_tokens": sum(count["completion_tokens"] for count in calls),
        "usd": summary.get("usd"),
    }
    pairs = summary["pairs"]["kept"]
    each = {name: value / pairs if pairs and value is not None else None for name, value in totals.items()}
    return {"total": totals, "per_pair": each, "pairs": pairs, "documents": summary["documents"]["seen"]}


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value
