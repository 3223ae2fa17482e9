"""The reference and the starter file come from the models, so that they cannot lie."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from pydantic import BaseModel

from webscale_rl import registry
from webscale_rl.config import Parts, Run
from webscale_rl.report.reference import reference, starter

KINDS = {"backends": ("paid", "backend"), "stages": ("takes", "stages.{}")}
ROW = re.compile(r"\| `([a-z0-9_.]+)` \| (.+?) \| (.*?) \| (.*) \|")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def rows(heading: str) -> dict[str, tuple[str, str, str]]:
    section = reference().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [ROW.fullmatch(line) for line in section.split("\n") if line.startswith("| `")]
    assert all(found), section
    return {match[1]: (match[2], match[3], match[4]) for match in found if match}


def test_every_key_of_the_run_is_told_once_in_its_order() -> None:
    assert list(rows("The run")) == list(keys(Run))


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in KINDS for name in registry.names(package, KINDS[package][0])]
)
def test_every_option_of_every_stage_and_backend_is_told(package: str, name: str) -> None:
    attribute, prefix = KINDS[package]
    heading = f"backend: `use: {name}`" if package == "backends" else f"stages.{name}"
    options = registry.load(package, name, attribute).Options
    assert list(rows(heading)) == [f"{prefix.format(name)}.{key}" for key in keys(options)]


def test_every_key_says_its_type_its_default_and_what_it_does() -> None:
    told = rows("The run") | rows("stages.classify")
    assert told["limit"] == ("integer or null", "`null`", "read no more than so many documents")
    assert told["traffic.concurrency"][:2] == ("integer", "`64`")
    assert told["dataset.pretrain_text"][:2] == ("true or false", "`true`")
    assert told["inputs"][:2] == ("list of text", "`[]`")
    assert told["stages.classify.temperature"][:2] == ("number or null", "`0.7`")
    assert told["sieves"][1] == "`['dedup', 'decontaminate']`"
    assert rows("backend: `use: openai`")["backend.use"][1] == "required"
    for key, (kind, _, meaning) in told.items():
        if not key.endswith(".use"):
            assert kind, key
            assert len(meaning) > 10, key


def test_the_reference_is_a_table_on_every_line_that_begins_one() -> None:
    for line in reference().split("\n"):
        if line.startswith("|"):
            assert len(re.split(r"(?<!\\)\|", line)) == 6, line


def test_the_reference_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    plain = reference()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:hunter2@10.0.0.7/v1")
    assert reference() == plain


def test_the_starter_is_a_run_that_works_and_sets_nothing_but_defaults() -> None:
    values = yaml.safe_load(starter("mine.yaml"))
    run = Run.make(values)
    parts, default = Parts(run), Parts(Run())
    assert run.inputs == ("sample:",)
    assert run.model_copy(update={"inputs": (), "out": None, "stages": {}}) == Run()
    assert [stage.options for stage in parts.pipeline.stages] == [stage.options for stage in default.pipeline.stages]
    assert "-c mine.yaml" in starter("mine.yaml")


def test_the_starters_commented_lines_are_a_run_too() -> None:
    lines = [
        re.sub(r"^( *)# (?=(?:use|model|base_urls|api_key_env|limit):)", r"\1", line)
        for line in starter().split("\n")
        if line.strip() != "use: extractive            # the embedded default: no model, no network, no key".strip()
    ]
    run = Run.make(yaml.safe_load("\n".join(lines)))
    assert run.limit == 100
    assert Parts(run).backend_name == "openai"
