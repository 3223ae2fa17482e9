"""Results for people: a table in Markdown, beside what others published, and several results side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webscale_rl.evaluation.results import Evaluated, Result
from webscale_rl.evaluation.statistics import Difference, Mean, average, paired
from webscale_rl.report.text import clean


def markdown(evaluated: Evaluated) -> str:
    """results.md."""
    return "\n".join(_page(evaluated)) + "\n"


def _page(evaluated: Evaluated) -> Iterator[str]:
    others = list(dict.fromkeys(name for row in evaluated.rows for name in row.published))
    yield f"# {clean(evaluated.model, 200)} on {clean(evaluated.suite, 200)}"
    yield ""
    yield "Per cent; ± is one standard error; n counts questions."
    if others:
        yield f"The columns after n are published figures: {clean(evaluated.published_as, 200)}."
    yield ""
    yield from _table(["benchmark", "score", "n", *others], [*_rows(evaluated, others), _averages(evaluated, others)])
    notes = [note for row in evaluated.rows for note in _notes(row)]
    if notes:
        yield ""
        yield from (f"- {note}" for note in notes)
    ledger = evaluated.ledger
    cost = "at an unknown price" if ledger.usd is None else f"for ${ledger.usd:,.4f}"
    yield ""
    yield f"{ledger.rollout:,} tokens were sampled in {ledger.seconds:,.0f} seconds, {cost}."


def lines(evaluated: Evaluated) -> Iterator[str]:
    """The table for a terminal."""
    yield f"{'benchmark':<28} {'score':>14} {'n':>8}"
    for row in evaluated.rows:
        told = percent(row.mean) if row.status == "done" else row.status.replace("_", " ")
        yield f"{clean(row.name, 28):<28} {told:>14} {row.count or '-':>8}"
    ran = [row for row in evaluated.rows if row.mean is not None]
    yield f"{'average':<28} {percent(evaluated.average):>14} {f'{len(ran)} of {len(evaluated.rows)}':>8}"
    for row in evaluated.rows:
        yield from _notes(row)


def compared(results: Sequence[Evaluated]) -> Iterator[str]:
    """Several results side by side as Markdown: scores, and what each has more than the first, paired by question."""
    names = [clean(result.folder.name or str(result.folder), 60) for result in results]
    rows = list(dict.fromkeys(row.name for result in results for row in result.rows))
    of = [{row.name: row for row in result.rows} for result in results]
    yield "# " + " / ".join(names)
    yield ""
    yield from _table(["benchmark", *names], [[name, *(percent(_mean(one.get(name))) for one in of)] for name in rows])
    yield ""
    yield f"What each has more than {names[0]}, on the questions that both have; ± is the standard error of the paired"
    yield "difference, `*` says that its 95 % interval leaves 0 out."
    yield ""
    table = []
    for name in rows:
        cells = [_more(of[0].get(name), one.get(name)) for one in of[1:]]
        table.append([name, *cells])
    yield from _table(["benchmark", *names[1:]], table)


def differences(first: Evaluated, second: Evaluated) -> dict[str, Difference]:
    """By row, what the second has more than the first, on the questions that both have."""
    of = {row.name: row for row in first.rows}
    found = {
        row.name: paired(of[row.name].questions, row.questions)
        for row in second.rows
        if _comparable(of.get(row.name), row)
    }
    return {name: one for name, one in found.items() if one is not None}


def percent(mean: Mean | None) -> str:
    """A mean with its error, in per cent; "-" if there is none."""
    if mean is None:
        return "-"
    return f"{100 * mean.value:.1f}" + ("" if mean.stderr is None else f" ± {100 * mean.stderr:.1f}")


def _more(first: Result | None, second: Result | None) -> str:
    if first is None or second is None or not _comparable(first, second):
        return "-"
    found = paired(first.questions, second.questions)
    if found is None:
        return "-"
    error = "" if found.stderr is None else f" ± {100 * found.stderr:.1f}"
    return f"{100 * found.value:+.1f}{error}{' *' if found.sure else ''} (n {found.count:,})"


def _comparable(first: Result | None, second: Result) -> bool:
    """The same metric of both: a question's score means the same."""
    return first is not None and first.status == second.status == "done" and first.metric == second.metric


def _mean(row: Result | None) -> Mean | None:
    return None if row is None else row.mean


def _rows(evaluated: Evaluated, others: Sequence[str]) -> Iterator[list[str]]:
    for row in evaluated.rows:
        told = percent(row.mean) if row.status == "done" else row.status.replace("_", " ")
        name = row.name if row.shots is None else f"{row.name} ({row.shots}-shot)"
        cells = [f"{row.published[other]:.1f}" if other in row.published else "-" for other in others]
        yield [name, told, f"{row.count:,}" if row.count else "-", *cells]


def _averages(evaluated: Evaluated, others: Sequence[str]) -> list[str]:
    """Over the rows that were run, ours and the published ones alike."""
    ran = [row for row in evaluated.rows if row.mean is not None]
    cells = []
    for other in others:
        known = [Mean(row.published[other] / 100, None, 0) for row in ran if other in row.published]
        joined = average(known) if len(known) == len(ran) else None
        cells.append(percent(joined))
    return [f"average of {len(ran)} of {len(evaluated.rows)}", percent(evaluated.average), "-", *cells]


def _notes(row: Result) -> Iterator[str]:
    name = clean(row.name, 80)
    if row.why:
        yield f"{name}: {clean(row.why, 400)}"
    if row.undecided:
        yield (
            f"{name}: the rules cannot tell of {row.undecided:,} answers, which count as wrong;"
            f" without them the score is {percent(row.decided)}"
        )
    if row.cut:
        yield f"{name}: {row.cut:,} answers were cut off at the limit, and graded as they stand"
    if row.passes:
        yield f"{name}: " + ", ".join(f"pass@{k} {percent(found)}" for k, found in row.passes.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(_cell(cell) for cell in head) + " |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"


def _cell(text: str) -> str:
    """Text of a table's cell: no bar, no tag and no line of its own."""
    return clean(text, 120).replace("|", "\\|").replace("<", "&lt;")
