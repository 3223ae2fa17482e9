"""Pieces are small enough, and together they are the text."""

from __future__ import annotations

import random

import pytest

from webscale_rl.refine.pieces import cut, lines_of
from webscale_rl.refine.tokens import estimated_tokens

WORDS = ["the", "Orle", "1,034", "metres", "navigable", "日本語の文章。", "x=1;", "é", "end. Then"]


def text_of(chance: random.Random) -> str:
    marks = [" "] * 8 + ["\n", "\n\n", "\r\n", ". "]
    return "".join(chance.choice(WORDS) + chance.choice(marks) for _ in range(chance.randrange(1, 900)))


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_the_text_and_none_is_too_long(seed: int) -> None:
    chance = random.Random(seed)
    text = text_of(chance)
    for most in (16, 100, 1500):
        pieces = cut(text, most)
        assert "".join(pieces) == text
        assert all(estimated_tokens(piece) <= most for piece in pieces)
        assert all(pieces)
    assert "".join(lines_of(text)) == text


def test_a_text_that_fits_is_one_piece_and_a_long_one_has_no_mere_rest() -> None:
    assert cut("short.", 100) == ["short."]
    sizes = [estimated_tokens(piece) for piece in cut("A line of some words.\n" * 300, 1000)]
    assert min(sizes) > max(sizes) / 2


def test_a_line_without_an_end_is_cut_after_sentences() -> None:
    pieces = cut("It is so and so. " * 400, 200)
    assert all(piece.endswith(". ") for piece in pieces)
    assert len(cut("x" * 50_000, 100)) > 50


def test_prose_has_about_the_tokens_that_tokenizers_find() -> None:
    prose = "The river rises on the northern slope of the mountain and flows for forty kilometres through valleys."
    words = len(prose.split())
    assert words < estimated_tokens(prose) < 2 * words
    assert estimated_tokens("日本語") == 3
