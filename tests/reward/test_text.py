from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.reward.text import clean, fold


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("10²", "10^2"),
        ("10\u200b²", "10^2"),
        ("x⁻¹", "x^-1"),
        ("(a+b)²", "(a+b)^2"),
        ("¹⁴C", "14C"),
        ("H₂O", "H2O"),
        ("Ca²⁺", "Ca^2+"),
        ("½", "1/2"),
        ("2½", "2 1/2"),
        ("2⁵⁄₃", "2 5/3"),
        ("1⁄2", "1/2"),
    ],
)
def test_raised_characters_and_fractions_keep_their_meaning(text: str, seen: str) -> None:
    assert clean(text) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("−5", "-5"),
        ("1914–1918", "1914-1918"),
        ("Paris—the capital", "Paris - the capital"),
        ("‘a’ “b” 5′ 6″", "'a' \"b\" 5' 6\""),
        ("５０％", "50%"),
        ("٣٤", "34"),
        ("ﬁve", "five"),
        ("30\u00a0km", "30 km"),
        ("a\r\nb\tc", "a\nb c"),
        ("Acme™", "Acme"),
        ("5 µm", "5 μm"),
    ],
)
def test_what_looks_the_same_has_one_spelling(text: str, seen: str) -> None:
    assert clean(text) == seen


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u202e", "\u2066", "\u00ad", "\ufeff", "\U000e0041", "\x00", "\u3164", "\ufe0f"]
)
def test_what_cannot_be_seen_is_not_there(unseen: str) -> None:
    assert clean(f"Pa{unseen}ris{unseen}") == "Paris"
    assert clean(unseen) == ""


def test_letters_of_another_script_stay_themselves() -> None:
    assert fold("P\u0430ris") != fold("Paris")
    assert fold("\u039da") != fold("Na")


def test_case_and_accents_are_folded_away() -> None:
    assert fold("Łódź") == "lodz"
    assert fold("Straße  São\nPaulo") == "strasse sao paulo"
    assert fold("Ægir Øst") == "aegir ost"


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S"])))
def test_visible_ascii_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("piece", ["²", "a²", "½", "\u200b", "é", "\r\n", "⁄", "\u0301", "１"])
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    before = time.process_time()
    clean(text)
    assert time.process_time() - before < 0.5
