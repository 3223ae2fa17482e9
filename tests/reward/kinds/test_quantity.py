"""Quantities: unit and number together, after exact conversion."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import quantity as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "quantity"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("5 km", "5000 m", ""),
        ("5 km", "3.1 miles", ""),
        ("5 km", "The distance is 5 km (3.1 miles).", ""),
        ("5 km", "5", "How many kilometres is it?"),
        ("100 °C", "212 °F", ""),
        ("100 C", "100 degrees Celsius", "At what temperature in degrees Celsius does it boil?"),
        ("2.5 hours", "2 hours and 30 minutes", ""),
        ("5 ft 3 in", "63 inches", ""),
        ("12 players", "12", ""),
        ("9.8 m/s^2", "$9.8\\,\\text{m/s}^2$", ""),
    ],
)
def test_the_same_quantity_in_another_unit_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("5 km", "5 miles"),
        ("5 km", "5 kg"),
        ("5 mW", "5 MW"),
        ("100 °C", "100 °F"),
        ("1 kWh", "3.5 MJ"),
        ("9.8 m/s^2", "9.8 m/s"),
        ("5 km", "5 km or 6 km"),
        ("2 TB", "2 Tb"),
    ],
)
def test_another_unit_or_value_is_wrong(sought: str, answer: str) -> None:
    assert same(sought, answer) is False


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("5 km", "5"),
        ("1 GB", "1024 MB"),
        ("12 players", "12 teams"),
        ("6 hydrogen atoms", "6 carbon atoms"),
        ("5 tons", "5 t"),
    ],
)
def test_units_that_are_missing_or_may_be_another_are_not_decided(sought: str, answer: str) -> None:
    assert same(sought, answer) is None


def test_the_reference_knows_its_unit() -> None:
    reference = kind.infer("9.8 metres per second squared")
    assert reference is not None
    assert reference.unit == "m/s^2"
    assert kind.infer("50 Cent") is None
    assert kind.infer("the 5 km") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("5 km", answer) is not True
