"""What the arms learn from, made by the package's own run, refine and rationales."""

from __future__ import annotations

import pyarrow.dataset as ds
import pytest

from webscale_rl.experiment.answering import MODEL
from webscale_rl.experiment.material import REFINED, Place, make_material
from webscale_rl.experiment.recipe import load

RECIPE = load("smoke")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_material(RECIPE, 0, 24, tmp_path_factory.mktemp("experiment") / "0-24")


def test_every_statement_of_the_documents_becomes_a_pair(place: Place) -> None:
    rows = ds.dataset(place.run / "dataset", exclude_invalid_files=True).to_table().to_pylist()
    assert len(rows) == place.material.pairs > 40
    assert {row["generator"] for row in rows} == {f"experiment/{MODEL}"}
    assert all(row["answer"] in row["pretrain_text"] for row in rows)


def test_every_pair_gets_a_rationale_that_ends_in_its_answer(place: Place) -> None:
    rows = ds.dataset(place.data("rationales"), exclude_invalid_files=True).to_table().to_pylist()
    assert len(rows) == place.material.pairs
    assert all(row["messages"][-1]["content"].endswith(f"\n\nAnswer: {row['answer']}") for row in rows)


def test_the_pairs_of_reinforcement_are_not_held_out_for_the_rationales(place: Place) -> None:
    assert not (place.data("grpo") / "rationales").exists()


@pytest.mark.parametrize("method", REFINED)
def test_refining_leaves_junk_out_and_lets_what_it_keeps_say_the_same(place: Place, method: str) -> None:
    rows = ds.dataset(place.folder / method / "refined").to_table().to_pylist()
    assert 0 < len(rows) < 24
    assert method == "qurating" or not any("Buy now" in row["text"] for row in rows)


def test_the_books_say_what_each_arms_data_took(place: Place) -> None:
    assert place.made("continue").every == 0
    assert place.made("qurating").judged > 0 == place.made("qurating").generated
    pairs, answered = place.made("grpo"), place.made("rationales")
    assert pairs.generated > 0 < pairs.judged
    assert answered.generated > pairs.generated
    assert pairs.usd == answered.usd == 0


def test_what_is_there_is_not_made_again(place: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")}
    make_material(RECIPE, 0, 24, place.folder)
    assert {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")} == before


def test_a_copy_that_was_cut_short_is_made_anew(place: Place) -> None:
    before = place.material
    (place.folder / "material.json").unlink()
    (place.folder / "answered").rename(place.folder / ".answered")
    (place.folder / ".answered" / "summary.json").unlink()
    make_material(RECIPE, 0, 24, place.folder)
    assert place.material == before
    assert not (place.folder / ".answered").exists()
