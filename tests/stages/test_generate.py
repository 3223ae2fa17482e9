"""The question writer is shown worked examples of the domain, and gives no more pairs than were asked for."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.records import TAXONOMY, brief, document, stage
from webscale_rl.reward import from_json, infer
from webscale_rl.stage import Context
from webscale_rl.stages.generate import Generate, GeneratedPair, GenerateOptions, GenerateReply
from webscale_rl.types import Brief, Drop, Pair


def written(number: int) -> GeneratedPair:
    return GeneratedPair(f" evidence {number}\n", f"\tquestion {number}? ", f" answer {number} ", "phrase")


def test_pairs_are_stripped_and_no_more_than_were_asked_for() -> None:
    reply = GenerateReply([written(1), written(2), written(3)])
    references = [f'{{"answer":"answer {n}","type":"phrase"}}' for n in range(4)]
    expected = [
        Pair(brief(), f"question {n}?", f"answer {n}", "phrase", f"evidence {n}", references[n]) for n in (1, 2, 3)
    ]
    assert stage("generate").decide(brief(), reply) == expected[:1]
    assert stage("generate", pairs_per_persona=2).decide(brief(), reply) == expected[:2]
    assert stage("generate", pairs_per_persona=9).decide(brief(), reply) == expected


def test_an_answer_is_typed_when_the_pair_is_made_whatever_the_model_called_it() -> None:
    written = GeneratedPair("in 1889", "How many metres tall is the tower?", "330", "phrase")
    (made,) = stage("generate").decide(brief(), GenerateReply([written]))
    assert made.answer_type == "number"
    assert from_json(made.reference) == infer("330", "How many metres tall is the tower?")
    assert from_json(made.reference).type == "number"


def test_no_pair_is_better_than_a_poor_one() -> None:
    assert stage("generate").decide(brief(), GenerateReply([])) == Drop("generate", "no_question")


def test_an_answer_type_outside_the_closed_list_does_not_parse() -> None:
    text = '{"pairs": [{"evidence": "e", "question": "q", "answer": "a", "answer_type": "mood"}]}'
    with pytest.raises(msgspec.ValidationError, match="mood"):
        msgspec.json.decode(text, type=GenerateReply)


def test_the_prompt_shows_worked_examples_of_the_briefs_domain_and_seed() -> None:
    slots = stage("generate", few_shot=2, few_shot_documents=True).ask(brief())
    shots = TAXONOMY.few_shot("Technology & Engineering", 2, 0)
    assert [shot.document in slots["examples"] for shot in shots] == [True, True]
    assert slots["examples"].count("Document:\n") == 2
    assert slots["domain"] == "Technology & Engineering"
    assert slots["persona"] == "an architect"
    assert slots["pairs"] == "1"
    seeded = Generate(GenerateOptions(few_shot=2, pairs_per_persona=3), Context(TAXONOMY, seed=5)).ask(brief())
    other = TAXONOMY.few_shot("Technology & Engineering", 2, 5)[0]
    assert other != shots[0]
    assert other.persona in seeded["examples"]
    assert other.document not in seeded["examples"]
    assert seeded["pairs"] == "3"


def test_a_worked_example_shows_a_reply_that_parses_into_the_example() -> None:
    slots = stage("generate", few_shot=8).ask(brief())
    lines = [line.removeprefix("Reply: ") for line in slots["examples"].split("\n") if line.startswith("Reply: ")]
    replies = [msgspec.json.decode(line, type=GenerateReply).pairs[0] for line in lines]
    shots = TAXONOMY.few_shot("Technology & Engineering", 8, 0)
    assert [(reply.question, reply.answer, reply.evidence, reply.answer_type) for reply in replies] == [
        (shot.question, shot.answer, shot.evidence, shot.answer_type) for shot in shots
    ]
    assert [list(json.loads(line)["pairs"][0]) for line in lines] == [
        ["evidence", "question", "answer", "answer_type"]
    ] * 8


def test_without_worked_examples_the_slot_is_empty() -> None:
    assert stage("generate", few_shot=0).ask(brief())["examples"] == ""


def test_all_that_comes_before_the_document_is_the_same_for_a_domain() -> None:
    """A server's prefix cache serves what all documents of a domain share."""
    generate = stage("generate")
    assert generate.prompt is not None
    one, other = (
        generate.prompt.render(generate.ask(Brief(document(text), "Math", who)))
        for text, who in (("a", "b"), ("c", "d"))
    )
    assert one[0] == other[0]
    assert one[1]["content"].startswith("<document ")


def test_a_document_is_cut_to_the_stages_limit() -> None:
    assert (
        stage("generate", max_document_chars=200).ask(brief(text="word " * 100))["document"] == ("word " * 40).rstrip()
    )
