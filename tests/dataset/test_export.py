"""An export is there whole or not at all, with exactly the columns and types of its form."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.exported import HOSTILE, SYSTEM, example, exported, run_directory
from tests.runs import command
from webscale_rl.cli import export as cli
from webscale_rl.dataset.export import Choice, export, forms
from webscale_rl.dataset.exporter import JSON_LINES, Files, wrapped
from webscale_rl.dataset.held_out import HELD_OUT, choose, write_held_out
from webscale_rl.dataset.held_out import Choice as Held
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS
from webscale_rl.dataset.selection import Bounds
from webscale_rl.dataset.split import parse
from webscale_rl.errors import ConfigError, ExportError
from webscale_rl.reward import reward

STRING, INT, DOUBLE = pa.string(), pa.int64(), pa.float64()
CHAT = pa.list_(pa.struct([("role", STRING), ("content", STRING)]))
ABOUT = pa.struct(
    [("split", STRING), ("index", INT), *((name, STRING) for name in
     ("question", "answer", "answer_type", "id", "document_id", "domain")), ("difficulty", DOUBLE)]
)  # fmt: skip
SCHEMAS: dict[str, dict[str, Any]] = {
    "trl": {
        "prompt": CHAT, "ground_truth": STRING, "question": STRING, "answer": STRING, "answer_type": STRING,
        "id": STRING, "document_id": STRING, "domain": STRING, "difficulty": DOUBLE,
    },
    "verl": {
        "data_source": STRING, "prompt": CHAT, "ability": STRING,
        "reward_model": pa.struct([("style", STRING), ("ground_truth", STRING)]), "extra_info": ABOUT,
    },
    "skyrl": {
        "data_source": STRING, "prompt": CHAT, "env_class": STRING,
        "reward_spec": pa.struct([(n, STRING) for n in ("method", "ground_truth", "question", "answer_type")]),
        "extra_info": ABOUT,
    },
    "openrlhf": {"prompt": CHAT} | dict.fromkeys(
        ("question", "ground_truth", "datasource", "answer", "answer_type", "id", "document_id"), STRING
    ),
    "verifiers": dict.fromkeys(
        ("id", "question", "ground_truth", "answer", "answer_type", "system_prompt", "document_id", "domain"), STRING
    ) | {"difficulty": DOUBLE},
    "open-instruct": {"messages": CHAT} | dict.fromkeys(("ground_truth", "dataset", "id", "document_id"), STRING),
    "sft": {"messages": CHAT, "id": STRING, "document_id": STRING},
    "webscale": dict.fromkeys(("pretrain_text", "domain", "persona", "question", "answer"), STRING),
}  # fmt: skip
KEYS = {
    "nemo-rl": ["input", "output", "id"],
    "nemo-gym": [
        "responses_create_params", "ground_truth", "question", "answer", "answer_type", "id", "document_id", "domain",
        "difficulty", "agent_ref",
    ],
    "jsonl": list(EXAMPLE_COLUMNS),
}  # fmt: skip
TRUTHS = {
    "trl": lambda row: row["ground_truth"],
    "verl": lambda row: row["reward_model"]["ground_truth"],
    "skyrl": lambda row: row["reward_spec"]["ground_truth"],
    "openrlhf": lambda row: row["ground_truth"],
    "verifiers": lambda row: row["ground_truth"],
    "open-instruct": lambda row: row["ground_truth"],
    "nemo-rl": lambda row: row["output"],
    "nemo-gym": lambda row: row["ground_truth"],
}


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of an export."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_form_is_tested_here() -> None:
    assert sorted({*SCHEMAS, *KEYS}) == sorted(forms())


@pytest.mark.parametrize("form", sorted(SCHEMAS))
def test_a_parquet_form_has_exactly_its_columns_and_types(tmp_path: Path, form: str) -> None:
    directory = run_directory(tmp_path, map(example, range(9)))
    written = export(directory, form)
    schema = pq.read_schema(written.files.train_path)
    assert {field.name: field.type for field in schema} == SCHEMAS[form]
    assert schema.names == list(SCHEMAS[form])


@pytest.mark.parametrize("form", sorted(KEYS))
def test_a_json_lines_form_has_exactly_its_keys(tmp_path: Path, form: str) -> None:
    written = export(run_directory(tmp_path, map(example, range(9))), form)
    assert [list(row) for row in read(written.files.train_path)] == [KEYS[form]] * 9


@pytest.mark.parametrize("form", sorted(TRUTHS))
def test_the_ground_truth_is_the_stored_reference_and_the_reward_takes_it(tmp_path: Path, form: str) -> None:
    rows = [example(n, reference="" if n == 4 else example(n)["reference"]) for n in range(9)]  # 4: of an older run
    written = export(run_directory(tmp_path, rows), form)
    truths = [TRUTHS[form](row) for row in read(written.files.train_path)]
    assert truths == [example(n)["reference"] for n in range(9)]
    for row, truth in zip(rows, truths, strict=True):
        assert reward(f"Answer: {row['answer']}", truth).score == 1


@pytest.mark.parametrize("form", sorted(forms()))
def test_the_same_export_is_the_same_bytes_and_leaves_nothing_else(tmp_path: Path, form: str) -> None:
    prompts = forms()[form].prompts
    first = exported(tmp_path, form, system=SYSTEM if prompts else None)
    assert first.files.folder == tmp_path / "run" / "export" / form
    before = content(first.files.folder)
    assert sorted(before) == sorted(["README.md", *(path.name for path in first.files.paths.values())])
    choice = Choice(splits=parse("train=0.75,test=0.25"), system_prompt=SYSTEM if prompts else None)
    assert export(tmp_path / "run", form, None, choice) == first
    assert content(first.files.folder) == before
    assert [path.name for path in (tmp_path / "run" / "export").iterdir()] == [form]


@pytest.mark.parametrize("form", ["verl", "sft"])
def test_datasets_loads_the_folder_with_its_splits_whatever_they_are_called(tmp_path: Path, form: str) -> None:
    from datasets import load_dataset

    directory = run_directory(tmp_path / "run", map(example, range(48)))
    written = export(directory, form, None, Choice(splits=parse("fit=0.5,judge=0.5")))
    loaded = load_dataset(str(written.files.folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(loaded[name]) for name in loaded} == dict(written.files.rows)
    assert next(iter(loaded["fit"])) == read(written.files.paths["fit"])[0]


def test_a_system_prompt_stands_before_every_question_and_nothing_in_it_is_a_template(tmp_path: Path) -> None:
    for form, told in (("trl", "prompt"), ("verl", "prompt"), ("skyrl", "prompt"), ("sft", "messages")):
        for row in read(exported(tmp_path / form, form).files.train_path):
            assert row[told][0] == {"role": "system", "content": SYSTEM}
    plain = exported(tmp_path / "none", "trl", system=None).files.paths.values()
    without = [row for path in plain for row in read(path)]
    assert {turn["role"] for row in without for turn in row["prompt"]} == {"user"}
    assert HOSTILE in {row["prompt"][-1]["content"] for row in without}


def test_jsonl_has_every_column_and_metadata_as_an_object(tmp_path: Path) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(5)))
    done = export(directory, "jsonl", tmp_path / "deep" / "er" / "all.jsonl")
    rows = read(done.path)
    assert (done.path, done.rows, len(rows)) == (tmp_path / "deep" / "er" / "all.jsonl", 5, 5)
    assert rows[0] == example(0) | {"metadata": {"lang": "en"}}


def test_webscale_refuses_a_dataset_whose_texts_were_left_out(tmp_path: Path) -> None:
    run_directory(tmp_path, (example(n, pretrain_text=None) for n in range(5)))
    with pytest.raises(ExportError, match=r"no pretrain_text; run again with dataset\.pretrain_text: true"):
        export(tmp_path, "webscale")
    assert [path for path in (tmp_path / "export").rglob("*") if path.is_file()] == [], "whole or not at all"


def test_a_refused_export_leaves_an_earlier_one_alone(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, map(example, range(30)))
    before = content(export(directory, "trl").path)
    for choice in (Choice(difficulty=Bounds(0, 1)), Choice(splits=parse("train=0.9999,test=0.0001"))):
        with pytest.raises(ExportError):
            export(directory, "trl", None, choice)
        assert content(directory / "export" / "trl") == before


def test_no_split_of_an_earlier_export_is_left_to_be_loaded_with_this_one(tmp_path: Path) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(48)))
    for out in (None, tmp_path / "mine"):
        both = export(directory, "trl", out, Choice(splits=parse("train=0.5,test=0.5")))
        assert both.path == (out or directory / "export" / "trl")
        assert sorted(content(both.path)) == ["README.md", "test.parquet", "train.parquet"]
        assert sorted(content(export(directory, "trl", out).path)) == ["README.md", "train.parquet"]


def test_rows_of_a_difficulty_are_exported_and_the_others_told(tmp_path: Path) -> None:
    rates = [0.0, 0.1, 0.5, 0.9, 1.0, None]
    directory = run_directory(tmp_path, (example(n, difficulty=rates[n % 6]) for n in range(12)))
    written = export(directory, "trl", None, Choice(difficulty=Bounds.parse("0.1:0.9")))
    assert [row["difficulty"] for row in read(written.files.train_path)] == [0.1, 0.5, 0.9] * 2
    assert written.left_out == {"other difficulty": 4, "no difficulty": 2}
    assert Bounds.parse(":0.5") == (0, 0.5)
    assert Bounds.parse("0.5:") == (0.5, 1)


@pytest.mark.parametrize("choice", [Choice(), Choice(max_rows=20), Choice(splits=parse("train=0.5,test=0.5"))])
def test_what_the_warm_up_learns_is_not_rewarded(tmp_path: Path, choice: Choice) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(30)))
    held_out = Held(4, 1.0, 0)
    chosen = choose(directory / "dataset", held_out)
    (directory / HELD_OUT).parent.mkdir()
    write_held_out(directory / HELD_OUT, directory / "dataset", chosen, held_out)
    for form, exporter in forms().items():
        if form == "webscale":
            continue  # it has no ids to look for
        written = export(directory, form, tmp_path / form, choice)
        text = b"".join(path.read_bytes() for path in written.files.paths.values())
        rewarded = exporter.prompts and form != "sft"
        assert (written.left_out.get("held out for the warm-up", 0) == 3) == rewarded, form
        if exporter.ending == JSON_LINES and rewarded:
            assert not any(f'"{document}"'.encode() in text for document in chosen.documents), form
    everything = frozenset(f"doc-{number}" for number in range(10))
    with pytest.raises(ExportError, match="all 30 rows are of documents that are held out"):
        export(directory, "trl", tmp_path / "none", replace(choice, held_out=everything))


def test_a_sample_is_drawn_over_all_rows_and_a_smaller_one_is_part_of_it(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, map(example, range(200)))

    def ids(most: int, seed: int = 0, splits: str | None = None) -> list[str]:
        choice = Choice(max_rows=most, seed=seed, splits=parse(splits) if splits else ())
        files = export(directory, "trl", None, choice).files
        return [row["id"] for path in files.paths.values() for row in read(path)]

    forty = ids(40)
    assert len(forty) == len(set(forty)) == 40
    assert forty == sorted(forty), "in the order of the dataset"
    assert forty[-1] > example(120)["id"], "not the first ones"
    assert set(ids(20)) < set(forty)
    assert set(ids(40, splits="train=0.5,test=0.5")) == set(forty), "splits share one sample"
    assert set(ids(40, seed=1)) != set(forty)
    assert len(ids(1000)) == 200


def test_of_rows_with_one_id_no_more_than_were_asked_for_are_taken(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, (example(n, id="0" * 32) for n in range(10)))
    written = export(directory, "trl", None, Choice(max_rows=3))
    assert written.rows == 3
    assert written.left_out == {"beyond --max-rows": 7}


def test_a_file_and_a_dataset_folder_are_exported_too(tmp_path: Path) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(30)))
    first = read(export(directory, "trl", tmp_path / "a.parquet").path)
    assert read(export(directory / "dataset", "trl", tmp_path / "b.parquet").path) == first
    assert (
        read(export(directory / "dataset" / "part-00000.parquet", "trl", tmp_path / "c").files.train_path) == first[:20]
    )
    with pytest.raises(ExportError, match="is a file; say with --out where to write"):
        export(directory / "dataset" / "part-00000.parquet", "trl")
    with pytest.raises(ExportError, match="is the dataset itself"):
        export(directory, "trl", directory / "dataset" / "part-00000.parquet")
    assert len(pq.read_table(directory / "dataset" / "part-00000.parquet")) == 20


def _refused(directory: Path, *given: Any, **choice: Any) -> str:
    with pytest.raises(ExportError) as told:
        export(directory, *given, choice=Choice(**choice))
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_place_that_is_not_free_is_told_and_left_alone(tmp_path: Path) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(30)))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    halves = parse("train=0.5,test=0.5")
    assert "holds thesis.txt, and an export replaces the whole folder" in _refused(directory, "trl", mine)
    assert "holds files that no export wrote" in _refused(directory, "trl", directory / "dataset")
    assert "holds the folder that you are in" in _refused(directory, "trl", Path())
    assert "is a file; name a folder" in _refused(directory, "trl", tmp_path / "file")
    assert "trl is written as .parquet" in _refused(directory, "trl", tmp_path / "x.jsonl")
    assert "is one file; with --split, name a folder" in _refused(
        directory, "trl", tmp_path / "x.parquet", splits=halves
    )
    assert "file" in _refused(directory, "trl", tmp_path / "file" / "x.parquet")
    assert (mine / "thesis.txt").read_text() == (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine", "run"]


def test_a_dataset_that_cannot_be_exported_is_told(tmp_path: Path) -> None:
    assert "no dataset here; finish the run first" in _refused(tmp_path, "trl")
    with pytest.raises(ConfigError, match="there is no 'tlr'; did you mean 'trl'"):
        export(run_directory(tmp_path / "a", map(example, range(3))), "tlr")
    assert "the dataset has no rows" in _refused(run_directory(tmp_path / "b", []), "trl")
    assert "the dataset has no rows" in _refused(tmp_path / "b", "trl", splits=parse("train=1"), max_rows=3)
    (tmp_path / "c" / "dataset").mkdir(parents=True)
    part = tmp_path / "c" / "dataset" / "part-00000.parquet"
    table = pq.read_table(tmp_path / "a" / "dataset" / "part-00000.parquet")
    pq.write_table(table.drop_columns(["reference"]), part)
    assert "no column 'reference', which trl needs" in _refused(tmp_path / "c", "trl")
    pq.write_table(table.set_column(1, "question", pa.array([1, 2, 3])), part)
    assert "the column 'question' holds int64, not string" in _refused(tmp_path / "c", "trl")
    pq.write_table(table.set_column(1, "question", pa.array(["a", None, "c"])), part)
    assert "row 2 has no question" in _refused(tmp_path / "c", "trl")
    part.write_bytes(b"PAR1 and nothing else")
    assert "no Parquet file that can be read" in _refused(tmp_path / "c", "trl")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"difficulty": Bounds(0.1, 0.9)}, "no row has a difficulty; measure it first: webscale-rl difficulty"),
        ({"max_rows": 0}, "--max-rows 0: must be at least 1"),
    ],
)
def test_a_choice_that_leaves_nothing_is_told(tmp_path: Path, choice: dict[str, Any], said: str) -> None:
    assert said in _refused(run_directory(tmp_path, map(example, range(6))), "trl", **choice)


def test_a_difficulty_that_no_row_has_is_told_from_one_that_was_not_measured(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, (example(n, difficulty=1.0 if n else None) for n in range(6)))
    assert "none of the 5 rows with a difficulty is within" in _refused(directory, "trl", difficulty=Bounds(0, 0.9))


@pytest.mark.parametrize("text", ["0.5", ":", "0.9:0.1", "0:2", "a:b", "nan:1", "-0.1:1"])
def test_bounds_that_cannot_be_are_told(text: str) -> None:
    with pytest.raises(ExportError, match="--difficulty"):
        Bounds.parse(text)


def test_forms_without_prompts_refuse_a_system_prompt(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, map(example, range(6)))
    assert "webscale has no prompts" in _refused(directory, "webscale", system_prompt="x")


def test_the_next_command_names_the_files_and_is_one_command_however_it_is_printed(tmp_path: Path) -> None:
    for form in [*sorted(TRUTHS), "sft"]:
        written = exported(tmp_path / f"it's {form}", form)
        for line in written.following:
            shown = "\n".join(wrapped(line))
            as_read = shown.replace("\\\n", "")  # by a shell
            assert shlex.split(as_read, comments=True) == shlex.split(line, comments=True)
            assert line.startswith("#") or "MODEL" in line or form == "nemo-gym"
        said = shlex.split(written.following[-1])
        assert any(str(written.files.train_path.parent) in word for word in said), said
        card = (written.path / "README.md").read_text()
        assert wrapped(written.following[-1])[0] in card


def test_what_to_train_on_and_what_to_hold_out_is_told_by_name_and_then_by_order() -> None:
    def told(*names: str) -> tuple[str, str | None]:
        files = Files({name: Path(name) for name in names}, dict.fromkeys(names, 1), None)
        return files.train, files.held_out

    assert told("test", "train") == ("train", "test")
    assert told("train", "extra", "validation") == ("train", "validation")
    assert told("fit", "judge") == ("fit", "judge")
    assert told("train") == ("train", None)


def test_a_form_of_ones_own_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_form.py").write_text(
        "class Mine:\n"
        "    form, ending, columns, prompts = 'mine', '.jsonl', ('question',), True\n"
        "    def schema(self): return None\n"
        "    def row(self, example, place, system): return {'q': example['question'], 'at': place.number}\n"
        "    def following(self, files): return []\n"
    )
    monkeypatch.chdir(tmp_path)
    written = export(run_directory(tmp_path / "run", map(example, range(3))), "my_form:Mine")
    assert read(written.files.train_path)[2] == {"q": HOSTILE, "at": 2}
    assert written.path.name == "mine"


def test_memory_does_not_grow_with_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    for module, name in (("sinks", "ROWS_PER_GROUP"), ("twins", "_BLOCK"), ("selection", "_BLOCK")):
        monkeypatch.setattr(f"webscale_rl.dataset.{module}.{name}", 100)

    def peak(count: int) -> int:
        rows = (example(n, url=f"https://a.org/{n // 3}", pretrain_text=f"{n // 3} " * 500) for n in range(count))
        directory = run_directory(tmp_path / str(count), rows, per_part=250)
        tracemalloc.start()
        try:
            export(directory, "verl", None, Choice(splits=parse("train=0.5,test=0.5"), max_rows=count // 2))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # imports
    assert peak(1200) < 1.3 * peak(500)


def test_json_is_json_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(60)))
    cli.export(directory, "trl", split="train=0.5,test=0.5", max_rows=40, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == sum(split["rows"] for split in told["splits"].values()) == 40
    assert told["left_out"] == {"beyond --max-rows": 20}


def test_the_command_tells_rows_documents_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = run_directory(tmp_path / "run", (example(n, difficulty=n % 4 / 4) for n in range(60)))
    prompt = tmp_path / "system.txt"
    prompt.write_text(f"\n{SYSTEM}\n")
    given: dict[str, Any] = {"split": "train=0.8,test=0.2", "difficulty": "0.2:0.8", "max_rows": 40, "seed": 3}
    cli.export(directory, "verl", system_prompt=prompt, **given)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("train: ")
    assert lines[1].endswith(f"documents: {directory / 'export' / 'verl' / 'test.parquet'}")
    assert lines[2] == "next:"
    assert lines[3].startswith("  python -m verl.trainer.main_ppo")
    assert err.strip() == "left out: 15 other difficulty, 5 beyond --max-rows"
    assert read(directory / "export" / "verl" / "test.parquet")[0]["prompt"][0]["content"] == SYSTEM


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    directory = run_directory(tmp_path / "run", map(example, range(6)))
    refused = command("export", directory, "--to", "trl", "--system-prompt", tmp_path / "nowhere.txt")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
    assert "nowhere.txt: cannot be read (No such file or directory)" in refused.stderr
