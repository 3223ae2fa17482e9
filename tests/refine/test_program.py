"""A program is applied as a whole or refused as a whole, and never says anything that its piece does not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from webscale_rl.refine.pieces import numbered
from webscale_rl.refine.program import Edit, Refused, apply

PIECE = "Home | Login\nThe Orle rises at 1,034 metres.[1]\nIt is not navi-\ngable in spring.\n&copy; Example"


def remove(start: int, end: int) -> Edit:
    return Edit("remove_lines", start, end, "", "")


def normalize(source: str, target: str = "") -> Edit:
    return Edit("normalize", 0, 0, source, target)


KEEP_ALL = Edit("keep_all", 0, 0, "", "")


def refusal(*program: Edit, piece: str = PIECE, most: float = 0.9) -> str:
    with pytest.raises(Refused) as refused:
        apply(program, piece, most)
    return refused.value.word


def test_lines_go_and_strings_are_set_anew() -> None:
    edited = apply([remove(5, 5), normalize("[1]"), remove(1, 1), normalize("metres.", "metres:")], PIECE, 0.9)
    assert edited.text == "The Orle rises at 1,034 metres:\nIt is not navi-\ngable in spring.\n"
    assert (edited.removed_lines, edited.normalized) == (2, 2)


@pytest.mark.parametrize("program", [[], [KEEP_ALL], [KEEP_ALL, KEEP_ALL]])
def test_nothing_to_do_leaves_every_character(program: list[Edit]) -> None:
    assert apply(program, PIECE, 0.9).text == PIECE


@pytest.mark.parametrize(("start", "end"), [(0, 1), (-3, 2), (6, 6), (2, 99), (4, 3), (0, 0), (1, 10**30)])
def test_a_line_that_is_not_there_refuses_the_program(start: int, end: int) -> None:
    assert refusal(remove(start, end)) == "no_such_line"


def test_edits_that_meet_refuse_the_program() -> None:
    assert refusal(remove(1, 2), remove(2, 3)) == "overlaps"
    assert refusal(normalize("Orle rises"), normalize("rises at")) == "overlaps"
    assert refusal(normalize("[1]"), normalize("[1]")) == "overlaps"
    assert refusal(KEEP_ALL, remove(1, 1)) == "contradicts_itself"


def test_a_string_must_stand_whole_in_one_line_that_stays() -> None:
    assert refusal(normalize("nowhere")) == "no_such_text"
    assert refusal(normalize("")) == "no_such_text"
    assert refusal(normalize("e")) == "no_such_text", "it stands within words only"
    assert refusal(normalize("navi-\ngable", "navigable")) == "no_such_text"
    assert refusal(remove(1, 1), normalize("Login")) == "no_such_text"
    assert apply([normalize("is", "IS")], PIECE, 0.9).text.count("IS") == 1, "and not within `rises`"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Orle", "Orla"),
        ("rises", "rises and falls"),
        ("1,034", "1,340"),
        ("1,034", "34"),
        ("1,034", "1034"),
        ("not", "now"),
        ("[1]", "[1] See http://example.com"),
        ("spring", "sprinG" + " " * 20),
        ("&copy; Example", "<script>"),
    ],
)
def test_a_replacement_cannot_say_anything_new(source: str, target: str) -> None:
    assert refusal(normalize(source, target)) == "adds_text"


def test_what_removes_nearly_all_is_refused() -> None:
    assert refusal(remove(1, 5)) == "removes_too_much"
    assert refusal(remove(1, 2), most=0.3) == "removes_too_much"
    assert apply([remove(1, 5)], PIECE, 1.0).text == ""


def test_a_program_of_thousands_of_edits_takes_no_time() -> None:
    piece = "a " * 4000 + "a" * 4000
    started = time.process_time()
    assert refusal(*(normalize("a " * at + "a") for at in range(5000)), piece=piece) == "overlaps"
    assert refusal(*[normalize("a")] * 5000, piece=piece) == "overlaps"
    assert refusal(*(remove(1, 1) for _ in range(5000)), piece=piece) == "overlaps"
    assert time.process_time() - started < 0.5


def test_a_refused_program_says_what_was_wrong() -> None:
    with pytest.raises(Refused, match="lines 7 to 9 of 5"):
        apply([remove(7, 9)], PIECE, 0.9)


@pytest.mark.parametrize("call", ["__import__('os').system('true')", "eval", "remove_lines()"])
def test_a_call_of_another_name_is_no_program(call: Any) -> None:
    import msgspec

    from webscale_rl.backend import Reply
    from webscale_rl.refine.prox import ProgramReply
    from webscale_rl.replies import Unusable, parse

    told = msgspec.json.encode({"program": [{"call": call, "start": 1, "end": 1, "source": "", "target": ""}]})
    with pytest.raises(Unusable):
        parse(Reply(told.decode()), ProgramReply)


def test_the_numbers_that_a_model_sees_are_those_that_are_meant() -> None:
    piece = "one\r\n\n[7] three\x0bstill three\nfour"
    shown = numbered(piece).split("\n")
    assert [line.split("]")[0] for line in shown] == ["[1", "[2", "[3", "[4"]
    assert apply([remove(3, 3)], piece, 0.9).text == "one\r\n\nfour"
