from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import phrase
from webscale_rl.reward.reference import Reference

ORGANELLE = "What organelle is known as the powerhouse of the cell?"


def same(reference: str, answer: str, question: str = "") -> bool | None:
    return phrase.compare(Reference(reference, "phrase"), answer, question).same


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("the mitochondria", "Mitochondrion"),
        ("analysing colours", "analyzing colors"),
        ("twenty-five soldiers", "25 soldiers"),
        ("well-known theory", "well known theories"),
        ("carbon dioxide (CO2)", "CO2"),
        ("electrocution / the electric chair", "the electric chair"),
        ("supply and demand", "demand and supply"),
        ("axis of the Earth", "the Earth's axis"),
        ("gross domestic product", "GDP"),
    ],
)
def test_one_meaning_in_another_spelling_is_right(reference: str, answer: str) -> None:
    assert same(reference, answer) is True


@pytest.mark.parametrize(
    "answer",
    [
        "mitochondria",
        "It is the mitochondria.",
        "the mitochondria of the cell",
        "The mitochondrion is known as the powerhouse of the cell.",
        "Mitochondria, which produce ATP",
        "Not only plants but all eukaryotes have it: the powerhouse of the cell is the mitochondrion.",
    ],
)
def test_an_answer_that_asserts_the_reference_is_right(answer: str) -> None:
    assert same("mitochondria", answer, ORGANELLE) is True


@pytest.mark.parametrize(
    "answer",
    [
        "not mitochondria",
        "It isn't the mitochondria.",
        "Mitochondria are not the powerhouse of the cell.",
        "the nucleus rather than the mitochondria",
        "the nucleus, unlike the mitochondria",
        "mitochondria or ribosomes",
        "either mitochondria or ribosomes",
        "mitochondria/ribosomes",
        "mitochondria, ribosomes, or vacuoles",
        "Mitochondria... no, wait, the nucleus.",
    ],
)
def test_denied_offered_beside_others_or_taken_back_is_wrong(answer: str) -> None:
    assert same("mitochondria", answer, ORGANELLE) is False


@pytest.mark.parametrize(
    "answer",
    [
        "It might be the mitochondria.",
        "possibly mitochondria",
        "Some people say it is the mitochondria.",
        "It used to be called mitochondria.",
        "The nucleus sends signals to the mitochondria.",
        "The nucleus, which surrounds the mitochondria",
        "the collapse of mitochondria",
        "mitochondria and ribosomes",
        "mitochondria, ribosomes",
    ],
)
def test_what_is_hedged_hearsay_or_said_of_something_else_is_never_right(answer: str) -> None:
    assert same("mitochondria", answer, ORGANELLE) is not True


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("it increases", "it decreases"),
        ("red blood cells", "white blood cells"),
        ("hypertension", "hypotension"),
        ("before the war", "after the war"),
        ("constitutional", "unconstitutional"),
        ("communism", "anti-communism"),
        ("two lungs", "three lungs"),
        ("with oxygen", "without oxygen"),
        ("photosynthesis", "respiration"),
        ("page not found", "page found"),
    ],
)
def test_what_excludes_the_reference_is_wrong(reference: str, answer: str) -> None:
    assert same(reference, answer) is False


def test_a_word_that_the_question_holds_may_be_left_out_and_another_may_not() -> None:
    assert same("hydrogen bonds", "hydrogen", "What type of bond holds DNA together?") is True
    assert same("red blood cells", "blood cells", "Which blood cells carry oxygen?") is not True


def test_words_of_a_question_that_offers_the_reference_are_no_answer() -> None:
    question = "Is light faster or slower than sound?"
    assert same("faster", "Light is faster than sound.", question) is True
    assert same("faster", "faster or slower", question) is False


def test_exchanged_roles_are_not_right() -> None:
    question = "What is the difference?"
    reference = "mitosis makes two cells while meiosis makes four cells"
    assert same(reference, "meiosis makes two cells while mitosis makes four cells", question) is not True


def test_the_form_of_a_word_counts_where_it_is_asked_for() -> None:
    assert same("oxen", "ox", "What is the plural of ox?") is False
    assert same("oxen", "ox") is True


def test_a_longer_answer_of_other_words_is_left_to_a_judge() -> None:
    assert same("to fight infection and disease in the body", "they defend it against germs of all sorts") is None


def test_scripts_without_spaces_are_compared_by_their_characters() -> None:
    assert same("光合成", "答えは光合成です。") is True
    assert same("光合成", "呼吸") is False
    assert same("光合成", "光合成ではなく呼吸です。") is None


@pytest.mark.parametrize(
    "answer", ["mitochondria " * 8_000, "or " * 30_000, "x" * 100_000, "not " * 25_000, "a, " * 30_000, "(" * 100_000]
)
def test_an_endless_answer_is_never_right(answer: str) -> None:
    assert same("mitochondria", answer, ORGANELLE) is not True


@pytest.mark.parametrize("answer", ["", " ", ".", "...", "\n", "\u200b"])
def test_an_empty_answer_is_wrong(answer: str) -> None:
    assert same("mitochondria", answer, ORGANELLE) is False


def test_any_wording_is_a_phrase_and_what_it_says_twice_is_an_alias() -> None:
    reference = phrase.infer("carbon dioxide (CO2)")
    assert reference is not None
    assert reference.aliases == ("carbon dioxide", "CO2")
    assert phrase.infer("...") is None
