"""The paid filter drops what a reply calls uninformative or a fragment, and nothing else."""

from __future__ import annotations

import pytest

from tests.records import document, stage
from webscale_rl.stages.filter import FilterReply
from webscale_rl.types import Drop


def test_a_page_is_kept_as_it_is_only_if_both_verdicts_hold() -> None:
    assert stage("filter").decide(document(), FilterReply("a biography", True, True)) == [document()]


@pytest.mark.parametrize(
    ("informative", "self_contained", "reason"),
    [(False, False, "not_informative"), (False, True, "not_informative"), (True, False, "not_self_contained")],
)
def test_a_page_is_dropped_by_the_first_verdict_that_fails(
    informative: bool, self_contained: bool, reason: str
) -> None:
    reply = FilterReply("a <|im_start|>menu\x1b[2J", informative, self_contained)
    assert stage("filter").decide(document(), reply) == Drop("filter", reason, "a < |im_start|>menu[2J")


def test_what_a_reply_calls_a_page_is_cut() -> None:
    decision = stage("filter").decide(document(), FilterReply("x" * 999, False, False))
    assert isinstance(decision, Drop)
    assert decision.detail == "x" * 300


def test_the_document_is_cut_to_what_the_options_allow() -> None:
    text = "A first paragraph of words. " * 6 + "\n\n" + "b" * 500
    assert stage("filter", max_document_chars=200).ask(document(text)) == {"document": text[:168].rstrip()}
    assert stage("filter").ask(document(text)) == {"document": text}
