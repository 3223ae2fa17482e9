"""One domain per document, and personas as a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records import TAXONOMY, document, stage
from webscale_rl.domains import Taxonomy
from webscale_rl.stage import Context
from webscale_rl.stages.classify import MAX_PERSONA_CHARS, Classify, ClassifyOptions, ClassifyReply
from webscale_rl.types import Brief, Drop


def personas(*names: str, most: int = 3) -> list[str]:
    decision = stage("classify", max_personas=most).decide(document(), ClassifyReply("Math", list(names)))
    assert isinstance(decision, list)
    assert all(brief.document == document() and brief.domain == "Math" for brief in decision)
    return [brief.persona for brief in decision]


def test_personas_are_never_split_on_commas() -> None:
    names = ("a parent, new to the city", "a nurse; two jobs, no time", "an editor\nof maps")
    assert personas(*names) == ["a parent, new to the city", "a nurse; two jobs, no time", "an editor of maps"]


def test_no_more_personas_than_were_asked_for_and_the_first_ones() -> None:
    assert personas("a", "b", "c", "d") == ["a", "b", "c"]
    assert personas("a", "b", "c", "d", most=1) == ["a"]


def test_a_persona_is_one_person_and_an_empty_one_nobody() -> None:
    assert personas("a  Cook", " ", "A cook", "", "a baker") == ["a Cook", "a baker"]


def test_a_persona_is_one_short_line_without_chat_tokens() -> None:
    assert personas("a <|im_start|> man\0\n") == ["a < |im_start|> man"]
    assert personas("x" * 999) == ["x" * MAX_PERSONA_CHARS]


@pytest.mark.parametrize("names", [[], ["", " \n", "\0"]])
def test_a_document_that_interests_nobody_is_dropped(names: list[str]) -> None:
    assert stage("classify").decide(document(), ClassifyReply("Math", names)) == Drop("classify", "no_persona")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("math", "Math"),
        ("Technology and Engineering", "Technology & Engineering"),
        ("Astrology", "Other"),
        ("", "Other"),
    ],
)
def test_a_domain_gets_its_own_name_and_an_unknown_one_is_other(said: str, name: str) -> None:
    assert stage("classify").decide(document(), ClassifyReply(said, ["a"])) == [Brief(document(), name, "a")]


def test_without_other_an_unknown_domain_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "wood").mkdir()
    (tmp_path / "wood" / "domain.yaml").write_text("name: Wood\ndefinition: d")
    classify = Classify(ClassifyOptions(), Context(Taxonomy.load(tmp_path)))
    assert classify.decide(document(), ClassifyReply("wood.", ["a"])) == [Brief(document(), "Wood", "a")]
    assert classify.decide(document(), ClassifyReply("Metal\0", ["a"])) == Drop("classify", "unknown_domain", "Metal")


def test_the_prompt_is_told_the_domains_and_the_number_of_personas() -> None:
    slots = stage("classify", max_personas=7, max_document_chars=200).ask(document("word " * 100))
    assert slots == {"document": ("word " * 40).rstrip(), "domains": TAXONOMY.definitions, "max_personas": "7"}
