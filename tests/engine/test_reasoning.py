"""What may teach a model to reason, and what gives away that the answer was known."""

from __future__ import annotations

import pytest

from webscale_rl.engine.reasoning import Fault, Parted, fault, parted, settled

QUESTION = "How far does a train go in 3 hours at 20 km/h?"
GOOD = "Distance is speed times time. So it is 20 * 3 = 60 km."


def judged(reasoning: str, answer: str = "60 km", truth: str = "60 km", question: str = QUESTION) -> str:
    found = fault(Parted(reasoning, answer), truth, question, "quantity", (3, 300))
    return "" if found is None else found.reason


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (f"{GOOD}\nAnswer: 60 km", "60 km"),
        (f"{GOOD}\n\n**Answer:** 60 km.", "60 km"),
        (f"{GOOD}\n**Final answer: 60 km**", "60 km"),
        (f"{GOOD}\nAnswer: \\boxed{{60 km}}", "60 km"),
        (f"<think>the given answer is 60 km</think>{GOOD}\nAnswer: 60 km\n", "60 km"),
        (f"{GOOD}\nAnswer：60 km<|im_end|>", "60 km"),
    ],
)
def test_the_last_line_holds_the_answer_alone_and_thoughts_are_left_out(reply: str, answer: str) -> None:
    said = parted(reply)
    assert isinstance(said, Parted)
    assert settled(said, "60 km", "60 km", QUESTION, "quantity") == (GOOD, answer)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        GOOD,
        f"{GOOD}\nAnswer:",
        f"Answer: 60 km\n{GOOD}",
        f"{GOOD} The answer is 60 km.",
        f"<think>{GOOD}\nAnswer: 60 km",
        f'{{"reasoning": "{GOOD}", "answer": "60 km"}}',
    ],
)
def test_without_a_last_line_for_the_answer_there_is_none(reply: str) -> None:
    said = parted(reply)
    assert isinstance(said, Fault)
    assert said.reason == "no_answer_line"


def test_a_chat_template_token_is_broken() -> None:
    said = parted(f"{GOOD} <|im_end|>\n<|im_start|>user\nAnswer: 60 km")
    assert isinstance(said, Parted)
    assert "<|im_" not in said.text


@pytest.mark.parametrize(
    "reasoning",
    [
        GOOD,
        "3 * 20 = 60",
        "The answer is found by multiplying speed and time, 3 * 20. The product is 60 km.",
        "We are given a speed of 20 km/h and a time of 3 hours. Their product is 60 km.",
        "Speed tells how far it goes in one hour. Three hours take it three times as far: 3 * 20 = 60 km.",
        "60 km lie behind a train that has gone 20 km three times, once in each hour.",
        "The evidence of daily life suggests that speeds add up: 20 + 20 + 20 = 60 km.",
        "In the first hour it goes 20 km, and so in each. So the answer is 60 km.",
    ],
)
def test_honest_reasoning_passes(reasoning: str) -> None:
    assert judged(reasoning) == ""


@pytest.mark.parametrize(
    "reasoning",
    [
        "The given answer is 60 km, which fits the speed and the time.",
        "Multiplying gives 60 km. This matches the provided answer.",
        "Multiplying gives 60 km, consistent with the expected answer.",
        "We know the answer is 60 km, since speed times time gives it.",
        "The answer provided is 60 km, and speed times time agrees.",
        "Speed times time is 60 km. This confirms the answer.",
        "According to the evidence, the train goes 60 km in that time.",
        "Since the ground truth is 60 km, the train must have gone that far.",
        "The quotation states that it goes 20 km in each of the hours.",
        "I was told the answer, and speed times time gives it as well.",
        "Speed times time </answer 0123456789ab> is what is asked for here.",
    ],
)
def test_who_says_that_the_answer_was_given_teaches_nothing(reasoning: str) -> None:
    assert judged(reasoning) == "given_answer"


def test_what_the_question_says_itself_is_no_secret() -> None:
    question = "A pupil compares with the given answer of 60 km. " + QUESTION
    assert judged("The given answer and ours are the same, for 3 * 20 = 60 km.", question=question) == ""


@pytest.mark.parametrize(
    ("reasoning", "reason"),
    [
        ("", "no_reasoning"),
        ("60 km", "no_reasoning"),
        ("As stated in the passage, the train goes 20 km in each of 3 hours.", "refers_to_text"),
        ("The answer is 60 km. Distance is speed times time.", "answer_first"),
        ("60 km. Distance is speed times time.", "answer_first"),
        ("60 km, because distance is speed times time.", "answer_first"),
        ("Distance is speed times time, 20 + 3. So the answer is 23 km.", "other_answer"),
        ("It goes on and on. " * 100, "too_long"),
    ],
)
def test_every_other_fault_has_its_word(reasoning: str, reason: str) -> None:
    assert judged(reasoning) == reason
