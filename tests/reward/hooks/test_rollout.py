"""What trainers hand over is read the same way by every hook, and decided the same way everywhere."""

from __future__ import annotations

import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.llm_server import LLMServer
from tests.reward.hooks.trainers import IN_OTHER_WORDS
from webscale_rl.reward import reward, rollout
from webscale_rl.reward.rollout import JudgeAt, Rollout

RIGHT = Rollout("The answer is 42.", "42", "What is 6 times 7?")
WRONG = Rollout("The answer is 41.", "42", "What is 6 times 7?")


def test_a_rollout_is_decided_as_the_reward_decides_it() -> None:
    assert [rollout.decide(row).score for row in (RIGHT, WRONG)] == [1, 0]
    assert rollout.decide(RIGHT) == reward(*RIGHT)


def test_the_last_message_of_the_assistant_is_the_reply() -> None:
    messages = [
        {"role": "assistant", "content": "Let me look."},
        {"role": "tool", "content": "41"},
        {"role": "assistant", "content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "42."}]},
    ]
    assert rollout.last_reply(messages) == "It is 42."
    assert rollout.last_reply("as it is") == "as it is"
    assert rollout.last_reply([{"role": "assistant", "content": None, "tool_calls": []}]) == ""
    assert rollout.last_reply([]) == rollout.last_reply(None) == ""


def test_the_question_is_the_users_last_message() -> None:
    prompt = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Which number?"}]
    assert rollout.asked(prompt) == "Which number?"
    assert rollout.asked("Which number?") == "Which number?"
    assert rollout.asked([{"role": "system", "content": "Be short."}]) is None


def test_a_ground_truth_is_looked_for_under_its_names_in_order() -> None:
    assert rollout.ground_truth({"answer": "b", "ground_truth": "a"}, "the row") == "a"
    assert rollout.ground_truth({"ground_truth": None, "solution": 4}, "the row") == "4"
    with pytest.raises(ValueError, match=r"the row has none of ground_truth, answer, .*; it has question"):
        rollout.ground_truth({"question": "q"}, "the row")


def test_what_parquet_readers_make_of_lists_and_numbers_becomes_text_again() -> None:
    assert rollout.plain(np.array(["a", "b"], dtype=object)) == ["a", "b"]
    assert rollout.plain(np.int64(12)) == "12"
    assert rollout.plain([1, 2.5, "x"]) == ["1", "2.5", "x"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("42.<|im_end|>\n<|endoftext|>", "42."),
        ("42.</s>", "42."),
        ("42 <|eot_id|> is right", "42 <|eot_id|> is right"),
        ("a < b |>", "a < b |>"),
        ("<|im_end|>", ""),
        ("", ""),
    ],
)
def test_marks_of_the_template_leave_the_end_alone(text: str, left: str) -> None:
    assert rollout.without_marks(text) == left


def test_eight_thousand_marks_take_no_longer_than_their_length() -> None:
    began = time.process_time()
    assert rollout.without_marks("a" + "<|im_end|>" * 8000 + "x" + "<|im_end|>" * 8000).endswith("x")
    rollout.without_marks("<|" * 50_000 + "|>")
    assert time.process_time() - began < 0.5


def test_the_judge_is_asked_about_what_nobody_could_decide_and_nothing_else() -> None:
    undecided = Rollout(*IN_OTHER_WORDS)
    assert rollout.decide(undecided).score is None
    with LLMServer() as server:
        judge = rollout.judge_at("judge", server.url)
        assert judge == JudgeAt("judge", server.url) == pickle.loads(pickle.dumps(judge))
        verdicts = rollout.decide_all([RIGHT, undecided, WRONG], judge)
    assert [verdict.how.split("/")[0] for verdict in verdicts] == [
        rollout.decide(RIGHT).how.split("/")[0],
        "judge",
        rollout.decide(WRONG).how.split("/")[0],
    ]
    assert rollout.judge_at(None, "http://nowhere") is None


def test_threads_and_forked_processes_decide_alike() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert (
            list(pool.map(rollout.decide, [RIGHT, WRONG] * 20)) == [rollout.decide(RIGHT), rollout.decide(WRONG)] * 20
        )
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, pickle.dumps(rollout.decide(RIGHT)))
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as received:
        os.close(writing)
        assert pickle.load(received) == rollout.decide(RIGHT)
