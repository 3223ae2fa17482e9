"""lm-eval is asked as it stands: the paper's tasks are its own, and a task without data is one row's failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lm_eval")

from tests.evaluation.tiny import saved
from webscale_rl.evaluation import Options, evaluate, load_suite
from webscale_rl.evaluation.harness import Harness, Model, score
from webscale_rl.evaluation.results import RowFailed
from webscale_rl.evaluation.suites import SuiteRow

COMMON = """
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
fewshot_split: test
doc_to_text: "{{{{q}}}} is"
tag: tiny_tag
"""
GENERATE = """task: tiny_generate
output_type: generate_until
doc_to_target: "{{a}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 6}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
CHOICE = """task: tiny_choice
output_type: multiple_choice
doc_to_target: 1
doc_to_choice: "{{c}}"
num_fewshot: 0
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
UNREACHABLE = """task: tiny_unreachable
dataset_path: nobody/nothing
output_type: generate_until
test_split: test
doc_to_text: q
doc_to_target: a
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"), width=32, layers=1, context=256)


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tasks over a local file, and one whose data are on a hub that is not reached."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "tasks"
    folder.mkdir()
    rows = [{"q": f"{n} plus 1", "a": str(n + 1), "c": [str(n + 5), str(n + 1)]} for n in range(8)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    common = COMMON.format(data=folder / "rows.jsonl")
    (folder / "generate.yaml").write_text(GENERATE + common, encoding="utf-8")
    (folder / "choice.yaml").write_text(CHOICE + common, encoding="utf-8")
    (folder / "unreachable.yaml").write_text(UNREACHABLE, encoding="utf-8")
    return folder


def suite(tasks: Path, *rows: dict[str, Any]) -> Path:
    path = tasks.parent / "suite.yaml"
    path.write_text(json.dumps({"include": "tasks", "rows": rows}), encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore")
def test_tasks_of_both_kinds_are_scored_and_one_without_data_fails_alone(model: Path, tasks: Path) -> None:
    (tasks.parent / "facts.jsonl").write_text('{"question": "q", "answer": "a"}\n', encoding="utf-8")
    path = suite(
        tasks,
        {"name": "Generate", "task": "tiny_generate", "shots": 2, "max_tokens": 3},
        {"name": "Nothing", "task": "tiny_unreachable"},
        {"name": "Choice", "task": "tiny_choice", "metric": "acc,none"},
        {"name": "Facts", "file": "facts.jsonl", "max_tokens": 3},
    )
    options = Options(batch_size=4)
    out = tasks.parent / "out"
    evaluated = evaluate(model, path, out, limit=6, options=options, device="cpu")
    generate, nothing, choice, facts = evaluated.rows
    assert [row.status for row in evaluated.rows] == ["done", "failed", "done", "done"]
    assert evaluated.failed == 1
    assert (generate.count, generate.shots, len(generate.questions)) == (6, 2, 6)
    assert 6 <= generate.ledger.rollout <= 18, "six answers of at most three tokens"
    assert choice.score is not None
    assert sum(choice.questions.values()) / 6 == pytest.approx(choice.score)
    assert choice.stderr == pytest.approx((choice.score * (1 - choice.score) / 5) ** 0.5), "lm-eval's own"
    assert choice.ledger.rollout == 0, "weighing given answers samples nothing"
    assert nothing.why.startswith("tiny_unreachable: its data cannot be reached (Couldn't reach 'nobody/nothing'")
    assert "\n" not in nothing.why
    assert facts.kind == "local"
    again = evaluate(model, path, out, limit=6, options=options, device="cpu")
    assert [row.score for row in again.rows] == [row.score for row in evaluated.rows]


@pytest.mark.filterwarnings("ignore")
def test_a_tag_is_the_mean_of_its_tasks_and_a_wrong_metric_is_named(model: Path, tasks: Path) -> None:
    harness = Harness(str(model), Model(str(model), "cpu"), Options(batch_size=4, limit=4, device="cpu"), str(tasks))
    with pytest.raises(RowFailed, match=r"tiny_choice: has several metrics; .*acc,none; acc_norm,none"):
        harness.evaluate(SuiteRow(name="a", task="tiny_choice"))
    with pytest.raises(RowFailed, match=r"has no metric 'f1,none'; it has exact_match,none"):
        harness.evaluate(SuiteRow(name="a", task="tiny_generate", metric="f1,none"))
    with pytest.raises(RowFailed, match="fixes its number of shots at 0"):
        harness.evaluate(SuiteRow(name="a", task="tiny_choice", metric="acc,none", shots=3))


def test_a_group_is_added_up_by_lm_eval_and_a_tag_by_us() -> None:
    two = (
        {"exact_match,none": 0.5, "exact_match_stderr,none": 0.3},
        {"exact_match,none": 1.0, "exact_match_stderr,none": 0.4},
    )
    told = {
        "results": {"a": two[0], "b": two[1]},
        "groups": {"g": {"exact_match,none": 0.75, "exact_match_stderr,none": "N/A"}},
        "n-samples": {"a": {"effective": 10}, "b": {"effective": 30}},
    }
    assert score(told, "g", None)[1].value == 0.75
    assert score(told, "g", None)[1].stderr is None
    metric, tag = score(told, "some_tag", None)
    assert metric == "exact_match,none"
    assert (tag.value, tag.count) == (0.75, 40)
    assert tag.stderr == pytest.approx(0.25)


def test_the_papers_tasks_are_in_lm_evals_registry_with_these_metrics_and_shots() -> None:
    """Read from the installed tasks: no data are needed."""
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    manager = TaskManager()
    for row in load_suite("paper").rows:
        if row.task is None:
            continue
        entry = manager.task_index[row.task]
        given = load_yaml(entry.yaml_path, resolve_func=False)
        metric, _, chosen = str(row.metric).partition(",")
        if "group" in given:
            wanted = [one for one in given["aggregate_metric_list"] if one["metric"] == metric]
            assert [one["filter_list"] for one in wanted] in (chosen, [chosen], [[chosen]]), row.name
            given = load_yaml(manager.task_index[given["task"][0]].yaml_path, resolve_func=False)
        else:
            assert metric in [one["metric"] for one in given["metric_list"]], row.name
            assert chosen in [one["name"] for one in given.get("filter_list", [{"name": "none"}])], row.name
        fixed = given.get("num_fewshot")
        assert fixed == row.shots or (row.shots is not None and fixed != 0), f"{row.name}: lm-eval would not change it"
        assert given["output_type"] == "generate_until", "a served model can be asked all of it"
