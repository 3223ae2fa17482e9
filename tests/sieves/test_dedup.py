"""Dedup keeps the first of equal questions, and none whose answers conflict."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records import ended, kept, pair, shard
from webscale_rl.dataset.writer import ShardExamples, sift
from webscale_rl.sieve import Rejected
from webscale_rl.sieves.dedup import Dedup
from webscale_rl.types import Drop

Asked = tuple[str, str]


def rejected(folder: Path, shards: Sequence[Sequence[Asked]]) -> list[tuple[int, str]]:
    """Rows and reasons of what dedup rejects of these (question, answer) pairs, shard by shard."""
    return [(row, reason) for row, reason, _ in sieved(folder, shards)]


def sieved(folder: Path, shards: Sequence[Sequence[Asked]]) -> list[Rejected]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, examples in enumerate(shards):
        # Between the kept ones stand records that ended: they are no examples and have no row number.
        outcomes = [
            (at, outcome)
            for at, (question, answer) in enumerate(examples)
            for outcome in (ended(Drop("check", "no_context"), pair()), kept(question, answer))
        ]
        paths.append(shard(folder / f"{number:05d}.parquet", outcomes))
    scratch = folder / "scratch"
    scratch.mkdir()
    return [entry for _, entry in sift(paths, [Dedup(Dedup.Options())], scratch).rejections()]


def test_the_first_of_equal_questions_stays(tmp_path: Path) -> None:
    shards = [
        [("How tall?", "330 m"), ("Why?", "iron")],
        [("how  TALL?\n", " 330 M"), ("Who?", "Eiffel"), ("How tall?", "330 m")],
    ]
    first, second = sieved(tmp_path, shards)
    assert (first.row, second.row) == (2, 4)
    assert first.reason == second.reason == "duplicate_question"
    assert first.detail == second.detail
    assert first.detail.startswith("same question as ")
    assert len(first.detail.split()[-1]) == 32, "names the example that stays"


def test_conflicting_answers_drop_all(tmp_path: Path) -> None:
    shards = [[("How tall?", "330 m"), ("Why?", "iron"), ("How tall?", "330 m")], [("How tall?", "324 m")]]
    assert rejected(tmp_path, shards) == [(row, "conflicting_answers") for row in (0, 2, 3)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 2+3?", "What is 2-3?"),
        ("What is a<b?", "What is a>b?"),
        ("Who was Rose?", "Who was Rosé?"),
        ("Why?", "Why"),
        ("ab c?", "a bc?"),
    ],
)
def test_questions_that_differ_in_a_sign_are_distinct(tmp_path: Path, one: str, other: str) -> None:
    assert rejected(tmp_path, [[(one, "5"), (other, "-1")]]) == []


def test_answers_that_differ_in_a_sign_conflict(tmp_path: Path) -> None:
    assert rejected(tmp_path, [[("What is it?", "2+3"), ("What is it?", "2-3")]]) == [
        (0, "conflicting_answers"),
        (1, "conflicting_answers"),
    ]


def expected(examples: Sequence[Asked]) -> list[tuple[int, str]]:
    found = []
    plain = [(question.casefold().strip(), answer) for question, answer in examples]
    for row, (question, _) in enumerate(plain):
        answers = {answer for asked, answer in plain if asked == question}
        if len(answers) > 1:
            found.append((row, "conflicting_answers"))
        elif question in {asked for asked, _ in plain[:row]}:
            found.append((row, "duplicate_question"))
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["Why?", "why? ", "How?", "HOW?", "Who?", "a", "b", "c"]), st.sampled_from("12")),
        max_size=25,
    ),
    st.lists(st.integers(0, 25), max_size=4),
)
def test_the_result_is_the_same_however_the_shards_are_cut(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Asked], cuts: list[int]
) -> None:
    bounds = [0, *sorted(cuts), len(examples)]
    shards = [examples[start:stop] for start, stop in pairwise(bounds)]
    found = sieved(tmp_path_factory.mktemp("cut"), shards)
    assert found == sieved(tmp_path_factory.mktemp("whole"), [examples])
    assert [(row, reason) for row, reason, _ in found] == expected(examples)


def test_an_empty_run_has_nothing_to_reject(tmp_path: Path) -> None:
    assert rejected(tmp_path, []) == []
    assert rejected(tmp_path / "one", [[]]) == []


def test_every_reason_is_in_the_closed_list() -> None:
    assert Dedup.reasons == {"duplicate_question", "conflicting_answers"}


class Faulty(Dedup):
    """A sieve that breaks its contract in the way it is told."""

    def __init__(self, *verdicts: Rejected) -> None:
        self.verdicts = verdicts

    def judge(self, examples: object, scratch: Path):  # type: ignore[no-untyped-def]
        return iter(self.verdicts)


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([Rejected(0, "whim", "")], "'whim' is not one of its reasons"),
        ([Rejected(1, "duplicate_question", ""), Rejected(0, "duplicate_question", "")], "row 0 is out of order"),
        ([Rejected(1, "duplicate_question", ""), Rejected(1, "duplicate_question", "")], "row 1 is out of order"),
    ],
)
def test_a_sieve_that_breaks_its_contract_is_a_bug(tmp_path: Path, verdicts: list[Rejected], told: str) -> None:
    path = shard(tmp_path / "0.parquet", [(0, kept("a")), (1, kept("b"))])
    with pytest.raises(ValueError, match=told):
        ShardExamples([path], tmp_path).apply(Faulty(*verdicts))


def test_a_sieve_sees_only_what_the_ones_before_it_left(tmp_path: Path) -> None:
    class First(Faulty):
        name = "first"

    path = shard(
        tmp_path / "0.parquet", [(0, kept("a", "1")), (1, kept("a", "2")), (2, kept("a", "2")), (3, kept("b"))]
    )
    first = First(Rejected(0, "duplicate_question", "by whim"), Rejected(3, "duplicate_question", "by whim"))
    examples = sift([path], [first, Dedup(Dedup.Options())], tmp_path)
    assert [(sieve, entry.row, entry.reason) for sieve, entry in examples.rejections()] == [
        ("first", 0, "duplicate_question"),
        ("dedup", 2, "duplicate_question"),
        ("first", 3, "duplicate_question"),
    ]
    assert [examples.stays(row) for row in range(5)] == [False, True, False, False, True]
