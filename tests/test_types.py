"""Ids come from content, and values do not change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import brief, document, pair
from webscale_rl.types import Drop, Failure, content_id


def test_an_id_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert content_id("a", "é") == "5ff169be8d5a918f0d734d7945510002"
    assert content_id("\ud800") == content_id("\ud800"), "half a character has an id too"


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_other_parts_have_another_id_wherever_they_are_cut(one: list[str], other: list[str]) -> None:
    assert (content_id(*one) == content_id(*other)) == (one == other)


def test_where_parts_are_cut_matters() -> None:
    assert len({content_id("ab", "c"), content_id("a", "bc"), content_id("abc"), content_id("abc", "")}) == 4


@pytest.mark.parametrize(
    "value", [document(), brief(), pair(), Drop("check", "no_context"), Failure("check", "timeout")]
)
def test_what_flows_is_frozen(value: object) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, value.__struct_fields__[0], "x")  # type: ignore[attr-defined]
