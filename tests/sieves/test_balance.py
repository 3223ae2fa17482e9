"""Balance keeps as many of each kind as it is told, the same ones whichever way they come, and says what was short."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records import kept, shard
from tests.records import pair as good_pair
from webscale_rl.config import Parts, Run
from webscale_rl.dataset.writer import ShardExamples, sift
from webscale_rl.errors import ConfigError
from webscale_rl.pipeline import Outcome
from webscale_rl.sieve import Rejected
from webscale_rl.sieves.balance import Balance, apportioned, shares
from webscale_rl.types import Brief, Document


def example(number: int, domain: str, **fields: Any) -> Outcome:
    source = fields.pop("source", None)
    persona = fields.pop("persona", "an architect")
    about = Brief(Document(f"d{number}", "text", source), domain, persona)
    if not fields:
        return kept(f"question {number}?", brief=about)
    return Outcome("pair", good_pair(question=f"question {number}?", brief=about, **fields), None)


def balanced(
    folder: Path, shards: Sequence[Sequence[Outcome]], **options: Any
) -> tuple[list[Rejected], dict[str, Any], ShardExamples]:
    """What the sieve rejects, what it tells, and the examples."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [
        shard(folder / f"{number:05d}.parquet", list(enumerate(outcomes))) for number, outcomes in enumerate(shards)
    ]
    scratch = folder / "scratch"
    scratch.mkdir()
    sieve = Balance(Balance.Options(**options))
    examples = sift(paths, [sieve], scratch)
    return [rejected for _, rejected in examples.rejections()], sieve.told, examples


DOMAINS = ["Math"] * 6 + ["Coding"] * 3 + ["Other"]
EXAMPLES = [example(number, domain) for number, domain in enumerate(DOMAINS)]


def stays(rejected: Sequence[Rejected], domains: Sequence[str] = DOMAINS) -> Counter[str]:
    out = {entry.row for entry in rejected}
    return Counter(domain for row, domain in enumerate(domains) if row not in out)


def test_no_kind_has_more_than_its_quota_and_the_rest_is_kept_or_dropped(tmp_path: Path) -> None:
    quotas = {"domain": {"Math": 4, "Coding": 5}}
    rejected, told, _ = balanced(tmp_path / "keep", [EXAMPLES], quotas=quotas)
    assert stays(rejected) == {"Math": 4, "Coding": 3, "Other": 1}
    assert {entry.reason for entry in rejected} == {"over_quota"}
    assert rejected[0].detail == "domain Math: 4 of 6 stay at most"
    assert told == {
        "domain": {"Math": {"wanted": 4, "found": 6, "kept": 4}, "Coding": {"wanted": 5, "found": 3, "kept": 3}}
    }
    rejected, _, _ = balanced(tmp_path / "drop", [EXAMPLES], quotas=quotas, others="drop")
    assert stays(rejected) == {"Math": 4, "Coding": 3}
    assert (9, "unwanted", "its domain is none of those named") in rejected


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(0, 10), st.integers(0, 3))
def test_which_ones_stay_depends_neither_on_the_order_nor_on_the_shards(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, cut: int, seed: int
) -> None:
    def questions(shards: list[list[Outcome]]) -> set[str]:
        options = {"quotas": {"domain": {"Math": 2, "*": 1}}, "seed": seed}
        _, _, examples = balanced(tmp_path_factory.mktemp("run") / "a", shards, **options)
        return {name for _, batch in examples.batches(("id",)) for name in batch.column(0).to_pylist()}

    shuffled = chance.sample(EXAMPLES, len(EXAMPLES))
    found = questions([EXAMPLES])
    assert len(found) == 4
    assert questions([shuffled[:cut], shuffled[cut:]]) == found


def test_another_seed_chooses_others(tmp_path: Path) -> None:
    rows = {
        tuple(
            entry.row
            for entry in balanced(tmp_path / str(seed), [EXAMPLES], quotas={"domain": {"Math": 3}}, seed=seed)[0]
        )
        for seed in range(6)
    }
    assert len(rows) > 2


def test_quotas_by_several_columns_hold_at_once(tmp_path: Path) -> None:
    made = [
        example(number, domain, answer_type=kind)
        for number, (domain, kind) in enumerate(
            (domain, kind) for domain in ("Math", "Coding") for kind in ("number", "date") for _ in range(5)
        )
    ]
    quotas = {"domain": {"Math": 4}, "answer_type": {"number": 3, "date": 6}}
    rejected, told, _ = balanced(tmp_path, [made], quotas=quotas)
    assert told["domain"]["Math"]["kept"] <= 4
    assert told["answer_type"] == {
        "number": {"wanted": 3, "found": 10, "kept": 3},
        "date": {"wanted": 6, "found": 10, "kept": 6},
    }
    assert {entry.detail.split(":")[0] for entry in rejected} >= {"answer_type number", "answer_type date"}


def test_each_value_that_is_not_named_has_the_quota_of_the_star(tmp_path: Path) -> None:
    made = [example(number, "Math", persona=f"persona {number % 4}") for number in range(20)]
    _, told, examples = balanced(tmp_path, [made], quotas={"persona": {"persona 0": 4, "*": 2}})
    left = Counter(name for _, batch in examples.batches(("persona",)) for name in batch.column(0).to_pylist())
    assert left == {"persona 0": 4, "persona 1": 2, "persona 2": 2, "persona 3": 2}
    assert told == {"persona": {"persona 0": {"wanted": 4, "found": 5, "kept": 4}}}


def test_an_example_without_a_value_is_unknown(tmp_path: Path) -> None:
    made = [example(0, "Math", source="wiki"), example(1, "Math"), example(2, "Math")]
    rejected, _, _ = balanced(tmp_path, [made], quotas={"source": {"unknown": 1}}, others="drop")
    assert sorted(entry.reason for entry in rejected) == ["over_quota", "unwanted"]


def test_difficulties_fall_into_the_first_bin_that_holds_them(tmp_path: Path) -> None:
    class Rated:
        def batches(self, columns: tuple[str, ...]) -> Any:
            import pyarrow as pa

            rates = [0.0, 0.1, 3 / 10, 0.9, 1.0, None, 0.95]
            yield (
                list(range(7)),
                pa.record_batch({"difficulty": pa.array(rates), "id": pa.array(map(str, range(7)))}).select(columns),
            )

    sieve = Balance(Balance.Options(quotas={"difficulty": {"0": 9, "0.1-0.9": 2, "0-1": 9, "unknown": 0}}))
    rejected = list(sieve.judge(Rated(), tmp_path))
    assert {name: entry["found"] for name, entry in sieve.told["difficulty"].items()} == {
        "0": 1,
        "0.1-0.9": 3,
        "0-1": 2,
        "unknown": 1,
    }
    assert len(rejected) == 2
    assert rejected[-1] == (5, "over_quota", "difficulty unknown: 0 of 1 stay at most")


def test_the_scarcest_value_decides_how_many_have_these_shares(tmp_path: Path) -> None:
    rejected, told, _ = balanced(tmp_path, [EXAMPLES], weights={"domain": {"Math": 1, "Coding": 2, "Education": 1}})
    assert stays(rejected) == {"Math": 1, "Coding": 3, "Other": 1}
    assert told["domain"]["Education"] == {"wanted": 0, "found": 0, "kept": 0}
    assert shares({"a": 0.1, "b": 0.2, "c": 0.7}, {"a": 10, "b": 1000, "c": 1000}, None) == {"a": 10, "b": 20, "c": 69}


def test_a_total_is_dealt_out_to_the_last_one() -> None:
    assert apportioned({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}
    assert sum(apportioned({"a": 0.3, "b": 0.3, "c": 0.4, "d": 7}, 9_999).values()) == 9_999


def test_what_a_total_could_not_fill_is_told(tmp_path: Path) -> None:
    _, told, _ = balanced(tmp_path, [EXAMPLES], weights={"domain": {"Math": 1, "Coding": 1}}, total=10)
    assert told["domain"]["Coding"] == {"wanted": 5, "found": 3, "kept": 3}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give either quotas or weights"),
        ({"quotas": {"domain": {"Math": 1}}, "weights": {"domain": {"Math": 1}}}, "give either quotas or weights"),
        ({"quotas": {"domain": {}}}, "names no value"),
        ({"quotas": {"domain": {"Maths": 1}}}, "there is no domain 'Maths'; did you mean 'Math'"),
        ({"quotas": {"domain": {"Math": -1}}}, "quotas.domain.Math"),
        ({"quotas": {"color": {"red": 1}}}, "quotas.color"),
        ({"quotas": {"difficulty": {"easy": 1}}}, "difficulty 'easy' is no bin"),
        ({"quotas": {"difficulty": {"0.9-0.1": 1}}}, "is no bin"),
        ({"weights": {"domain": {"Math": 1}, "source": {"x": 1}}}, "name one column"),
        ({"quotas": {"domain": {"Math": 1}}, "total": 5}, "goes with weights"),
        ({"weights": {"domain": {"*": 1}}}, "a weight is of a value that is named"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_paid(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Parts(Run.make({"sieves": ["dedup", "balance"], "sieving": {"balance": options}}))
