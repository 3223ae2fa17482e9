"""Dedup keeps one of equal and of nearly equal questions, whichever way they come, and none whose answers conflict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records import brief, ended, kept, pair, shard
from webscale_rl.dataset.writer import ShardExamples, sift
from webscale_rl.normalise import wording
from webscale_rl.sieve import Rejected
from webscale_rl.sieves.dedup import Dedup
from webscale_rl.sieves.fingerprints import Writer
from webscale_rl.sieves.jaccard import jaccard
from webscale_rl.types import Drop

Asked = tuple[str, str]


def rejected(
    folder: Path, shards: Sequence[Sequence[Asked]], *, documents: bool = False, **options: Any
) -> list[tuple[int, str]]:
    """Rows and reasons of what dedup rejects of these (question, answer) pairs, shard by shard."""
    return [(row, reason) for row, reason, _ in sieved(folder, shards, documents=documents, **options)]


def sieved(
    folder: Path, shards: Sequence[Sequence[Asked]], *, documents: bool = False, **options: Any
) -> list[Rejected]:
    """The same with details. `documents`: each question is of a document of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, examples in enumerate(shards):
        # Between the kept ones stand records that ended: they are no examples and have no row number.
        outcomes = [
            (at, outcome)
            for at, (question, answer) in enumerate(examples)
            for outcome in (
                ended(Drop("check", "no_context"), pair()),
                kept(question, answer, brief=brief(id=f"{number}-{at}" if documents else "d")),
            )
        ]
        paths.append(shard(folder / f"{number:05d}.parquet", outcomes))
    scratch = folder / "scratch"
    scratch.mkdir()
    return [entry for _, entry in sift(paths, [Dedup(Dedup.Options(**options))], scratch).rejections()]


def test_one_of_equal_questions_stays(tmp_path: Path) -> None:
    shards = [
        [("How tall?", "330 m"), ("Why?", "iron")],
        [("how  TALL?\n", " 330 M"), ("Who?", "Eiffel"), ("How tall?", "330 m")],
    ]
    first, second = sieved(tmp_path, shards)
    assert {first.row, second.row} < {0, 2, 4}
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


QUESTIONS = [
    "In which year did the engineers of the Golden Gate Bridge begin to work on its southern tower?",
    "In which year did the engineers of the Golden Gate Bridge begin the work on its southern tower?",
    "in which year did  the engineers of the Golden Gate Bridge begin to work on its southern tower?",
    "In which year did engineers of the Golden Gate Bridge begin to work upon its southern tower?",
    "Why?",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(QUESTIONS), st.sampled_from("12")), max_size=12),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_what_stays_depends_neither_on_the_order_nor_on_the_shards(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Asked], chance: random.Random, cuts: list[int]
) -> None:
    def stays(examples: list[Asked], shards: list[list[Asked]]) -> list[Asked]:
        out = {entry.row for entry in sieved(tmp_path_factory.mktemp("run"), shards)}
        return sorted(example for row, example in enumerate(examples) if row not in out)

    shuffled = chance.sample(examples, len(examples))
    bounds = [0, *sorted(cuts), len(examples)]
    cut = [shuffled[start:stop] for start, stop in pairwise(bounds)]
    kept_whole = stays(examples, [examples])
    assert stays(shuffled, cut) == kept_whole
    for question, answer in kept_whole:
        asked = {other for asked, other in examples if wording(asked) == wording(question)}
        assert asked == {answer}, "a question with two answers stays"


TOWER = "What did the engineers who inspected the old iron tower in the harbour of the town find at its foot"


@pytest.mark.parametrize(
    ("other", "answer", "reasons"),
    [
        (f"{TOWER}, then?", "rust", ["near_duplicate"]),
        (TOWER.replace("old iron", "rusty old"), "the Rust", ["near_duplicate"]),
        (TOWER.replace("old iron", "rusty old"), "moss", []),
        (TOWER.replace("find", "not find"), "rust", []),
        (f"{TOWER} in 1931?", "rust", []),
        ("Why did the tower in the harbour rust, and what did the engineers of the town do?", "rust", []),
    ],
)
def test_near_duplicates_share_words_and_the_answer_and_differ_in_nothing_that_tells(
    tmp_path: Path, other: str, answer: str, reasons: list[str]
) -> None:
    assert [reason for _, reason in rejected(tmp_path, [[(TOWER, "rust"), (other, answer)]], documents=True)] == reasons


def test_personas_of_one_document_that_ask_the_same_are_told_by_less(tmp_path: Path) -> None:
    asked = [
        ("When was the great bridge over the bay opened?", "1937"),
        ("When was the bay bridge opened to cars?", "1937"),
    ]
    assert [reason for _, reason in rejected(tmp_path / "a", [asked])] == ["same_document"]
    assert rejected(tmp_path / "b", [asked], documents=True) == []
    assert rejected(tmp_path / "c", [asked], same_document=None) == []
    assert rejected(tmp_path / "d", [asked], near=False) == []


def test_nothing_goes_that_is_like_nothing_that_stays(tmp_path: Path) -> None:
    words = [f"word{chr(97 + at)}" for at in range(26)]
    chain = [" ".join(words[start : start + 20]) for start in range(6)]  # each like the next, none like all
    shards = [[(question, "x") for question in chain]]
    out = {row for row, _ in rejected(tmp_path, shards, documents=True)}
    assert out
    for row in out:
        shared = max(len(set(chain[row].split()) & set(chain[kept].split())) for kept in set(range(6)) - out)
        assert shared / (40 - shared) >= 0.8


def test_nearly_all_planted_edits_are_found(tmp_path: Path) -> None:
    chance = random.Random(5)
    vocabulary = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(4000)]
    asked: list[Asked] = []
    for number in range(400):
        words = chance.choices(vocabulary, k=25)
        edited = list(words)
        for _ in range(chance.choice((1, 2))):
            edited[chance.randrange(len(edited))] = chance.choice(vocabulary)
        asked += [(" ".join(words), f"a{number}"), (" ".join(edited), f"a{number}")]
    out = [row for row, _ in rejected(tmp_path, [asked], documents=True)]
    pairs = {row // 2 for row in out}
    assert len(pairs) >= 396
    assert len(out) == len(pairs), "both of a pair went"


def test_fingerprints_are_those_of_a_plain_implementation(tmp_path: Path) -> None:
    texts = ["a b c d e f g", "a b", "", "b a b a b a b a", "one two three four five"]
    with Writer(tmp_path, shingle=5) as writer:
        writer.add(texts[:2], [(0, 0, 0), (0, 0, 1)])
        writer.add(texts[2:], [(0, 0, 2), (0, 0, 3), (0, 0, 4)])
    prints = writer.read()
    words = [text.split() for text in texts]
    plain = [
        {tuple(one[at : at + 5]) for at in range(len(one) - 4)} or ({tuple(one)} if one else set()) for one in words
    ]
    assert list(prints.sizes) == [len(one) for one in plain]
    every = np.array([(one, other) for one in range(5) for other in range(5) if one < other])
    alike = [len(plain[a] & plain[b]) / max(1, len(plain[a] | plain[b])) for a, b in every]
    assert list(jaccard(prints, every)) == alike


def test_an_empty_run_has_nothing_to_reject(tmp_path: Path) -> None:
    assert rejected(tmp_path, []) == []
    assert rejected(tmp_path / "one", [[]]) == []


def test_every_reason_is_in_the_closed_list() -> None:
    found = {"duplicate_question", "duplicate_document", "conflicting_answers", "near_duplicate", "same_document"}
    assert Dedup.reasons == found


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
    gone = 1 if examples.stays(2) else 2
    assert [(sieve, entry.row, entry.reason) for sieve, entry in examples.rejections()] == [
        ("first", 0, "duplicate_question"),
        ("dedup", gone, "duplicate_question"),
        ("first", 3, "duplicate_question"),
    ]
    assert sum(examples.stays(row) for row in range(5)) == 2
