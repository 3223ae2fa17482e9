"""Units: dimensions, exact conversions, and which letters mean what."""

from __future__ import annotations

from fractions import Fraction

import pytest

from webscale_rl.reward import units


def unit(text: str) -> units.Unit:
    found = units.after(f" {text}", 0)
    assert found is not None, text
    assert found.end == len(text) + 1, text
    return found.unit


@pytest.mark.parametrize(
    ("value", "one", "converted", "other"),
    [
        ("1", "mi", "1.609344", "km"),
        ("1", "lb", "0.45359237", "kg"),
        ("1", "kWh", "3.6", "MJ"),
        ("1", "atm", "101325", "Pa"),
        ("36", "km/h", "10", "m/s"),
        ("1", "L", "1000", "cm^3"),
        ("1", "ha", "10000", "square metres"),
        ("1", "acre", "4046.8564224", "m²"),
        ("1", "gal", "3.785411784", "L"),
        ("1", "g/mL", "1000", "kg·m^-3"),
        ("1", "mol/L", "1000", "mol m^-3"),
        ("1", "light-year", "9460730472580800", "m"),
        ("1", "week", "168", "hours"),
        ("1", "GiB", "1073741824", "bytes"),
        ("1", "eV", "1.602176634e-19", "J"),
        ("100", "°C", "212", "°F"),
        ("100", "°C", "373.15", "K"),
        ("-40", "degrees Celsius", "-40", "degrees Fahrenheit"),
    ],
)
def test_conversions_are_exact(value: str, one: str, converted: str, other: str) -> None:
    assert unit(one).dimension == unit(other).dimension
    assert unit(other).of(unit(one).base(Fraction(value))) == Fraction(converted)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m/s^2", "metres per second squared"),
        ("m s^-2", "m/s²"),
        ("kilowatt-hours", "kWh"),
        ("miles per hour", "mph"),
        ("sq ft", "square feet"),
        ("cubic centimeters", "cc"),
        ("newton metres", "N·m"),
        ("J/(kg·K)", "J/kg·K"),
        ("nautical miles", "nmi"),
        ("mmHg", "millimetres of mercury"),
        ("kilo-ohms", "kΩ"),
        ("μg", "micrograms"),
    ],
)
def test_names_and_symbols_are_the_same_unit(one: str, other: str) -> None:
    assert unit(one).is_same(unit(other))


@pytest.mark.parametrize(
    ("one", "other"), [("mW", "MW"), ("Mb", "MB"), ("km", "kg"), ("h", "H"), ("s", "S"), ("g", "G")]
)
def test_case_tells_units_apart(one: str, other: str) -> None:
    assert not unit(one).is_same(unit(other))


@pytest.mark.parametrize("text", ["players", "as a rule", "at night", "in the year", "a lot", "dollars"])
def test_words_are_no_units(text: str) -> None:
    assert units.after(f" {text}", 0) is None


@pytest.mark.parametrize(
    ("question", "symbol"),
    [
        ("How many kilometres is it?", "km"),
        ("What is the speed in m/s?", "m/s"),
        ("What is the density in grams per cubic centimetre?", "g/cm^3"),
        ("How long is it (in cm)?", "cm"),
        ("How old is the temple?", "yr"),
    ],
)
def test_a_question_says_the_unit_that_it_asks_for(question: str, symbol: str) -> None:
    asked = units.asked(question)
    assert asked is not None
    assert asked.symbol == symbol


@pytest.mark.parametrize("question", ["Who lives in A town?", "In which year?", "What happened in May in the US?", ""])
def test_most_questions_ask_for_no_unit(question: str) -> None:
    assert units.asked(question) is None
