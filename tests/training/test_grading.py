from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.llm_server import LLMServer
from tests.reward.hooks.trainers import IN_OTHER_WORDS
from webscale_rl.errors import RunStopped
from webscale_rl.ledger import Ledger
from webscale_rl.reward.rollout import Rollout
from webscale_rl.training.grading import JUDGE_FOLDER, Grader
from webscale_rl.training.recipe import JudgeOptions

UNCLEAR = Rollout(*IN_OTHER_WORDS, "How do plants make sugar?")
CLEAR = Rollout("The answer is 42.", "42", "What is 6 times 7?")


def test_without_a_judge_the_rules_alone_decide_and_it_costs_nothing(tmp_path: Path) -> None:
    with Grader(JudgeOptions(), tmp_path) as grader:
        assert [verdict.score for verdict in grader.grade([CLEAR, UNCLEAR])] == [1, None]
        assert grader.spent() == Ledger()
    assert not (tmp_path / JUDGE_FOLDER).exists()


def test_a_judge_is_asked_about_the_rest_and_what_it_said_is_not_paid_for_again(tmp_path: Path) -> None:
    with LLMServer() as server:
        options = JudgeOptions(model="judge", base_url=server.url)
        with Grader(options, tmp_path) as grader:
            first = grader.grade([CLEAR, UNCLEAR])
            spent = grader.spent()
        with Grader(options, tmp_path) as again:
            assert again.grade([CLEAR, UNCLEAR]) == first
            assert again.spent() == spent
    assert first[0].score == 1
    assert first[1].how.startswith("judge/")
    assert spent.judged > 0


def test_what_a_judge_cost_is_known_also_if_it_is_not_asked_again(tmp_path: Path) -> None:
    with LLMServer() as server:
        options = JudgeOptions(model="judge", base_url=server.url)
        with Grader(options, tmp_path) as grader:
            grader.grade([UNCLEAR])
            spent = grader.spent()
        with Grader(options, tmp_path) as again:
            again.grade([CLEAR])
            assert again.spent() == spent


def test_a_judge_that_cannot_be_reached_stops_the_training_with_its_address(tmp_path: Path) -> None:
    closed = "http://127.0.0.1:9"
    told = pytest.raises(RunStopped, match=f"judge: cannot reach {closed}")
    with Grader(JudgeOptions(model="judge", base_url=f"{closed}/v1"), tmp_path) as grader, told:
        grader.grade([UNCLEAR])
