from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reward.report import cases, files
from webscale_rl.reward import Reference, Verdict, reward, to_json
from webscale_rl.reward.reference import TYPES

ANSWERS: dict[str, str] = {
    "number": "42",
    "quantity": "330 metres",
    "money": "$15 million",
    "percentage": "78%",
    "date": "9 November 1989",
    "range": "7.35-7.45",
    "list": "red, yellow, blue",
    "yes_no": "Yes",
    "choice": "B",
    "person": "Jane Austen",
    "name": "Canberra",
    "code": "len()",
    "formula": "3x^2",
    "phrase": "Rayleigh scattering of sunlight",
}
QUESTION = "Which planet is the largest?\nA) Mars\nB) Jupiter\nC) Venus\nD) Saturn"


def test_there_is_an_answer_for_every_type() -> None:
    assert sorted(ANSWERS) == sorted(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_the_reference_itself_is_right_in_every_format(name: str) -> None:
    answer = ANSWERS[name]
    reference = Reference(answer, name)  # type: ignore[arg-type]
    for response in (
        answer,
        f"<answer>{answer}</answer>",
        f"\\boxed{{{answer}}}",
        f"Answer: {answer}",
        f"**{answer}**",
    ):
        verdict = reward(response, reference, QUESTION)
        assert (verdict.score, verdict.how.split("/")[0]) == (1, name), response


@pytest.mark.parametrize("name", TYPES)
def test_an_answer_of_another_type_is_not_right(name: str) -> None:
    for other, answer in ANSWERS.items():
        if other != name:
            assert reward(answer, Reference(ANSWERS[name], name), QUESTION).score != 1, other  # type: ignore[arg-type]


def test_any_of_several_references_is_right() -> None:
    assert reward("New York City", ["The Big Apple", "New York City"]).score == 1
    assert reward("42", ["41", to_json(Reference("42", "number"))]).score == 1
    assert reward("40", ["41", "42"]).score == 0
    assert reward("NYC", Reference("New York City", "name", aliases=("NYC",))).score == 1


def test_a_verdict_says_how_and_shows_what_it_compared() -> None:
    verdict = reward("I think \\boxed{42}.", "42")
    assert verdict == Verdict(1, "number/value", "42", (15, 17))
    assert reward("<think>42", "42") == Verdict(0, "answer/unfinished_think")
    assert len(reward("Answer: " + "x" * 1000, "42").extracted) == 300


def test_a_style_can_be_demanded() -> None:
    assert reward("42", "42", style="boxed") == Verdict(0, "answer/no_boxed")
    assert reward("\\boxed{42}", "42", style="boxed").score == 1


def test_without_a_ground_truth_nobody_can_tell() -> None:
    assert reward("42", "") == reward("42", []) == reward("42", ["", " "]) == Verdict(None, "reference/empty")


texts = st.text(max_size=120)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts, texts, st.none() | texts, st.none() | st.sampled_from(TYPES) | texts)
def test_no_text_raises(response: str, truth: str, question: str | None, answer_type: str | None) -> None:
    assert reward(response, truth, question, answer_type).score in (0, 1, None)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [
                *"0 1 7 . , - + / % $ € ^ ( ) { } [ ] = x \\frac \\sqrt or and not to km m e AD \n : ' Jan 19".split(
                    " "
                ),
                " ",
            ]
        ),
        max_size=25,
    ),
    st.sampled_from(TYPES),
    st.booleans(),
)
def test_no_jumble_of_the_kinds_own_signs_raises(signs: list[str], name: str, swapped: bool) -> None:
    jumble = "".join(signs)
    reference = Reference(jumble if swapped else ANSWERS[name], name)  # type: ignore[arg-type]
    assert reward(ANSWERS[name] if swapped else jumble, reference, QUESTION).score in (0, 1, None)


def test_threads_agree_with_one_another() -> None:
    sample = [case for path in files() for case in cases(path)[::25]]

    def decide(_: int) -> list[Verdict]:
        return [reward(case.response, case.ground_truth, case.question, case.answer_type) for case in sample]

    before = threading.active_count()
    alone = decide(0)
    assert threading.active_count() == before, "the rules start no threads"
    with ThreadPoolExecutor(4) as pool:
        assert all(verdicts == alone for verdicts in pool.map(decide, range(4)))


def test_importing_the_reward_is_light() -> None:
    code = "import sys, webscale_rl.reward; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "sympy", "pyarrow", "pydantic", "numpy", "aiohttp", "asyncio", "rich", "typer"}


HOSTILE = {
    "long text": "The quick brown fox jumps over the lazy dog. " * 2_200,
    "one long word": "a" * 100_000,
    "8,000 tags": "<answer>" * 8_000 + "4" + "</answer>" * 8_000,
    "8,000 boxes": "\\boxed{4}" * 8_000,
    "deep boxes": "\\boxed{" * 8_000 + "4" + "}" * 8_000,
    "deep braces": "\\boxed{" + "{" * 40_000 + "4" + "}" * 40_000 + "}",
    "a tower": "\\boxed{9^9^9^9^9}",
    "a factorial": "\\boxed{99999999!}",
    "deep parentheses": "\\boxed{" + "(" * 900 + "4" + ")" * 900 + "}",
    "deep fractions": "\\boxed{" + "\\frac{1}{" * 150 + "4" + "}" * 150 + "}",
    "digits": "9" * 100_000,
    "marked digits": "Answer: " + "9" * 1_900,
    "an exponent": "\\boxed{1e999999999}",
    "LaTeX": "\\boxed{" + "\\frac{x^2+1}{\\sqrt{y}}+" * 80 + "1}",
    "commas": "Answer: " + "1," * 900,
    "number words": "Answer: " + "one hundred and " * 110,
    "nots": "Answer: " + "not " * 450,
    "ors": "Answer: " + "a or " * 350,
    "dates": "Answer: " + "1 May 2020 " * 170,
    "markers": "Answer: 4\n" * 9_000,
    "JSON": '{"answer": ' * 8_000,
    "brackets": "[" * 100_000,
    "zero-width": "\u200b" * 100_000 + "4",
    "accents": "e" + "\u0301" * 1_900,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_response_takes_longer_than_a_quarter_of_a_second(name: str) -> None:
    for kind, answer in ANSWERS.items():
        reference = Reference(answer, kind)  # type: ignore[arg-type]
        before = time.process_time()
        reward(HOSTILE[name], reference, QUESTION)
        assert time.process_time() - before < 1.5, kind
