"""No document is on both sides of a split, and what a document's side is, nothing else changes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.dataset.exported import example, run_directory
from webscale_rl.dataset.export import Choice, export
from webscale_rl.dataset.split import Split, Splitter, digest, parse
from webscale_rl.dataset.twins import MOST_OF_A_PAGE, Twins
from webscale_rl.errors import ExportError

HALVES = parse("train=0.5,test=0.5")


def sides(directory: Path, **choice: Any) -> dict[str, str]:
    """The split of each row by its id. The form `trl` has the columns to tell."""
    given = {"splits": HALVES} | choice
    written = export(directory, "trl", None, Choice(**given))
    return {
        row["id"]: name
        for name, path in written.files.paths.items()
        for row in pq.read_table(path, columns=["id"]).to_pylist()
    }


def document_sides(rows: list[Mapping[str, Any]], found: Mapping[str, str]) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for row in rows:
        if row["id"] in found:
            told.setdefault(row["document_id"], set()).add(found[row["id"]])
    return told


def test_a_document_is_on_one_side_wherever_its_rows_stand(tmp_path: Path) -> None:
    rows = [example(n) for n in range(120)]
    random.Random(1).shuffle(rows)
    told = document_sides(rows, sides(run_directory(tmp_path, rows)))
    assert len(told) == 40
    assert {len(found) for found in told.values()} == {1}


def test_a_side_does_not_change_with_other_rows_their_order_or_what_is_left_out(tmp_path: Path) -> None:
    rows = [example(n, difficulty=n % 5 / 4) for n in range(120)]
    before = sides(run_directory(tmp_path / "a", rows[:60]))
    more = run_directory(tmp_path / "b", list(reversed(rows)))
    after = sides(more)
    assert {row: after[row] for row in before} == before
    few = sides(more, max_rows=50)
    assert {row: after[row] for row in few} == few
    from webscale_rl.dataset.selection import Bounds

    hard = sides(more, difficulty=Bounds(0, 0.25))
    assert {row: after[row] for row in hard} == hard


def test_another_seed_draws_another_split(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, map(example, range(120)))
    assert sides(directory) == sides(directory, seed=0)
    assert sides(directory) != sides(directory, seed=1)


@pytest.mark.parametrize("text", ["train=0.98,test=0.02", "a=0.5,b=0.3,c=0.2", "x=0.333333,y=0.333333,z=0.333334"])
def test_shares_are_kept_as_far_as_chance_allows(text: str) -> None:
    count, splits = 5_000, parse(text)
    splitter = Splitter(splits, 7)
    drawn = [splitter.of(digest("id", str(n))) for n in range(count)]
    for split in splits:
        share = float(split.share)
        assert abs(drawn.count(split.name) - count * share) < 4 * (count * share * (1 - share)) ** 0.5


def test_a_larger_last_share_holds_all_that_a_smaller_one_held() -> None:
    small, large = Splitter(parse("train=0.9,test=0.1"), 0), Splitter(parse("train=0.7,test=0.3"), 0)
    groups = [digest("id", str(n)) for n in range(2000)]
    assert {g for g in groups if small.of(g) == "test"} < {g for g in groups if large.of(g) == "test"}


@pytest.mark.parametrize(
    "twin",
    [
        {"url": "https://www.example.org/canal/", "pretrain_text": "crawled later"},
        {"url": "http://example.org/canal#history", "pretrain_text": "crawled later"},
        {"url": None, "pretrain_text": "THE text\n of document 0."},
    ],
)
def test_documents_of_one_address_or_one_text_are_on_one_side(tmp_path: Path, twin: dict[str, Any]) -> None:
    rows = [
        example(n, url="https://example.org/canal" if n < 3 else f"https://example.org/{n // 3}") for n in range(60)
    ]
    for seed in range(5):
        folder = tmp_path / str(seed)
        both = [*rows, *(example(n, document_id="other", **twin) for n in range(60, 63))]
        told = document_sides(both, sides(run_directory(folder, both), seed=seed))
        assert told["other"] == told["doc-0"]


def test_a_chain_of_twins_is_one_group_and_an_address_of_a_whole_site_joins_nothing(tmp_path: Path) -> None:
    with Twins(tmp_path) as twins:
        for at in range(30):  # each shares an address with the one before it and a text with the one behind it
            twins.note(f"chain-{at}", f"https://a.org/{at // 2}", f"text {(at + 1) // 2}")
        for at in range(MOST_OF_A_PAGE + 1):
            twins.note(f"site-{at}", "https://b.org/", f"page {at}")
        twins.settle()
    assert twins.joined == 30
    assert len({twins.group(f"chain-{at}") for at in range(30)}) == 1
    assert len({twins.group(f"site-{at}") for at in range(MOST_OF_A_PAGE + 1)}) == MOST_OF_A_PAGE + 1
    assert twins.group("site-0") == digest("id", "site-0"), "without a twin, its id alone names a group"


@pytest.mark.parametrize("block", [1, 4, 1000])
def test_twins_are_found_across_blocks_and_however_often_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("webscale_rl.dataset.twins._BLOCK", block)
    with Twins(tmp_path) as twins:
        for _ in range(5):
            for at in range(40):
                twins.note(f"{at}", f"https://a.org/{at % 20}", None)
        twins.settle()
    assert twins.joined == 40
    assert [twins.group(f"{at}") == twins.group(f"{at + 20}") for at in range(20)] == [True] * 20
    assert len({twins.group(f"{at}") for at in range(40)}) == 20


def test_an_empty_split_says_what_keeps_documents_together(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, (example(n, pretrain_text="the same") for n in range(30)))
    with pytest.raises(ExportError, match="30 rows in all; 10 documents share an address or a text with others"):
        export(directory, "trl", None, Choice(splits=HALVES))


def test_a_split_with_nothing_in_it_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    directory = run_directory(tmp_path, map(example, range(6)))
    with pytest.raises(ExportError, match=r"nothing falls to test, whose share is 0\.001 .* larger share, or another"):
        export(directory, "trl", None, Choice(splits=parse("train=0.999,test=0.001")))
    assert list((directory / "export").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train", "'train' is no NAME=SHARE"),
        ("train=0.9,", "'an empty part' is no NAME=SHARE"),
        ("train:0.9,test:0.1", "'train:0.9' is no NAME=SHARE"),
        ("train=0.9,test=0.2", "the shares sum to 1.1; they must sum to 1"),
        ("train=0.98", "the shares sum to 0.98"),
        ("train=98,test=2", "must be above 0 and at most 1 (it is 98)"),
        ("train=1,test=0", "the share of test must be above 0"),
        ("train=nan,test=0.5", "must be above 0"),
        ("train=half,test=0.5", "'half' is no number"),
        ("a/b=0.5,test=0.5", "'a/b' cannot name a split"),
        ("all=0.5,test=0.5", "'all' cannot name a split"),
        ("Test=0.5,test=0.5", "a name stands twice"),
    ],
)
def test_a_split_that_cannot_be_is_told(text: str, said: str) -> None:
    with pytest.raises(ExportError) as told:
        parse(text)
    assert said in str(told.value)
    assert str(told.value).startswith(f"--split {text}: ")


def test_shares_that_do_not_end_are_taken_as_they_can_be_written() -> None:
    assert [split.name for split in parse(" a = 0.333333 , b=0.333333,c=0.333334")] == ["a", "b", "c"]
    assert all(isinstance(split, Split) for split in HALVES)
