"""`score`: rows with responses become rows with verdicts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from webscale_rl.cli.options import DONE, FAILURES, WRONG_USAGE, BaseUrls, Concurrency, Json, fail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from webscale_rl.engine.stop import Stop
    from webscale_rl.reward.judge import Judge
    from webscale_rl.reward.score import Summary, Tally

MOST_LINES = 24


def score(
    file: Annotated[str, typer.Argument(help="JSON Lines (plain, .gz, .zst) or Parquet, a response a row")],
    out: Annotated[
        Path | None, typer.Option("--out", help="where the rows with their verdicts go, in the format of its ending")
    ] = None,
    response_field: Annotated[
        str | None, typer.Option("--response-field", help="column of the response; default: response")
    ] = None,
    ground_truth_field: Annotated[
        str | None,
        typer.Option(
            "--ground-truth-field",
            help="column of the ground truth, one or a list of them; default: the first there is of ground_truth,"
            " answer, solution, expected_answer",
        ),
    ] = None,
    question_field: Annotated[
        str | None, typer.Option("--question-field", help="column of the question; default: question, if there is one")
    ] = None,
    answer_type_field: Annotated[
        str | None,
        typer.Option("--answer-type-field", help="column of the answer's type; default: answer_type, if there is one"),
    ] = None,
    style: Annotated[
        str | None, typer.Option("--style", help="take answers in this format alone: answer_tag, boxed, json or marker")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="put before the names of the new columns")] = "",
    judge_model: Annotated[
        str | None, typer.Option("--judge-model", help="the model that is asked where the rules cannot tell")
    ] = None,
    base_url: BaseUrls = None,
    concurrency: Concurrency = None,
    max_usd: Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")
    ] = None,
    as_json: Json = False,
) -> None:
    """Grade the responses of a file by the reward, and add score, how and extracted to its rows."""
    from webscale_rl.reward.score import CALLS_AHEAD, Fields, Scoring

    judging = {"--base-url": base_url, "--concurrency": concurrency, "--max-usd": max_usd, "--max-tokens": max_tokens}
    if judge_model is None and (given := [flag for flag, value in judging.items() if value is not None]):
        fail(f"{given[0]}: needs --judge-model", WRONG_USAGE)
    if judge_model is not None and out is None:
        fail("out: missing; name the output, beside which the judge's answers are kept", WRONG_USAGE)

    def tell(line: str) -> None:
        print(f"webscale-rl: {line}", file=sys.stderr, flush=True)

    fields = Fields(response_field, ground_truth_field, question_field, answer_type_field)
    scoring = Scoring(file, out, fields=fields, style=style, prefix=prefix, tell=tell)
    make = None
    if judge_model is not None and out is not None:
        caps = {"usd": max_usd, "tokens": max_tokens}
        make = _judge(judge_model, base_url, out.with_name(f"{out.name}.judge"), concurrency, caps)
    summary = scoring.run(make, CALLS_AHEAD * (concurrency or 64))
    if as_json:
        print(json.dumps(summary.plain() | {"out": None if out is None else str(out)}))
    else:
        for line in _lines(summary, out):
            print(line)
    sys.exit(FAILURES if summary.bad or summary.failed else DONE)


def _judge(
    model: str, base_urls: list[str] | None, journal: Path, concurrency: int | None, caps: dict[str, Any]
) -> Callable[[Stop], Judge]:
    """Makes the judge. Raises ConfigError for what cannot be, before a row is read."""
    from webscale_rl.config import Run
    from webscale_rl.reward.judge import Judge

    traffic = {"concurrency": concurrency}
    sections = {"caps": caps, "traffic": traffic}
    given = {name: {key: value for key, value in of.items() if value is not None} for name, of in sections.items()}
    run = Run.make(given, "command line")

    def make(stop: Stop) -> Judge:
        return Judge.openai(model, base_urls, journal=journal, traffic=run.traffic, caps=run.caps, stop=stop)

    return make


def _lines(summary: Summary, out: Path | None) -> Iterator[str]:
    """The summary for people."""
    from webscale_rl.report.text import dollars

    for title, kinds in (("type", summary.by_type), ("rule", summary.by_rule)):
        yield f"{title:<28} {'rows':>9} {'right':>9} {'wrong':>9} {'undecided':>9}  mean score"
        ordered = sorted(kinds.items(), key=lambda item: (-item[1].rows, item[0]))
        for name, tally in ordered[:MOST_LINES]:
            yield _line(name, tally)
        if len(ordered) > MOST_LINES:
            yield f"... and {len(ordered) - MOST_LINES} more; --json has them all"
        yield ""
    yield _line("all", summary.total)
    if summary.bad:
        yield f"bad rows, without a verdict: {_counts(summary.bad)}"
    if summary.failed:
        yield f"not judged: {_counts(summary.failed)}; run again to ask again"
    if summary.judge is not None:
        told = summary.judge
        cost = "" if told["usd"] is None else f", {dollars(told['usd'])}"
        yield (
            f"judge {told['model']}: {told['calls']:,} calls, {told['prompt_tokens']:,} tokens in,"
            f" {told['completion_tokens']:,} out{cost}; {told['reused']:,} verdicts known already,"
            f" {told['refused']:,} answers refused unasked"
        )
    if out is not None:
        yield f"rows: {out}"


def _line(name: str, tally: Tally) -> str:
    mean = "-" if tally.mean is None else f"{tally.mean:.3f}"
    return f"{name[:28]:<28} {tally.rows:>9,} {tally.right:>9,} {tally.wrong:>9,} {tally.undecided:>9,}  {mean:>10}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{word} {count:,}" for word, count in sorted(counts.items(), key=lambda item: -item[1]))
