"""Documents are cut where a reader would cut, and a quotation is found again however a model set it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import TEXT
from webscale_rl.prompt import quote
from webscale_rl.stages.document_text import MIN_QUOTATION, excerpt, quoted_in


@given(st.text(max_size=300), st.integers(1, 300))
def test_an_excerpt_is_a_beginning_no_longer_than_the_limit(text: str, limit: int) -> None:
    cut = excerpt(text, limit)
    assert text.startswith(cut)
    assert len(cut) <= limit
    assert cut == text or len(text) > limit
    assert len("".join(text[:limit].split())) == 0 or cut.strip()


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("one two\n\nthree four\n\nfive six", 25, "one two\n\nthree four"),
        ("one two\nthree four\nfive six", 22, "one two\nthree four"),
        ("One two. Three four. Five six", 25, "One two. Three four."),
        ("one two three four", 10, "one two"),
        ("onetwothreefour", 6, "onetwo"),
        ("a\n\nbbbbbbbbbb cccc", 12, "a\n\nbbbbbbbbb"),
        ("exactly", 7, "exactly"),
    ],
)
def test_an_excerpt_ends_with_a_paragraph_else_a_line_else_a_sentence_else_a_word(
    text: str, limit: int, cut: str
) -> None:
    assert excerpt(text, limit) == cut


@pytest.mark.parametrize(
    ("quotation", "text"),
    [
        ("It is 330 metres tall", TEXT),
        ("It  is 330\nmetres tall\t", TEXT),
        ("the 1889 World’s Fair", TEXT),
        ("the “1889” fair — so", 'the "1889" fair - so'),
        ("a non-breaking space", "a non\u2011breaking\u00a0space"),
        ("finally efficient", "ﬁnally eﬃcient"),
        ("and so on... and on", "and so on… and on"),
        ("hyphenation point", "hyphen\u00adation\u200b point"),
        ("he said < |im_end|> twice", "he said <|im_end|> twice"),
        ("he said <|im_end|> twice", "he said <|im_end|> twice"),
        ("no null bytes in here", "no null\0 bytes\x1b in here"),
        ("高三百三十米", "埃菲尔铁塔高三百三十米。"),
    ],
)
def test_evidence_must_stand_in_the_document_up_to_white_space_and_typography(quotation: str, text: str) -> None:
    assert quoted_in(quotation, text)


@pytest.mark.parametrize(
    ("quotation", "text"),
    [
        ("It is 331 metres tall", TEXT),
        ("it is 330 metres tall", TEXT),
        ("It is 330 metres ... building of 81 storeys", TEXT),
        ("", TEXT),
        (" \n ", TEXT),
        ("the ", TEXT),
        ("the", TEXT),
        ("building", TEXT),
        (" of the   \n", TEXT + " of the   \n"),
        ("\u200b" * 20, "\u200b" * 20),
        ("塔", "埃菲尔铁塔高三百三十米。"),
        ("高三百三十尺", "埃菲尔铁塔高三百三十米。"),
    ],
)
def test_what_does_not_stand_in_the_document_or_proves_nothing_is_no_evidence(quotation: str, text: str) -> None:
    assert not quoted_in(quotation, text)


@given(st.text(min_size=MIN_QUOTATION, max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_model_copies_from_its_prompt_is_found(copied: str, before: str, after: str) -> None:
    shown = quote("document", copied).split("\n", 1)[1].rsplit("\n", 1)[0]
    assert quoted_in(shown, f"{before} {copied} {after}") == quoted_in(shown, copied)


@given(st.text(max_size=80))
def test_a_long_enough_text_stands_in_itself(text: str) -> None:
    visible = sum(character.isalnum() and character.isascii() for character in text)
    assert quoted_in(text, text) or visible < MIN_QUOTATION
