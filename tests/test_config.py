"""The configuration: what it does not know it refuses, with one line that names the key and the nearest known one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from webscale_rl import registry
from webscale_rl.config import PIPELINE, Parts, Run, merge, read_yaml
from webscale_rl.errors import ConfigError


def fault(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        Parts(Run.make(values))
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"inptus": ["a"]}, "configuration: inptus: unknown key; did you mean 'inputs'?"),
        ({"traffic": {"concurency": 3}}, "configuration: traffic.concurency: unknown key; did you mean 'concurrency'?"),
        (
            {"dataset": {"pretrain_txt": True}},
            "configuration: dataset.pretrain_txt: unknown key; did you mean 'pretrain_text'?",
        ),
        ({"corpus": {"txt_field": "a"}}, "configuration: corpus.txt_field: unknown key; did you mean 'text_field'?"),
        ({"stages": {"clasify": {}}}, "stages.clasify: no stage of that name; did you mean 'classify'?"),
        (
            {"stages": {"classify": {"max_persona": 3}}},
            "stages.classify.max_persona: unknown key; did you mean 'max_personas'?",
        ),
        ({"stages": {"heuristics": {"model": "m"}}}, "stages.heuristics.model: unknown key"),
        ({"backend": {"use": "openai", "modle": "m"}}, "backend.modle: unknown key; did you mean 'model'?"),
        ({"backend": {"use": "extractve"}}, "backends: there is no 'extractve'; did you mean 'extractive'?"),
        ({"pipeline": ["heuristics", "genrate"]}, "stages: there is no 'genrate'; did you mean 'generate'?"),
        ({"sieves": ["dedupe"]}, "sieves: there is no 'dedupe'; did you mean 'dedup'?"),
    ],
)
def test_an_unknown_key_is_told_the_nearest_known_one_at_every_level(values: dict[str, Any], told: str) -> None:
    assert fault(values).startswith(told)


def test_a_key_that_is_near_to_none_is_told_all_there_are() -> None:
    assert (
        fault({"dataset": {"xyz": 1}}) == "configuration: dataset.xyz: unknown key; known: pretrain_text, rows_per_file"
    )


@pytest.mark.parametrize(
    ("values", "key", "given"),
    [
        ({"limit": 0}, "limit", "'0'"),
        ({"limit": "many"}, "limit", "'many'"),
        ({"seed": 1.5}, "seed", "'1.5'"),
        ({"inputs": "a.jsonl"}, "inputs", "'a.jsonl'"),
        ({"traffic": {"concurrency": 0}}, "traffic.concurrency", "'0'"),
        ({"traffic": 3}, "traffic", "'3'"),
        ({"stages": {"classify": None}}, "stages.classify", "'None'"),
        ({"stages": ["classify"]}, "stages", "['classify']"),
        ({"backend": "openai"}, "backend", "'openai'"),
        ({"dataset": {"pretrain_text": "perhaps"}}, "dataset.pretrain_text", "'perhaps'"),
        ({"stages": {"classify": {"max_personas": 21}}}, "stages.classify.max_personas", "'21'"),
        ({"stages": {"check": {"temperature": -1}}}, "stages.check.temperature", "'-1'"),
        ({"stages": {"heuristics": {"max_digits": 1.2}}}, "stages.heuristics.max_digits", "'1.2'"),
    ],
)
def test_a_wrong_value_is_told_its_key_and_what_it_is(values: dict[str, Any], key: str, given: str) -> None:
    message = fault(values)
    assert "\n" not in message
    assert re.match(rf"(configuration: )?{re.escape(key)}: [a-z]", message)
    assert given in message


def test_each_fault_has_a_line_of_its_own() -> None:
    lines = fault({"limt": 1, "seed": "x", "traffic": {"retries": -1}}).splitlines()
    assert [line.split(": ")[1] for line in sorted(lines)] == ["limt", "seed", "traffic.retries"]


def test_a_key_that_was_put_where_a_variables_name_belongs_is_not_told() -> None:
    message = fault({"backend": {"use": "openai", "model": "m", "api_key_env": "sk-secret-123"}})
    assert message.startswith("backend.api_key_env: ")
    assert "secret" not in message


def test_a_paid_backend_without_a_model_is_refused_before_the_first_call() -> None:
    assert fault({"backend": {"use": "openai"}}).startswith("stages.filter.model: no model; set backend.model")
    models = {name: {"model": "m"} for name in ("filter", "classify", "generate")}
    assert fault({"backend": {"use": "openai"}, "stages": models}).startswith("stages.check.model: no model")
    Parts(Run.make({"backend": {"use": "openai"}, "stages": {**models, "check": {"enabled": False}}}))
    Parts(Run.make({"backend": {"use": "openai", "model": "m"}}))


def test_the_stages_own_model_comes_before_the_backends() -> None:
    parts = Parts(Run.make({"backend": {"use": "openai", "model": "big"}, "stages": {"check": {"model": "small"}}}))
    assert {stage.name: parts.model(stage) for stage in parts.pipeline.stages if stage.prompt} == {
        "filter": "big",
        "classify": "big",
        "generate": "big",
        "check": "small",
    }


def test_without_a_backend_the_embedded_one_answers_and_with_options_alone_openai() -> None:
    assert Parts(Run()).backend_name == "extractive"
    assert Parts(Run.make({"backend": {"model": "m"}})).backend_name == "openai"
    assert Parts(Run.make({"backend": {}})).backend_name == "extractive"


def test_every_default_is_a_run_that_works() -> None:
    parts = Parts(Run())
    assert [stage.name for stage in parts.pipeline.stages] == list(PIPELINE) == parts.enabled
    assert [sieve.name for sieve in parts.sieves] == ["dedup", "decontaminate"]


@pytest.mark.parametrize("name", ["heuristics", "filter", "classify", "precheck", "check"])
def test_a_stage_is_switched_off_by_configuration(name: str) -> None:
    parts = Parts(Run.make({"stages": {name: {"enabled": False}}}))
    assert (
        parts.enabled == [stage.name for stage in parts.pipeline.stages] == [each for each in PIPELINE if each != name]
    )


def test_a_run_without_the_stage_that_writes_questions_is_refused() -> None:
    assert fault({"stages": {"generate": {"enabled": False}}}).startswith("pipeline: ")
    assert fault({"pipeline": []}) == "pipeline: no stage writes questions; keep 'generate' in the list and enabled"


def test_what_stands_twice_is_refused() -> None:
    assert fault({"sieves": ["dedup", "dedup"]}).startswith("sieves: dedup stands twice")
    assert fault({"pipeline": ["heuristics", "heuristics", "generate"]}).startswith("pipeline: heuristics stands twice")


OWN = """
from pydantic import Field
from webscale_rl.stage import Stage, StageOptions
from webscale_rl.types import Document


class Options(StageOptions):
    most: int = Field(3, ge=1)


class NoPaywalls(Stage):
    name = "no_paywalls"
    takes = gives = Document
    reasons = frozenset({"paywall"})
    Options = Options

    def decide(self, record, reply):
        paid = record.text.count("Subscribe to read on") > self.options.most
        return self.drop("paywall") if paid else [record]
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    Path("my_paywalls.py").write_text(OWN)
    return ("heuristics", "my_paywalls:NoPaywalls", "generate")


@pytest.mark.parametrize("key", ["no_paywalls", "my_paywalls:NoPaywalls"])
def test_a_custom_stage_is_named_by_its_dotted_path_and_told_by_either_name(own: tuple[str, ...], key: str) -> None:
    parts = Parts(Run.make({"pipeline": own, "stages": {key: {"most": 7}}}))
    assert [stage.name for stage in parts.pipeline.stages] == ["heuristics", "no_paywalls", "generate"]
    assert parts.pipeline.stages[1].options.most == 7
    parts = Parts(Run.make({"pipeline": own, "stages": {key: {"enabled": False}}}))
    assert parts.enabled == ["heuristics", "generate"]
    assert "my_paywalls:NoPaywalls.most" in fault({"pipeline": own, "stages": {key: {"most": 0}}})
    assert fault({"pipeline": own, "stages": {"no_paywals": {}}}).endswith("did you mean 'no_paywalls'?")


def test_values_laid_over_a_file_win_key_by_key(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 3\nstages: {classify: {max_personas: 2, temperature: 0.5}}\ntraffic: {retries: 1}\n")
    run = Run.load(path, {"seed": 4, "stages": {"classify": {"max_personas": 5}}, "inputs": ["a"]})
    assert (run.seed, run.traffic.retries, run.inputs) == (4, 1, ("a",))
    assert run.stages == {"classify": {"max_personas": 5, "temperature": 0.5}}


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}, "c": [2]}
    assert merge(base, over) == {"a": {"b": 1, "d": 2}, "c": [2]}
    assert (base, over) == ({"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}, "c": [2]})
    assert merge({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert merge({"a": 1}, {"a": {"b": 1}}) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"- a\n- b\n", "must hold keys and values, not a list"),
        (b"a: [1\n", "line 2"),
        (b"\xff", "decode"),
        (b"a: !!python/object:os.system x", "tag"),
    ],
)
def test_a_file_that_is_no_configuration_is_named_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=told) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: no such file"):
        Run.load(tmp_path / "no.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert Run.load(tmp_path / "empty.yaml") == Run()


def test_a_faulty_file_is_named_in_every_line(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("sed: 1\nlimit: -1\n")
    with pytest.raises(ConfigError) as caught:
        Run.load(tmp_path / "run.yaml")
    assert all(line.startswith(f"{tmp_path / 'run.yaml'}: ") for line in str(caught.value).splitlines())


def test_a_run_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Run().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", registry.names("stages", "takes"))
def test_every_option_of_a_stage_says_what_it_does(name: str) -> None:
    for key, field in registry.load("stages", name, "takes").Options.model_fields.items():
        assert field.description, key


def test_a_run_that_starts_a_server_asks_no_other_one() -> None:
    """Without this a part of the package that starts no server would send the documents to the default one."""
    run = Run.make({"serve": {"command": "vllm serve m"}})
    parts = Parts(run)
    assert parts.backend_name == "openai"
    with pytest.raises(ConfigError, match=r"serve\.command: no server is started here"):
        parts.backend()
    assert Run.make({"serve": {"command": "x"}, "backend": {"use": "extractive"}}).answered_by["use"] == "extractive"


def test_options_of_a_sieve_are_checked_by_the_sieve_itself() -> None:
    assert fault({"sieving": {"dedup": {"nonsense": 1}}}).startswith("sieving.dedup.nonsense: unknown key")
    assert fault({"sieving": {"dedupe": {}}}) == "sieving.dedupe: no sieve of that name; did you mean 'dedup'?"
