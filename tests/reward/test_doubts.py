from __future__ import annotations

import pytest

from webscale_rl.reward import Reference, reward
from webscale_rl.reward.doubts import doubt

KINDS = {
    "Paris": "name",
    "2": "number",
    "$15 million": "money",
    "yes": "yes_no",
    "Jane Austen": "person",
    "Rayleigh scattering": "phrase",
}


@pytest.mark.parametrize(
    ("truth", "answer", "why"),
    [
        ("Rayleigh scattering", "Rayleigh scattering, ocean reflection, ozone, dust", "enumeration"),
        ("2", "Mars has 2 moons and 3", "enumeration"),
        ("Paris", "Paris (incorrect)", "denied"),
        ("Paris", "Paris, which is wrong", "denied"),
        ("Paris", "!Paris", "denied"),
        ("Paris", "Paris... just kidding, London", "denied"),
        ("yes", "Yes is the wrong answer.", "denied"),
        ("Paris", "Is it Paris?", "asked"),
        ("Jane Austen", "Emily Brontë, inspired by Jane Austen", "apposition"),
        ("Rayleigh scattering", "Ozone, with some Rayleigh scattering", "apposition"),
        ("yes", "Yes, if it is ripe.", "condition"),
        ("$15 million", "$15 million less", "difference"),
        ("2", "the square root of 2", "operation"),
    ],
)
def test_an_answer_that_takes_itself_back_is_left_to_a_judge(truth: str, answer: str, why: str) -> None:
    reference = Reference(truth, KINDS[truth])  # type: ignore[arg-type]
    assert doubt([reference], answer, "What is it?", lambda part: part == truth) == why
    assert reward(answer, reference, "What is it?").score != 1


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        ("Paris", "Paris, France"),
        ("Paris", "In France, Paris"),
        ("2", "2, the square of its root"),
        ("$15 million", "$15 million, more than the budget"),
        ("yes", "Yes."),
        ("Rayleigh scattering", "Rayleigh scattering, which is stronger for blue, and not for red, nor green"),
    ],
)
def test_words_beside_an_answer_raise_no_doubt_by_themselves(truth: str, answer: str) -> None:
    reference = Reference(truth, KINDS[truth])  # type: ignore[arg-type]
    assert doubt([reference], answer, "What is it?", lambda part: part == truth) is None


def test_what_the_reference_or_the_question_says_itself_raises_no_doubt() -> None:
    assert doubt([Reference("the claim is false", "phrase")], "the claim is false", "", lambda _: True) is None
    assert doubt([Reference("Why not?", "name")], "Why not?", "", lambda _: True) is None
    difference = Reference("$15 million", "money")
    assert doubt([difference], "$15 million less", "How much less did it cost?", lambda _: True) is None


@pytest.mark.parametrize(
    ("question", "truth", "right", "wrong"),
    [
        (
            "Who is the head of Apple now?",
            "Tim Cook",
            "Steve Jobs led it, and Tim Cook is the head of Apple now.",
            "Steve Jobs is the head of Apple now, and Tim Cook sells phones.",
        ),
        (
            "What language is spoken in Brazil?",
            "Portuguese",
            "Portuguese is spoken in Brazil; Spanish is heard at its borders.",
            "Spanish is spoken in Brazil; Portuguese is heard at its borders.",
        ),
        (
            "Which was first, Arthur's Magazine or First for Women?",
            "Arthur's Magazine",
            "Arthur's Magazine was first, First for Women came later.",
            "First for Women was first, Arthur's Magazine came later.",
        ),
    ],
)
def test_of_two_names_the_one_counts_of_which_it_is_said_what_was_asked(
    question: str, truth: str, right: str, wrong: str
) -> None:
    assert reward(right, truth, question).score == 1
    assert reward(wrong, truth, question).score != 1


@pytest.mark.parametrize("answer", ["78% oxygen", "21%, while oxygen is 78%", "78% of nitrogen is air"])
def test_a_percentage_of_something_else_is_undecided(answer: str) -> None:
    assert reward(answer, "78%", "What percentage of the air is nitrogen?").score is None
    assert reward("About 78% is nitrogen.", "78%", "What percentage of the air is nitrogen?").score == 1
