"""`evaluate`: how good a model is on a suite, with standard errors; and several results side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from webscale_rl.cli.options import DONE, FAILURES, RESUMABLE, WRONG_USAGE, Concurrency, Json, fail


def evaluate_command(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="a model's folder or name; with --compare, folders of results")
    ],
    suite: Annotated[
        str, typer.Option("--suite", help="paper, your own .yaml, or a .jsonl of questions and answers")
    ] = "paper",
    out: Annotated[Path | None, typer.Option("--out", help="the folder of the results")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="ask no more questions of each task")] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=1000, help="how often each question of a local suite is asked")
    ] = 1,
    temperature: Annotated[
        float | None,
        typer.Option("--temperature", min=0, help="of local suites; default: 0 for one sample, 1 for several"),
    ] = None,
    answer_tokens: Annotated[
        int, typer.Option("--answer-tokens", min=1, help="most tokens of one answer in local suites")
    ] = 512,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda")] = "auto",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="answers that are sampled at once")] = 64,
    seed: Annotated[int, typer.Option("--seed", help="seeds the sampling")] = 0,
    system_prompt: Annotated[
        Path | None, typer.Option("--system-prompt", help="file with a system prompt for local suites")
    ] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="ask lm-eval's and EvalPlus's questions through the model's chat template")
    ] = False,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="OpenAI-compatible server that serves the model")
    ] = None,
    concurrency: Concurrency = None,
    max_usd: Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")
    ] = None,
    allow_code_execution: Annotated[
        bool, typer.Option("--allow-code-execution", help="let EvalPlus run the programs that the model wrote")
    ] = False,
    compare: Annotated[bool, typer.Option("--compare", help="put results side by side, paired by question")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a model on benchmarks or on questions of your own, with standard errors."""
    if compare:
        _compare([Path(model) for model in models], out, as_json=as_json)
        return
    if len(models) != 1:
        fail(f"MODEL: name one ({len(models)} are named); --compare puts results side by side", WRONG_USAGE)
    if out is None:
        fail("out: missing; name the folder of the results", WRONG_USAGE)
    served = {"--concurrency": concurrency, "--max-usd": max_usd, "--max-tokens": max_tokens}
    if base_url is None and (given := [flag for flag, value in served.items() if value is not None]):
        fail(f"{given[0]}: needs --base-url", WRONG_USAGE)
    if base_url is not None and system_prompt is not None:
        fail("--system-prompt: a served model is asked by the prompt closed_book.md", WRONG_USAGE)

    from webscale_rl.evaluation import Options, evaluate
    from webscale_rl.evaluation.report import lines

    caps = {"usd": max_usd, "tokens": max_tokens}
    options = Options(
        temperature=temperature,
        answer_tokens=answer_tokens,
        batch_size=batch_size,
        seed=seed,
        system=None if system_prompt is None else _read(system_prompt),
        chat=chat,
        allow_code=allow_code_execution,
        base_url=base_url,
        traffic={} if concurrency is None else {"concurrency": concurrency},
        caps={key: value for key, value in caps.items() if value is not None},
        tell=lambda line: print(f"webscale-rl: {line}", file=sys.stderr, flush=True),
    )
    try:
        evaluated = evaluate(models[0], suite, out, limit=limit, device=device, samples=samples, options=options)
    except KeyboardInterrupt:
        fail("stopped by SIGINT; run again to go on with the rows that are left", RESUMABLE)
    if as_json:
        print(json.dumps(evaluated.plain()))
    else:
        for line in [*lines(evaluated), f"results: {out}"]:
            print(line)
    sys.exit(FAILURES if evaluated.failed else DONE)


def _compare(folders: list[Path], out: Path | None, *, as_json: bool) -> None:
    import msgspec

    from webscale_rl.evaluation import differences, read_evaluated
    from webscale_rl.evaluation.plot import plot
    from webscale_rl.evaluation.report import compared
    from webscale_rl.files import write_text

    if len(folders) < 2:
        fail("--compare: name at least two folders of results", WRONG_USAGE)
    results = [read_evaluated(folder) for folder in folders]
    page = "\n".join(compared(results))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "compare.md", page + "\n")
        plot(out / "compare.png", results)
    if as_json:
        told: list[dict[str, Any]] = [result.plain() for result in results]
        for result, one in zip(results[1:], told[1:], strict=True):
            one["more_than_the_first"] = msgspec.to_builtins(differences(results[0], result))
        print(json.dumps([{"folder": str(folder), **one} for folder, one in zip(folders, told, strict=True)]))
    else:
        print(page)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: cannot be read ({error})", WRONG_USAGE)
