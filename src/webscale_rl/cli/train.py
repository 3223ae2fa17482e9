"""`train`: continual pretraining, SFT, GRPO and rejection fine-tuning on what a run made."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from webscale_rl.cli.options import Json
from webscale_rl.errors import ConfigError

TOLD_EVERY_S = 10.0
_SHOWN = {"loss": "loss", "reward": "reward", "completions/mean_length": "tokens per response"}


def train_command(
    method: Annotated[str, typer.Argument(help="continue, sft, grpo or reject")],
    data: Annotated[Path, typer.Argument(help="a run directory, a file of rows, or a folder of such files")],
    model: Annotated[str, typer.Option("--model", help="folder or hub name of the model to start from")],
    out: Annotated[Path, typer.Option("--out", help="the directory of the training")],
    recipe: Annotated[
        str, typer.Option("--recipe", help="paper or tiny, such as paper/grpo, or your own .yaml file")
    ] = "paper",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, laid over the recipe; may stand several times")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda")] = "auto",
    system_prompt: Annotated[
        Path | None, typer.Option("--system-prompt", help="file whose text stands before every question")
    ] = None,
    log_to: Annotated[
        list[str] | None, typer.Option("--log-to", help="tensorboard or wandb, beside metrics.jsonl")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on what a run made: continue, sft, grpo or reject."""
    from webscale_rl.cli.process import show_messages
    from webscale_rl.training import load_recipe, train

    show_messages()
    values = _settings(settings or [])
    if system_prompt is not None:
        values["system_prompt"] = _text(system_prompt)
    if log_to:
        values["log_to"] = log_to
    trained = train(load_recipe(recipe, method, **values), model, data, out, device=device, watch=_Lines())
    if as_json:
        print(json.dumps({"model": str(trained.model), "ledger": trained.ledger.plain()}))
        return
    print(f"model: {trained.model}")
    spent = ", ".join(f"{name} {getattr(trained.ledger, name):,}" for name in _TOKENS)
    print(f"tokens: {spent}")
    print(f"the same by a stock trainer: {out / 'stock' / 'commands.sh'}")


_TOKENS = ("source", "generated", "judged", "rollout", "trained")


class _Lines:
    """A line on stderr for every note, and for the metrics now and then."""

    def __init__(self) -> None:
        self._told_at = 0.0

    def __call__(self, line: Mapping[str, Any]) -> None:
        if "note" in line:
            print(f"webscale-rl: {line['note']}", file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        if now < self._told_at + TOLD_EVERY_S and line["step"] != line.get("of"):
            return
        self._told_at = now
        told = [f"{words} {line[key]:.4g}" for key, words in _SHOWN.items() if line.get(key) is not None]
        print(f"step {line['step']:,} of {line.get('of', '?'):,}: {', '.join(told)}", file=sys.stderr, flush=True)


def _settings(given: list[str]) -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}: the value is YAML."""
    values: dict[str, Any] = {}
    for setting in given:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting}: write key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting}: {' '.join(str(error).split())}") from error
        *folders, last = key.strip().split(".")
        place = values
        for name in folders:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ConfigError(f"--set {setting}: {name} has a value already")
        place[last] = value
    return values


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
