"""Which documents are held out depends on their ids and the seed, and on those that were held out before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webscale_rl.dataset.held_out import Choice, HeldOut, choose, read_held_out, write_held_out


def dataset(folder: Path, pairs: Mapping[str, int] | list[str]) -> Path:
    documents = list(Counter(pairs).elements()) if isinstance(pairs, Mapping) else pairs
    folder.mkdir(exist_ok=True)
    table = pa.table({"id": [f"pair-{at}" for at in range(len(documents))], "document_id": documents})
    pq.write_table(table, folder / "part-00000.parquet")
    return folder


def many(count: int, start: int = 0) -> dict[str, int]:
    return {f"doc-{at}": 1 + at % 3 for at in range(start, start + count)}


@pytest.mark.parametrize(("count", "share"), [(10, 1.0), (1000, 0.2), (7, 0.01), (1, 1.0), (10_000, 1.0)])
def test_no_more_are_held_out_than_told_and_nearly_as_many(tmp_path: Path, count: int, share: float) -> None:
    pairs = many(300)
    found = choose(dataset(tmp_path / "d", pairs), Choice(count, share, 0))
    room = min(count, int(share * sum(pairs.values())))
    assert found.of == sum(pairs.values())
    assert found.pairs == sum(pairs[document] for document in found.documents)
    assert room - 2 <= found.pairs <= room


def test_rows_in_any_order_make_the_same_choice(tmp_path: Path) -> None:
    pairs = list(Counter(many(200)).elements())
    choice = Choice(30, 1.0, 5)
    found = choose(dataset(tmp_path / "a", pairs), choice)
    assert choose(dataset(tmp_path / "b", pairs[::-1]), choice) == found
    assert choose(dataset(tmp_path / "c", sorted(pairs, key=lambda one: one[::-1])), choice) == found
    assert choose(tmp_path / "a", Choice(30, 1.0, 6)).documents != found.documents


def test_a_larger_count_adds_and_takes_nothing_away(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", many(200))
    before: frozenset[str] = frozenset()
    for count in (5, 20, 80, 160):
        found = choose(folder, Choice(count, 1.0, 0), before)
        assert before < found.documents
        before = found.documents


def test_rows_that_come_later_displace_nothing(tmp_path: Path) -> None:
    choice = Choice(40, 1.0, 0)
    before = choose(dataset(tmp_path / "d", many(100)), choice)
    after = choose(dataset(tmp_path / "d", many(400)), choice, before.documents)
    assert after.documents == before.documents
    shared = Choice(1000, 0.2, 0)
    before = choose(dataset(tmp_path / "d", many(100)), shared)
    after = choose(dataset(tmp_path / "d", many(400)), shared, before.documents)
    assert before.documents < after.documents


def test_a_document_that_is_gone_is_held_out_no_more(tmp_path: Path) -> None:
    found = choose(dataset(tmp_path / "d", many(10)), Choice(100, 1.0, 0), {"gone", "doc-1"})
    assert found.documents == set(many(10))


def test_a_document_too_large_for_the_rest_is_passed_over(tmp_path: Path) -> None:
    found = choose(dataset(tmp_path / "d", {"large": 50, "small": 1}), Choice(10, 1.0, 0))
    assert found == (frozenset({"small"}), 1, 51)


def test_the_file_holds_every_pair_of_these_documents(tmp_path: Path) -> None:
    folder, choice = dataset(tmp_path / "d", ["a", "b", "a", "c"]), Choice(10, 1.0, 0)
    assert read_held_out(tmp_path / "held_out.parquet") is None
    write_held_out(tmp_path / "held_out.parquet", folder, HeldOut(frozenset({"a", "c"}), 3, 4), choice)
    assert pq.read_table(tmp_path / "held_out.parquet").to_pydict() == {
        "id": ["pair-0", "pair-2", "pair-3"],
        "document_id": ["a", "a", "c"],
    }
    assert read_held_out(tmp_path / "held_out.parquet") == (choice, {"a", "c"})
