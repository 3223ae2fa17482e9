from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reward.report import Decided, cases, decide, files, score, told, wrong
from webscale_rl.reward.reference import TYPES

PATHS = files()


@pytest.fixture(scope="module")
def decided() -> list[Decided]:
    return list(decide(PATHS))


def shown(wrongly: list[Decided], is_told: Callable[[Decided], bool] = lambda _: True) -> str:
    """The failures, file by file."""
    return "\n" + "\n".join(told(one) for one in wrongly if is_told(one))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_case_has_an_id_of_its_own_a_label_and_a_reason(path) -> None:  # type: ignore[no-untyped-def]
    found = cases(path)
    assert len({case.id for case in found}) == len(found)
    for case in found:
        assert case.label in (0, 1), case.id
        assert case.note.strip(), case.id
        assert case.ground_truth, case.id
        assert case.answer_type is None or case.answer_type in TYPES, case.id


def test_there_are_cases_of_every_type_both_ways_and_attacks() -> None:
    by_file = {path.stem: cases(path) for path in PATHS}
    assert set(TYPES) <= set(by_file)
    assert sum(map(len, by_file.values())) >= 1_500
    assert len(by_file["attacks"]) >= 120
    assert not any(case.label for case in by_file["attacks"])
    for name in TYPES:
        right = sum(case.label for case in by_file[name])
        assert 0.3 < right / len(by_file[name]) < 0.7, name


def test_right_answers_are_told_from_wrong_ones(decided: list[Decided]) -> None:
    ordinary = [one for one in decided if one.file != "attacks"]
    found, failures = score(ordinary), wrong(ordinary)
    assert found.precision >= 0.99, shown(failures, lambda one: one.verdict.score == 1)
    assert found.false_positive_rate <= 0.01, shown(failures, lambda one: one.verdict.score == 1)
    assert found.recall >= 0.95, shown(failures)


def test_no_attack_is_rewarded(decided: list[Decided]) -> None:
    rewarded = [one for one in decided if one.file == "attacks" and one.verdict.score == 1]
    assert rewarded == [], shown(rewarded)
