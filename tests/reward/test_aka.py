from __future__ import annotations

import pytest

from webscale_rl.reward import reward


@pytest.mark.parametrize(
    ("question", "truth", "answer"),
    [
        ("Which gas do plants absorb?", "carbon dioxide", "CO2"),
        ("Which gas do plants absorb?", "CO₂", "They absorb carbon dioxide."),
        ("Which country is the largest economy?", "United States", "America"),
        ("What is the unit of frequency?", "hertz", "Hz"),
    ],
)
def test_another_name_of_the_same_thing_is_right(question: str, truth: str, answer: str) -> None:
    assert reward(answer, truth, question).score == 1


@pytest.mark.parametrize(
    ("question", "truth", "answer"),
    [
        ("What is the chemical formula of carbon dioxide?", "CO2", "carbon dioxide"),
        ("What was the former name of Mumbai?", "Bombay", "Mumbai"),
        ("What does DNA stand for?", "deoxyribonucleic acid", "DNA"),
        ("Which gas do plants absorb?", "carbon dioxide", "CO"),
    ],
)
def test_where_the_wording_is_asked_for_another_one_is_not_right(question: str, truth: str, answer: str) -> None:
    assert reward(answer, truth, question).score != 1
