from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.training.fakes import Characters
from tests.training.test_data import example, run_of
from tests.training.tiny import write_rows
from webscale_rl.ledger import Ledger, write_ledger
from webscale_rl.training.account import account
from webscale_rl.training.books import Books, read_metrics
from webscale_rl.training.data import read_questions, read_turns
from webscale_rl.training.encode import Encoded, encode_questions, encode_turns
from webscale_rl.training.recipe import GrpoRecipe, SftRecipe


@pytest.fixture
def books(tmp_path: Path) -> Books:
    (tmp_path / "out").mkdir()
    books = Books(tmp_path / "out", None)
    books.counts.trained, books.counts.rollout, books.counts.judged, books.counts.usd = 1000, 300, 20, 0.5
    return books


def notes(books: Books) -> list[str]:
    return [line["note"] for line in read_metrics(books.metrics)]


def calls(tokens: int) -> dict[str, Any]:
    return {"prompt_tokens": tokens, "completion_tokens": tokens // 10}


def test_of_a_run_the_rows_that_were_used_bear_their_share_of_its_calls(tmp_path: Path, books: Books) -> None:
    run = run_of(tmp_path / "run", [example(at) for at in range(8)])
    summary = {"calls": {"generate": calls(8000), "check": calls(4000)}, "usd": 2.0}
    (run / "summary.json").write_bytes(orjson.dumps(summary))
    recipe = GrpoRecipe(batch=2, max_steps=1)
    taken = read_questions(run, None, None)
    encoded = encode_questions(taken.rows, Characters(), recipe)
    ledger = account(recipe, taken, encoded, Characters(), books)
    assert (ledger.trained, ledger.rollout) == (1000, 300)
    assert (ledger.generated, ledger.judged, ledger.usd) == (2200, 1100 + 20, 1.0)  # two rows of eight
    documents = {row.document for row in encoded.rows}
    assert ledger.source == len(documents) * len("The text of document 0.")
    assert notes(books) == []


def test_what_is_not_known_counts_0_and_is_said(tmp_path: Path, books: Books) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"question": "Who?", "answer": "Ann"}])
    taken = read_turns(path, None)
    ledger = account(SftRecipe(), taken, encode_turns(taken.rows, Characters(), SftRecipe()), Characters(), books)
    assert (ledger.source, ledger.generated) == (0, 0)
    assert [note.partition(" is not known")[1] or note.partition(" are not known")[1] for note in notes(books)] == [
        " are not known",
        " is not known",
    ]


def test_a_folder_with_a_ledger_bears_what_it_cost(tmp_path: Path, books: Books) -> None:
    rows = [{"question": f"Who is {at}?", "answer": "Ann"} for at in range(4)]
    write_rows(tmp_path / "rationales" / "dataset" / "part-0.jsonl", rows)
    write_ledger(tmp_path / "rationales", Ledger(source=9, generated=400, judged=40, usd=4.0, seconds=9.0))
    taken = read_turns(tmp_path / "rationales" / "dataset", None)
    ledger = account(SftRecipe(), taken, Encoded({}, taken.rows[:1]), Characters(), books)
    assert (ledger.generated, ledger.judged, ledger.usd, ledger.source) == (100, 10 + 20, 1.5, 0)
