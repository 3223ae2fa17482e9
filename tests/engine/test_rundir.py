"""A run directory belongs to one run; a changed configuration is told with what it pays for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from webscale_rl.config import Parts, Run, merge, read_yaml
from webscale_rl.engine.rundir import RUN_FILE, claim, differences, resolved, rules_digest
from webscale_rl.errors import ChangedError, ConfigError

PAID = {"backend": {"use": "openai", "model": "m"}}
ALL = "pays again: filter, classify, generate, check"


def record(*changes: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = PAID
    for change in changes:
        values = merge(values, change)
    run = Run.make(values)
    return resolved(run, Parts(run))


def claimed(folder: Path, *changes: dict[str, Any], accept: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    claim(folder, record(*changes), accept_changes=accept)


def test_the_resolved_configuration_holds_every_default_and_reads_back_as_the_same_run() -> None:
    made = record()
    again = Run.make(made["config"])
    assert resolved(again, Parts(again)) == made
    assert made["config"]["stages"]["classify"]["max_personas"] == 3
    assert made["config"]["traffic"]["retries"] == 8
    assert set(made["digests"]["prompts"]) == {"filter", "classify", "generate", "check"}


def test_a_stage_that_is_switched_off_stays_off_when_the_record_is_read_back() -> None:
    made = record({"stages": {"filter": {"enabled": False}}})
    again = Run.make(made["config"])
    assert "filter" not in made["config"]["pipeline"]
    assert [stage.name for stage in Parts(again).pipeline.stages] == made["config"]["pipeline"]


def test_a_custom_stage_that_is_switched_off_by_its_name_stays_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_stage_off.py").write_text(
        "from webscale_rl.stages.heuristics import Heuristics\nclass Mine(Heuristics):\n    name = 'mine'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    pipeline = ["own_stage_off:Mine", "generate"]
    made = record({"pipeline": pipeline, "stages": {"mine": {"enabled": False}}})
    assert made["config"]["pipeline"] == ["generate"]
    assert record({"pipeline": pipeline})["config"]["pipeline"] == pipeline


def test_the_record_is_plain_yaml_and_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    claimed(tmp_path, {"inputs": ["https://user:hunter2@a.example/x.jsonl?token=abc"]})
    text = (tmp_path / RUN_FILE).read_text(encoding="utf-8")
    assert yaml.safe_load(text) == record({"inputs": ["https://a.example/x.jsonl"]})
    assert "secret" not in text
    assert "hunter2" not in text


def test_a_new_folder_and_the_same_run_again_are_taken(tmp_path: Path) -> None:
    claimed(tmp_path)
    claimed(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["replies", RUN_FILE, "shards"]


@pytest.mark.parametrize("left", [".lock", f".{RUN_FILE}.tmp"])
def test_a_run_that_was_killed_before_it_wrote_its_record_can_be_run_again(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_text("x")
    claimed(tmp_path)
    assert read_yaml(tmp_path / RUN_FILE) == record()


def test_a_run_that_was_killed_right_after_its_record_can_be_run_again(tmp_path: Path) -> None:
    claimed(tmp_path)
    for name in ("replies", "shards"):
        (tmp_path / name).rmdir()
    claimed(tmp_path)
    assert (tmp_path / "shards").is_dir()


def test_a_crash_at_any_line_leaves_a_folder_that_is_still_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the folder holds when writing the record fails, the next run takes it."""

    def fail(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="no space"):
            claimed(tmp_path)
    claimed(tmp_path)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ConfigError, match="is not empty and holds no run; choose another --out"):
        claimed(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"], "and is left alone"
    (tmp_path / "thesis.tex").rename(tmp_path / RUN_FILE)
    for text in ("config: [1]\ndigests: {}\n", "config: {}\n", "", "digests: {}\nconfig: none\n"):
        (tmp_path / RUN_FILE).write_text(text)
        with pytest.raises(ConfigError, match=r"run\.yaml: was not written by webscale-rl"):
            claimed(tmp_path, accept=True)


def test_another_configuration_is_told_and_needs_consent(tmp_path: Path) -> None:
    claimed(tmp_path)
    (tmp_path / "replies" / "00000.journal").touch()  # something was paid for
    before = (tmp_path / RUN_FILE).read_bytes()
    with pytest.raises(ChangedError) as caught:
        claimed(tmp_path, {"seed": 7, "stages": {"check": {"temperature": 0.3}}})
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path} holds a run with another configuration:"
    assert lines[1:-1] == [
        "  seed: 0 -> 7 (pays again: generate, check)",
        "  stages.check.temperature: 0.0 -> 0.3 (pays again: check)",
    ]
    assert "--accept-changes" in lines[-1]
    assert (tmp_path / RUN_FILE).read_bytes() == before
    claimed(tmp_path, {"seed": 7, "stages": {"check": {"temperature": 0.3}}}, accept=True)
    claimed(tmp_path, {"seed": 7, "stages": {"check": {"temperature": 0.3}}})


@pytest.mark.parametrize(
    ("change", "key", "price"),
    [
        ({"backend": {"model": "n"}}, "backend.model", ALL),
        ({"stages": {"filter": {"model": "n"}}}, "stages.filter.model", "pays again: filter"),
        (
            {"stages": {"classify": {"max_personas": 2}}},
            "stages.classify.max_personas",
            "pays again: classify, generate, check",
        ),
        ({"stages": {"generate": {"few_shot": 3}}}, "stages.generate.few_shot", "pays again: generate, check"),
        ({"stages": {"check": {"max_tokens": 9}}}, "stages.check.max_tokens", "pays again: check"),
        (
            {"stages": {"precheck": {"allow_yes_no": False}}},
            "stages.precheck.allow_yes_no",
            "pays nothing again, but for records that now go on",
        ),
        (
            {"stages": {"heuristics": {"min_tokens": 9}}},
            "stages.heuristics.min_tokens",
            "pays nothing again, but for records that now go on",
        ),
        (
            {"stages": {"heuristics": {"pii": "mask"}}},
            "stages.heuristics.pii",
            "pays for documents whose text it changes, and records that now go on",
        ),
        ({"sieves": []}, "sieves", "pays nothing again"),
        ({"dataset": {"pretrain_text": False}}, "dataset.pretrain_text", "pays nothing again"),
        ({"shard_size": 7}, "shard_size", "pays for documents that are new"),
        ({"inputs": ["b"]}, "inputs", "pays for documents that are new"),
    ],
)
def test_a_changed_key_is_told_with_what_it_pays_for_again(change: dict[str, Any], key: str, price: str) -> None:
    (line,) = differences(record(), record(change))
    assert line.startswith(f"{key}: ")
    assert line.endswith(f"({price})")


@pytest.mark.parametrize(
    "change",
    [
        {"out": "x"},
        {"limit": 3},
        {"traffic": {"concurrency": 3}},
        {"min_free_disk_mb": 1},
        {"backend": {"base_urls": ["http://b/v1"]}},
        {"backend": {"timeout_s": 3}},
        {"backend": {"api_key_env": "OTHER"}},
    ],
)
def test_what_does_not_change_the_result_is_no_difference(change: dict[str, Any]) -> None:
    assert list(differences(record(), record(change))) == []
    assert rules_digest(record()) == rules_digest(record(change))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"shard_size": 7},
        {"inputs": ["b"]},
        {"backend": {"model": "n"}},
        {"dataset": {"pretrain_text": False}},
        {"stages": {"precheck": {"allow_yes_no": False}}},
        {"stages": {"precheck": {"enabled": False}}},
        {"corpus": {"text_field": "body"}},
    ],
)
def test_what_changes_a_shard_changes_its_rules(change: dict[str, Any]) -> None:
    assert list(differences(record(), record(change)))
    assert rules_digest(record()) != rules_digest(record(change))


def test_sieves_do_not_change_a_shard() -> None:
    assert rules_digest(record()) == rules_digest(record({"sieves": []}))


def test_an_edited_prompt_and_edited_domains_are_differences(tmp_path: Path) -> None:
    prompt = tmp_path / "check.md"
    domain = tmp_path / "domains" / "wood" / "domain.yaml"
    domain.parent.mkdir(parents=True)

    def edited(text: str, definition: str) -> dict[str, Any]:
        prompt.write_text(f"# system\n{text}\n# user\n{{{{document|quoted}}}}")
        domain.write_text(f"name: Wood\ndefinition: {definition}")
        return record({"domains": str(tmp_path / "domains"), "stages": {"check": {"prompt": str(prompt)}}})

    before = edited("a", "b")
    assert list(differences(before, edited("A", "b"))) == ["the prompt of check was edited (pays again: check)"]
    assert list(differences(before, edited("a", "B"))) == [
        "the domains were edited (pays again: classify, generate, check)"
    ]
    assert len({rules_digest(edited(*texts)) for texts in (("a", "b"), ("A", "b"), ("a", "B"))}) == 3


def test_another_layout_is_one_difference_that_pays_for_all_that_it_moves() -> None:
    other = record({"layout": "instructions_first"})
    assert list(differences(record(), other)) == [f"layout: 'shared_prefix' -> 'instructions_first' ({ALL})"]
    alone = record({"stages": {"check": {"layout": "instructions_first"}}})
    assert list(differences(record(), alone)) == [
        "stages.check.layout: None -> 'instructions_first' (pays again: check)"
    ]
    assert len({rules_digest(made) for made in (record(), other, alone)}) == 3


def test_a_layout_that_changed_for_another_reason_is_told() -> None:
    two = {"pipeline": ["generate", "check"]}
    left = record(two, {"stages": {"check": {"model": "n"}}})
    assert "the layout of generate's prompt is another (pays again: generate, check)" in differences(record(two), left)


def test_a_free_backend_never_pays_again() -> None:
    made, changed = (resolved(run, Parts(run)) for run in (Run(), Run(seed=3, shard_size=7, domains=None)))
    assert list(differences(made, changed)) == [
        "seed: 0 -> 3 (pays nothing again)",
        "shard_size: 1000 -> 7 (pays for documents that are new)",
    ]


def test_a_run_from_which_nothing_came_may_change_freely(tmp_path: Path) -> None:
    """A wrong model name, say, which is mended now."""
    claimed(tmp_path)
    claimed(tmp_path, {"backend": {"model": "n"}})
    assert read_yaml(tmp_path / RUN_FILE) == record({"backend": {"model": "n"}})
    (tmp_path / "shards" / "00000.parquet").touch()
    with pytest.raises(ChangedError):
        claimed(tmp_path)


def test_a_field_that_a_server_is_sent_is_never_mistaken_for_an_option_of_ours() -> None:
    change = {"backend": {"extra_body": {"timeout_s": 3}}}
    assert list(differences(record(), record(change)))
    assert rules_digest(record()) != rules_digest(record(change))


@pytest.mark.parametrize(
    ("source", "change", "moved"),
    [("s", {}, False), ("t", {}, True), ("", {}, True), ("s", {"shard_size": 7}, True), ("s", {"limit": 3}, False)],
)
def test_replies_that_were_paid_for_other_input_or_other_shards_are_said_to_lie_there(
    tmp_path: Path, source: str, change: dict[str, Any], moved: bool
) -> None:
    def claim_as(values: dict[str, Any], source: str) -> bool:
        run = Run.make(merge(PAID, values))
        return claim(tmp_path, resolved(run, Parts(run), source), accept_changes=True)

    assert claim_as({}, "s") is False
    assert claim_as(change, source) is False, "there are none yet"
    claim_as({}, "s")
    (tmp_path / "replies" / "00000.journal").touch()
    assert claim_as(change, source) is moved
