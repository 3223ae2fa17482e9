"""The command line: one noun per command, the same words as in Python and YAML. Results go to stdout,
progress to stderr.

Exit codes: 0 done, 1 finished with failures, 2 wrong usage, 3 stopped by a limit or a signal and resumable.
Everything heavy is imported inside the commands, so that `--help` comes at once. A new command is a function in a
module beside this one, and its line in `COMMANDS`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from webscale_rl.cli import (
    balance,
    compare,
    decontaminate,
    dedup,
    difficulty,
    evaluate,
    experiment,
    export,
    inspect,
    rationales,
    refine,
    reward_server,
    run,
    score,
    train,
)
from webscale_rl.cli.options import RESUMABLE, WRONG_USAGE, fail

COMMANDS: dict[str, Callable[..., None]] = {
    "run": run.run_command,
    "estimate": run.estimate_command,
    "status": inspect.status,
    "compare": compare.compare,
    "export": export.export,
    "difficulty": difficulty.difficulty_command,
    "rationales": rationales.rationales_command,
    "refine": refine.refine_command,
    "train": train.train_command,
    "evaluate": evaluate.evaluate_command,
    "experiment": experiment.experiment_command,
    "score": score.score,
    "reward-server": reward_server.reward_server,
    "dedup": dedup.dedup,
    "decontaminate": decontaminate.decontaminate,
    "balance": balance.balance,
    "domains": inspect.domains_command,
    "check-config": inspect.check_config,
    "init": inspect.init,
    "version": inspect.version,
}
"""In the order of `--help` and of docs/cli.md."""

app = typer.Typer(
    name="webscale-rl",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def _version(wanted: bool) -> None:
    if wanted:
        inspect.version()
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Turns a pretraining corpus into verified question-answer data for reinforcement learning."""


def main() -> None:
    """Entry point of `webscale-rl`. A user's mistake is one clear line and an exit code, never a traceback."""
    from webscale_rl.errors import RunStopped, UserError

    try:
        app()
    except RunStopped as stopped:
        fail(str(stopped), stopped.code)
    except UserError as error:
        fail(str(error), WRONG_USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(RESUMABLE)
    finally:
        gc.freeze()  # the process ends: looking for cycles in all that was imported takes a tenth of a second
