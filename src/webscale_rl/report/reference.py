"""The configuration reference and the starter file, generated from the pydantic models, so that they cannot lie."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from webscale_rl import registry
from webscale_rl.config import Run

STARTER = """\
# webscale-rl run -c {path}
# `webscale-rl check-config {path}` prints it with every default filled in; docs/configuration.md explains each key.
inputs:
- "sample:"                  # files, folders, globs or URLs of your corpus; `sample:` is ours
out: runs/first
seed: 0
# limit: 100                 # read no more than so many documents

backend:
  use: extractive            # the embedded default: no model, no network, no key
  # use: openai              # any OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, or a hosted API
  # model: your-model
  # base_urls: [http://localhost:8000/v1]
  # api_key_env: OPENAI_API_KEY    # the NAME of the variable that holds the key

stages:
  classify:
    max_personas: 3
  generate:
    pairs_per_persona: 1
    few_shot: 2

traffic:
  concurrency: 64
"""


def starter(path: str = "run.yaml") -> str:
    """A commented configuration to start from."""
    return STARTER.format(path=path)


def reference() -> str:
    """docs/configuration.md: every key with its type, its default and what it does."""
    lines = [
        "# Configuration reference",
        "",
        "Generated from the code by `python -m webscale_rl.report.reference`; a test compares. Every key can stand in",
        "the YAML file that `-c` names; unknown keys are refused. Secrets never stand here: `api_key_env` names a",
        "variable.",
        "",
        "## The run",
        "",
        *_table(Run),
    ]
    for name in registry.names("backends", "paid"):
        lines += [f"## backend: `use: {name}`", "", *_doc(registry.load("backends", name, "paid").Options, "backend")]
    for name in registry.names("stages", "takes"):
        lines += [f"## stages.{name}", "", *_doc(registry.load("stages", name, "takes").Options, f"stages.{name}")]
    for name in registry.names("sieves", "judge"):
        options = registry.load("sieves", name, "judge").Options
        if options.model_fields:
            lines += [f"## sieving.{name}", "", *_doc(options, f"sieving.{name}")]
    return "\n".join(lines).rstrip() + "\n"


def _doc(model: type[BaseModel], prefix: str) -> Iterator[str]:
    yield from _table(model, prefix)


def _table(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    yield from _rows(model, prefix)
    yield ""


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}.{name}" if prefix else name
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, key)
        else:
            meaning = (field.description or "").replace("|", "\\|")
            yield f"| `{key}` | {_type(inner)} | {_default(field)} | {meaning} |"


def _type(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in typing.get_args(annotation))
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (tuple, list):
        return f"list of {_type(typing.get_args(annotation)[0])}"
    if origin is dict:
        return "mapping"
    names = {type(None): "null", str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.json_schema_extra, dict) and "default" in field.json_schema_extra:
        return f"`{field.json_schema_extra['default']}`"  # one that the environment decides
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ""
    if isinstance(value, tuple):
        value = list(value)
    if value == "":
        return "empty"
    words = {None: "null", True: "true", False: "false"}
    return f"`{words.get(value, value) if isinstance(value, bool | type(None)) else value}`"


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference())
