"""A comparison as text for a terminal: a line for each finding, with its verdict. Documents' words are defused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webscale_rl.report.compare.diversity import MORE
from webscale_rl.report.text import clean, dollars

MOST_VALUES = 10
_HEAD = f"{'':<26} {'A':>8} {'90 %':^17}  {'B':>8} {'90 %':^17}  {'B - A':>8} {'90 %':^19}"
_TITLES = {"domain": "domains", "answer_type": "answer types", "persona": "personas"}


def compare_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Everything that `compare` found."""
    yield from _sample_lines(told)
    yield from _setting_lines(told["configuration"])
    yield from _table("yield", told["yield"])
    for column, found in told["distributions"].items():
        yield from _distribution_lines(column, found)
    yield from _diversity_lines(told["diversity"])
    yield from _persona_lines(told["personas"], told["words"])
    yield from _overlap_lines(told["overlap"])
    yield from _cost_lines(told["cost"])
    yield from _verdict_lines(told)


def _sample_lines(told: Mapping[str, Any]) -> Iterator[str]:
    sample = told["sample"]
    for at, side in enumerate("ab"):
        of = f"{sample['documents'][at]:,} of {sample['of'][at]:,} documents, {sample['pairs'][at]:,} pairs"
        yield f"{side.upper()}  {clean(told[side], 80)}: {of}"
    yield f"   {sample['in_both']:,} documents are in both"


def _setting_lines(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield "configuration" if changes else "configuration: the same"
    for change in changes:
        yield f"  {change['key']}: {_value(change['a'])} -> {_value(change['b'])}"


def _table(title: str, findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield f"{title:<26}{_HEAD[26:]}".rstrip()
    for found in findings:
        name = f"  {found['name']}"
        cells = f"{name[:26]:<26} {_interval(found['a'], 17)}  {_interval(found['b'], 17)}"
        yield f"{cells}  {_interval(found['difference'], 19)}  {_verdict(found)}".rstrip()


def _distribution_lines(column: str, found: Mapping[str, Any]) -> Iterator[str]:
    distance = found["difference"]
    yield ""
    yield (
        f"{_TITLES[column]}: {distance['value']:.1%} of all pairs would have to move ({distance['low']:.1%} to"
        f" {distance['high']:.1%}); {found['in_sample']:.1%} of the sample's, by chance up to"
        f" {found['by_chance_below']:.1%}: {_verdict(found)}"
    )
    if column == "persona":  # they have a part of their own
        return
    values = list(found["values"].items())
    for value, (one, other) in values[:MOST_VALUES]:
        yield f"  {clean(value, 24):<24} {one:>8.1%} {'':17}  {other:>8.1%}"
    if len(values) > MOST_VALUES:
        rest = [sum(shares[at] for _, shares in values[MOST_VALUES:]) for at in (0, 1)]
        yield f"  {f'{len(values) - MOST_VALUES} more':<24} {rest[0]:>8.1%} {'':17}  {rest[1]:>8.1%}"


def _diversity_lines(told: Mapping[str, Any]) -> Iterator[str]:
    size = told["questions_per_group"]
    if size is None:
        yield ""
        yield "question diversity: too few pairs to tell"
        return
    yield from _table("question diversity", told["measures"])
    yield (
        f"  {size} questions a group, {told['groups'][0]} and {told['groups'][1]} groups;"
        f" similarity, spread and Vendi score by {clean(told['vectors'], 80)}"
    )


def _persona_lines(told: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"personas of {told['pairs']:,} pairs of each run"
    distinct, effective = told["distinct"], told["effective"]
    yield f"  {'distinct':<24} {distinct[0]:>8,} {'':17}  {distinct[1]:>8,}   {told['in_both']:,} in both"
    yield f"  {'as many as of one size':<24} {effective[0]:>8,.1f} {'':17}  {effective[1]:>8,.1f}"
    for side, most in zip("AB", told["most"], strict=True):
        yield f"  most often in {side}: " + "; ".join(
            f"{clean(persona, 48)} {share:.1%}" for persona, share in most[:4]
        )
    for what, found in words.items():
        if not (found["a"] or found["b"]):
            yield f"  words of {what}: none is used more in one run than chance would"
        for side, of in zip("AB", (found["a"], found["b"]), strict=True):
            if of:
                listed = ", ".join(f"{clean(one['word'], 24)} ({abs(one['z']):.1f})" for one in of)
                yield f"  words of {what}, more in {side} (z): {listed}"


def _overlap_lines(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = {"equal": "equal questions", "near": "equal or nearly", "same": "  with the same answer"}
    renamed = [{**found, "name": names[found["name"].split()[0]]} for found in findings]
    yield from _table("in the other run, too", renamed)


def _cost_lines(cost: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "cost"
    one, other = cost["a"], cost["b"]
    for name in ("calls", "prompt_tokens", "completion_tokens"):
        label = f"{name.replace('_', ' ')} per pair"
        yield f"  {label:<27} {_each(one, name):>8} {'':14}  {_each(other, name):>11}"
    yield f"  {'US dollars per pair':<27} {_dollars(one):>8} {'':14}  {_dollars(other):>11}"


def _verdict_lines(told: Mapping[str, Any]) -> Iterator[str]:
    findings = [
        *told["yield"],
        *(found | {"name": _TITLES[column]} for column, found in told["distributions"].items()),
        *told["diversity"]["measures"],
    ]
    asked = [found for found in findings if found["p"] is not None]
    larger = [found for found in asked if found["larger_than_chance"]]
    yield ""
    yield f"larger than chance: {len(larger)} of {len(asked)} findings (Holm's method: one comparison in ten errs)"
    for found in larger:
        yield f"  {found['name']}: {_said(found)}"


def _said(found: Mapping[str, Any]) -> str:
    one, other = found["a"], found["b"]
    if one is None or other is None:
        return f"{found['difference']['value']:.1%} of all pairs would have to move"
    told = f"{_number(one['value']).strip()} in A, {_number(other['value']).strip()} in B"
    if found["name"] not in MORE and found["name"] not in ("self-BLEU", "similarity", "same persona"):
        return told
    more = (other["value"] > one["value"]) == (found["name"] in MORE)
    return f"{told}: B is {'more' if more else 'less'} diverse"


def _verdict(found: Mapping[str, Any]) -> str:
    if found["p"] is None:
        return ""
    return "larger than chance" if found["larger_than_chance"] else "no more than chance"


def _interval(interval: Mapping[str, Any] | None, width: int) -> str:
    if interval is None:
        return f"{'-':>8} {'':{width}}"
    span = f"{_number(interval['low'])} to {_number(interval['high'])}"
    return f"{_number(interval['value']):>8} {span:>{width}}"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _value(value: Any) -> str:
    return "not there" if value is None else clean(str(value), 60)


def _each(paid: Mapping[str, Any], name: str) -> str:
    value = paid["per_pair"][name]
    return "-" if value is None else f"{value:,.1f}"


def _dollars(paid: Mapping[str, Any]) -> str:
    value = paid["per_pair"]["usd"]
    return "unknown" if value is None else dollars(value)
