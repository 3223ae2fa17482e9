"""The run directory: whose run it holds, and what a changed configuration would pay for again.

run.yaml       the resolved configuration, package version, digests of prompts and domains; never a secret
replies/       what was paid for            shards/    what became of every record
dataset/       the examples                 dropped/   what was dropped, and why
pilot/         the run directory of an estimate's pilot: its replies are this run's too
difficulty/    the run directory of what `webscale-rl difficulty` asked, and the rates that came of it
rationales/    the run directory of what `webscale-rl rationales` asked, and the data for a warm-up that came of it
summary.json   the books                    serve/     logs of the servers that the run started
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from webscale_rl import __version__
from webscale_rl.config import Parts, Run, read_yaml
from webscale_rl.corpus.record import shown
from webscale_rl.dataset.held_out import HELD_OUT_FILE
from webscale_rl.engine.stop import RESUMABLE
from webscale_rl.errors import ChangedError, ConfigError, RunStopped
from webscale_rl.files import write_text
from webscale_rl.types import content_id

RUN_FILE = "run.yaml"
SUMMARY_FILE = "summary.json"
PILOT = "pilot"
"""The run directory of the run's pilot, within the run's own."""
DIFFICULTY = "difficulty"
"""The run directory of what measures the difficulty of the run's questions."""
SERVE_FOLDER = "serve"
_OURS = (".lock", f".{RUN_FILE}.tmp", SERVE_FOLDER, PILOT, HELD_OUT_FILE, f".{HELD_OUT_FILE}.tmp")
"""What may be there before a run has written run.yaml."""
_OPERATIONAL = ("out", "limit", "traffic", "caps", "price", "min_free_disk_mb", "serve", "events", "metrics")
_OPERATIONAL_BACKEND = frozenset(
    "base_urls api_key_env timeout_s connect_timeout_s"
    " batch_dir poll_s completion_window rounds open_shards max_requests max_mb patience_s price_factor".split()
)
_RULES_ONLY = ("sieves", "sieving", "dataset")
_MASKING = ("preset", "pii", "pii_kinds", "credentials")
_INPUT = ("inputs", "corpus", "shard_size")
_IN_REQUEST = frozenset(
    "model prompt layout temperature top_p max_tokens max_document_chars".split()
    + "few_shot few_shot_documents pairs_per_persona max_personas".split()
)


def made(folder: Path) -> Path:
    """The folder, which is there now. Raises ConfigError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be the run directory ({error.strerror}); choose another --out") from error
    return folder


def unwritable(folder: Path, error: OSError) -> RunStopped:
    """What is raised when a file of the run directory could not be written."""
    place = error.filename or folder
    return RunStopped(f"{place}: {error.strerror or error}; mend it and run again", RESUMABLE)


def resolved(run: Run, parts: Parts, source: str = "") -> dict[str, Any]:
    """The configuration with every default filled in, and the digests of the files that it names. `source` is a digest
    of the corpus's files."""
    config = run.model_dump(mode="json")
    config["inputs"] = [shown(given) for given in run.inputs]  # a URL may hold a password
    config["backend"] = (
        parts.backend_options.model_dump(mode="json") if parts.given is None else {"use": parts.backend_name}
    )
    if run.serve.command is not None:
        config["backend"].pop("base_urls", None)  # they last no longer than this process
    config["stages"] = {stage.name: stage.options.model_dump(mode="json") for stage in parts.pipeline.stages}
    config["pipeline"] = parts.enabled
    config["sieving"] = {sieve.name: sieve.options.model_dump(mode="json") for sieve in parts.sieves}
    prompts = {stage.name: stage.prompt for stage in parts.pipeline.stages if stage.prompt is not None}
    return {
        "webscale_rl": __version__,
        "input": source,
        "repays": _repayments(parts),
        "digests": {
            "prompts": {stage: prompt.digest for stage, prompt in prompts.items()},
            "layouts": {stage: prompt.layout for stage, prompt in prompts.items()},
            "domains": parts.context.domains.digest,
            **({} if parts.target is None else {"target": parts.target.digest}),
        },
        "config": config,
    }


def rules_digest(record: Mapping[str, Any]) -> str:
    """A digest of all that decides what becomes of a document: two shards of the same rules and input are the same."""
    config = {key: value for key, value in record["config"].items() if key not in (*_OPERATIONAL, "sieves", "sieving")}
    config["backend"] = {k: v for k, v in config["backend"].items() if k not in _OPERATIONAL_BACKEND}
    return content_id(record["webscale_rl"], yaml.safe_dump([config, record["digests"]], sort_keys=True))


def claim(folder: Path, record: Mapping[str, Any], *, accept_changes: bool) -> bool:
    """Make the folder this run's. Says whether replies lie there that were paid for other input, or input that cannot
    be compared. Raises ConfigError if the folder holds something else, ChangedError if another run."""
    moved = require_claimable(folder, record, accept_changes=accept_changes)
    (folder / SUMMARY_FILE).unlink(missing_ok=True)  # it was true of the run as it was
    # run.yaml first: a folder with anything else and no run.yaml is not ours, also after a crash between these lines
    write_text(folder / RUN_FILE, yaml.safe_dump(dict(record), sort_keys=False, allow_unicode=True, width=120))
    for name in ("replies", "shards"):
        (folder / name).mkdir(exist_ok=True)
    return moved and any((folder / "replies").iterdir())


def require_claimable(folder: Path, record: Mapping[str, Any], *, accept_changes: bool) -> bool:
    """What `claim` finds and refuses, without a change to the folder: says whether the input is or may be another."""
    path = folder / RUN_FILE
    if path.exists():
        before = read_yaml(path)
        if not isinstance(before.get("config"), dict) or not isinstance(before.get("digests"), dict):
            raise ConfigError(f"{path}: was not written by webscale-rl; choose another --out")
        # of a run without replies and shards nothing came: a wrong model name, say, which is mended now
        changes = [] if _is_empty(folder) else list(differences(before, record))
        if changes and not accept_changes:
            told = "\n".join(f"  {change}" for change in changes)
            raise ChangedError(
                f"{folder} holds a run with another configuration:\n{told}\n"
                "continue it with --accept-changes, or choose another --out"
            )
        return not record["input"] or before.get("input") != record["input"] or _recut(before, record)
    if any(entry.name not in _OURS for entry in folder.iterdir()):
        raise ConfigError(f"{folder}: is not empty and holds no run; choose another --out")
    return False


def _is_empty(folder: Path) -> bool:
    """Whether a run left neither replies nor shards, nor batches that it pays for."""
    places = [folder / name for name in ("replies", "shards", "batches")]
    return not any(found for place in places if place.is_dir() for found in place.iterdir())


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A line for each key that differs and matters: what it was, what it is, what that pays for again."""
    repays = after["repays"]
    old, new = dict(_flat(before["config"])), dict(_flat(after["config"]))
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if key.startswith("sieving") and old.get("sieves") != new.get("sieves"):
            continue  # the options of sieves that came or went
        if was != now and not _is_operational(key):
            yield f"{key}: {was!r} -> {now!r} ({_price(key, repays)})"
    old_prompts = before["digests"].get("prompts", {})
    for stage, digest in after["digests"]["prompts"].items():
        if stage in old_prompts and old_prompts[stage] != digest:
            yield f"the prompt of {stage} was edited ({_told(repays.get(stage, []))})"
    old_layouts = before["digests"].get("layouts", {})
    for stage, layout in after["digests"]["layouts"].items():
        if stage in old_layouts and old_layouts[stage] != layout and not _tells_layout(stage, old, new):
            yield f"the layout of {stage}'s prompt is another ({_told(repays.get(stage, []))})"
    if before["digests"].get("domains") != after["digests"]["domains"]:
        yield f"the domains were edited ({_told(repays.get('classify', []))})"


def _tells_layout(stage: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a key that differs says already that this stage's prompt is laid out anew."""
    keys = ("layout", f"stages.{stage}.layout", f"stages.{stage}.model", "backend.model")
    return any(old.get(key) != new.get(key) for key in keys)


def _is_operational(key: str) -> bool:
    steps = key.split(".")
    return steps[0] in _OPERATIONAL or (steps[0] == "backend" and len(steps) == 2 and steps[1] in _OPERATIONAL_BACKEND)


def _recut(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether documents may stand in other shards than before."""
    return any(before["config"].get(key) != after["config"].get(key) for key in _INPUT)


def _repayments(parts: Parts) -> dict[str, list[str]]:
    """For each prompted stage, the stages that a change of its requests pays for again.

    A stage that hands its record on as it came pays for itself alone; one that makes new records (personas, pairs) for
    all that is asked of them as well. What is free pays nothing.
    """
    if not parts.paid:
        return {}
    prompted = [stage for stage in parts.pipeline.stages if stage.prompt is not None]
    return {
        stage.name: [stage.name, *(later.name for later in prompted[at + 1 :] if stage.gives is not stage.takes)]
        for at, stage in enumerate(prompted)
    }


def _price(key: str, repays: Mapping[str, list[str]]) -> str:
    steps = key.split(".")
    if steps[:2] == ["sieving", "balance"] and repays:
        return "pays nothing again, but for documents that were left out"
    if steps[0] in _RULES_ONLY:
        return _told([])
    if steps[0] in _INPUT:
        return "pays for documents that are new"
    if steps[0] == "pipeline":
        return "pays for what was never asked"
    if steps[0] == "stages" and len(steps) > 2 and steps[1] in repays and steps[2] in _IN_REQUEST:
        return _told(repays[steps[1]])
    if steps[:2] == ["stages", "heuristics"] and len(steps) > 2 and steps[2] in _MASKING:
        return "pays for documents whose text it changes, and records that now go on"
    if steps[0] == "stages":
        return "pays nothing again, but for records that now go on"
    first = {"domains": "classify", "seed": "generate"}.get(steps[0])
    return _told(repays.get(first, []) if first else list(repays))


def _told(stages: list[str]) -> str:
    return f"pays again: {', '.join(stages)}" if stages else "pays nothing again"


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value
