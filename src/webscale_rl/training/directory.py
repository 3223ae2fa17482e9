"""Whose training a directory holds: the recipe, the model and the data, by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson
import yaml

from webscale_rl import __version__
from webscale_rl.config import read_yaml
from webscale_rl.errors import ChangedError, ConfigError
from webscale_rl.files import write_text
from webscale_rl.training.data import Taken
from webscale_rl.training.recipe import OPERATIONAL, Recipe

TRAINING_FILE = "training.yaml"
_WHOLE = 64 << 20
_EDGE = 1 << 20


class Record(NamedTuple):
    """What was trained, with what, on what."""

    recipe: dict[str, Any]
    model: dict[str, Any]
    data: dict[str, Any]

    @classmethod
    def of(cls, recipe: Recipe, model: str | Path, data: Path, taken: Taken) -> Self:
        """The record of a training that is about to begin."""
        told = {
            "path": str(data),
            "digest": _digest(orjson.dumps(row, default=str) for row in taken.rows),
            "rows": len(taken.rows),
            "of": taken.seen,
            "left_out": taken.left_out,
        }
        folder = Path(model)
        named = {"name": str(model), "digest": _digest(_contents(folder)) if folder.is_dir() else None}
        return cls(recipe.model_dump(mode="json"), named, told)

    def plain(self) -> dict[str, Any]:
        """As the file holds it."""
        return {"webscale_rl": __version__, "model": self.model, "data": self.data, "recipe": self.recipe}


def claim(folder: Path, record: Record) -> None:
    """Make the folder this training's. Raises ConfigError if it holds something else, ChangedError if it holds another
    training."""
    path = folder / TRAINING_FILE
    if not path.exists():
        if any(entry.name not in (".lock", f".{TRAINING_FILE}.tmp") for entry in folder.iterdir()):
            raise ConfigError(f"{folder}: is not empty and holds no training; choose another --out")
    else:
        changes = list(_differences(read_yaml(path), record))
        if changes:
            told = "\n".join(f"  {change}" for change in changes)
            raise ChangedError(f"{folder} holds another training:\n{told}\nchoose another --out, or remove it")
    write_text(path, yaml.safe_dump(record.plain(), sort_keys=False, allow_unicode=True, width=120))


def _differences(before: dict[str, Any], record: Record) -> Iterator[str]:
    old = before.get("recipe") if isinstance(before.get("recipe"), dict) else {}
    assert isinstance(old, dict)
    for key in sorted({*old, *record.recipe} - OPERATIONAL):
        if old.get(key) != record.recipe.get(key):
            yield f"recipe.{key}: was {old.get(key)!r}, is {record.recipe.get(key)!r}"
    model, data = before.get("model") or {}, before.get("data") or {}
    if (model.get("digest") or model.get("name")) != (record.model["digest"] or record.model["name"]):
        yield f"model: was {model.get('name')}, is {record.model['name']}, with other weights or another tokenizer"
    if data.get("digest") != record.data["digest"]:
        yield f"data: was {data.get('path')} ({data.get('rows')} rows), is {record.data['path']}" + (
            f" ({record.data['rows']} rows), with other rows"
        )


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


def _contents(folder: Path) -> Iterator[bytes]:
    """The files of a model: whole, and of large ones their size and both ends."""
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        size = path.stat().st_size
        yield f"{path.name} {size}".encode()
        with path.open("rb") as file:
            if size <= _WHOLE:
                yield file.read()
                continue
            yield file.read(_EDGE)
            file.seek(-_EDGE, 2)
            yield file.read(_EDGE)
