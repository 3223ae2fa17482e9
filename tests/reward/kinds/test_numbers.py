"""The one number parser: exact values, nothing dropped, linear time."""

from __future__ import annotations

from fractions import Fraction

import pytest

from webscale_rl.reward.numbers import MAX_DIGITS, find, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        ("1,234,567", "1234567"),
        ("1 234 567", "1234567"),
        ("1\u202f234", "1234"),
        ("1'234'567", "1234567"),
        ("12,34,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1.234,56", "1234.56"),
        ("1.234", "1.234"),
        ("1{,}234", "1234"),
        (".5", "1/2"),
        ("5.", "5"),
        ("$42$", "42"),
        ("５", "5"),
    ],
)
def test_separators_and_decimals_keep_the_value(text: str, value: str) -> None:
    number = parse(text)
    assert number is not None
    assert number.value == Fraction(value)


@pytest.mark.parametrize("minus", ["-", "−", "–", "‐", "‑", "﹣", "－", "minus ", "negative "])
def test_no_minus_sign_is_ever_dropped(minus: str) -> None:
    number = parse(f"{minus}3.5")
    assert number is not None
    assert number.value == Fraction(-7, 2)
    assert [one.number.value for one in find(f"it fell to {minus}3.5.")] == [Fraction(-7, 2)]


def test_a_dash_between_two_numbers_is_no_minus() -> None:
    assert [one.number.value for one in find("10-20 and 30–40")] == [10, 20, 30, 40]


@pytest.mark.parametrize(
    "text",
    ["1.2e5", "1.2E+05", "1.2×10^5", "1.2 x 10⁵", r"1.2 \times 10^{5}", "1.2 · 10**5", "1.2*10^5", "120 thousand"],
)
def test_scientific_notation_has_one_value_however_it_is_written(text: str) -> None:
    number = parse(text)
    assert number is not None
    assert number.value == 120_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/4", "3/4"),
        ("1 1/2", "3/2"),
        ("½", "1/2"),
        ("2½", "5/2"),
        (r"\frac{3}{4}", "3/4"),
        (r"-\dfrac34", "-3/4"),
        (r"2\frac{1}{2}", "5/2"),
        ("three quarters", "3/4"),
        ("one and a half", "3/2"),
        ("one and two thirds", "5/3"),
        ("2 and a half", "5/2"),
        ("a third", "1/3"),
    ],
)
def test_fractions_are_exact(text: str, value: str) -> None:
    number = parse(text)
    assert number is not None
    assert (number.value, number.form) == (Fraction(value), "fraction")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zero", 0),
        ("twenty-one", 21),
        ("two hundred and five", 205),
        ("two thousand and nineteen", 2019),
        ("seven hundred and seventy-seven thousand seven hundred and seventy-seven", 777_777),
        ("half a million", 500_000),
        ("two and a half million", 2_500_000),
        ("a dozen", 12),
        ("2 dozen", 24),
        ("nineteen eighty-four", 1984),
        ("twelve hundred", 1200),
        ("2.5 million", 2_500_000),
        ("minus five", -5),
    ],
)
def test_number_words_have_their_value(text: str, value: int) -> None:
    number = parse(text)
    assert number is not None
    assert number.value == value
    assert not number.ordinal


@pytest.mark.parametrize(("text", "value"), [("21st", 21), ("twenty-first", 21), ("third", 3), ("hundredth", 100)])
def test_ordinals_are_flagged(text: str, value: int) -> None:
    number = parse(text)
    assert number is not None
    assert (number.value, number.ordinal) == (value, True)


@pytest.mark.parametrize(
    "text",
    ["3,14", "1.2.3", "12:30", "5²", "2^10", "9^9^9^9", "3 x 10", "0x1F", "45%", "$5", "one two", "5 km", "", "-",
     "abc", "one hundredth", "1e999999999", "10^99999999999", "1" * (MAX_DIGITS + 1), "1/0"],
)  # fmt: skip
def test_what_is_not_one_number_is_not_read_as_one(text: str) -> None:
    assert parse(text) is None


def test_numbers_keep_their_place_in_the_text() -> None:
    text = "Of the 50 states, twenty-six hold 2.5 million."
    assert [text[one.start : one.end] for one in find(text)] == ["50", "twenty-six", "2.5 million"]


def test_digits_within_words_are_no_numbers() -> None:
    assert find("H2O and v2.0.1 and x3") == ()


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "9^" * 50_000,
        "1.111," * 16_000,
        "-" * 100_000,
        r"\frac{" * 16_000,
        "1" + " " * 99_999,
        "." * 100_000,
    ],
)
def test_hostile_text_of_a_hundred_thousand_characters_is_read_in_linear_time(text: str) -> None:
    assert len(find(text)) <= 16_000  # and it returns: pytest's timeout is the clock
