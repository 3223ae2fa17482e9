"""The extractive backend answers the four stages by rule: deterministic, self-contained, never leaking, never slow."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from webscale_rl.backend import BadRequest, Request
from webscale_rl.backends.extractive import Extractive, Options
from webscale_rl.domains import Domain, Taxonomy
from webscale_rl.prompt import Prompt
from webscale_rl.stage import Context
from webscale_rl.stages.check import CheckReply
from webscale_rl.stages.classify import ClassifyReply
from webscale_rl.stages.document_text import quoted_in
from webscale_rl.stages.filter import FilterReply
from webscale_rl.stages.generate import GeneratedPair, GenerateReply

PAGE = """Suez Canal

The Suez Canal is an artificial waterway in Egypt that connects the Mediterranean Sea to
the Red Sea. It was opened in November 1869 after ten years of work. He did not like it.
The Suez Canal was built by the Suez Canal Company under Ferdinand de Lesseps. The
Egyptian president Gamal Abdel Nasser nationalised the waterway in 1956.

A lock is a device used for raising and lowering boats between stretches of water of
different levels. The study of canals is also an important part of history. In 2015,
Egypt opened a second lane of the Suez Canal. We think that this is wonderful. Click
here to learn more about our tours.
"""
PROMPT = Prompt.parse("x", "# user\n{{document}}")
DOMAINS = Taxonomy(
    (
        Domain("health", "Health", "Texts on diseases.", "", ("a patient", "a nurse"), ("disease", "therapy"), ()),
        Domain("water", "Water", "Texts on canals, rivers and boats.", "", ("a captain", "a pupil", "a clerk"), (), ()),
        Domain("other", "Other", "What fits nowhere else.", "", (), (), ()),
    )
)


@pytest.fixture
def backend() -> Extractive:
    return Extractive(Options(), Context(DOMAINS))


async def ask(backend: Extractive, stage: str, reply_type: type[msgspec.Struct], **slots: str) -> Any:
    reply = await backend.reply(Request(stage, PROMPT, slots, reply_type, ""))
    assert reply.finish == "stop"
    assert reply.model == "extractive-1"
    return msgspec.json.decode(reply.text, type=reply_type)


async def generate(backend: Extractive, document: str, persona: str = "a captain", pairs: int = 20) -> GenerateReply:
    slots = {"document": document, "domain": "Water", "persona": persona, "examples": "", "pairs": str(pairs)}
    return await ask(backend, "generate", GenerateReply, **slots)


async def all_pairs(backend: Extractive, document: str) -> list[GeneratedPair]:
    replies = [await generate(backend, document, persona) for persona in ("a captain", "a pupil", "a clerk")]
    return [pair for reply in replies for pair in reply.pairs]


async def check(backend: Extractive, document: str, question: str, answer: str) -> CheckReply:
    return await ask(backend, "check", CheckReply, document=document, question=question, answer=answer)


def holds(reply: CheckReply) -> bool:
    return reply.has_context and reply.answer_correct and not reply.leaks_answer


async def test_another_stage_is_a_bad_request(backend: Extractive) -> None:
    with pytest.raises(BadRequest, match="cannot answer stage 'closed_book'"):
        await backend.reply(Request("closed_book", PROMPT, {"question": "?"}, FilterReply, ""))


async def test_a_missing_slot_is_a_bad_request(backend: Extractive) -> None:
    with pytest.raises(BadRequest, match="document"):
        await backend.reply(Request("filter", PROMPT, {}, FilterReply, ""))


async def test_it_is_free_and_opens_nothing(backend: Extractive) -> None:
    async with backend as opened:
        assert opened is backend
    assert not Extractive.paid


async def test_prose_passes_the_filter_and_junk_does_not(backend: Extractive) -> None:
    async def passes(document: str) -> bool:
        reply = await ask(backend, "filter", FilterReply, document=document)
        return bool(reply.informative and reply.self_contained)

    assert await passes(PAGE)
    assert await passes("Der Kanal wurde 1869 eröffnet. Er verbindet zwei Meere. Er liegt in Ägypten, am Roten Meer.")
    assert not await passes("")
    assert not await passes("#REDIRECT [[Suez Canal]]")
    assert not await passes("§ 33-109.07 \nStatement of merger.\nRepealed.")
    assert not await passes("7.4,0.7,0,1.9,0.076,11,34\n" * 60)
    assert not await passes("Home\nAbout\nContact\nLog in\nSitemap\nPrivacy\n" * 9)
    assert not await passes("Click here to order now! You get a free trial, absolutely free. Unsubscribe here. " * 5)


async def test_a_domain_is_known_by_its_keywords_or_its_definition(backend: Extractive) -> None:
    async def domain(document: str) -> str:
        slots = {"document": document, "domains": "", "max_personas": "3"}
        reply: ClassifyReply = await ask(backend, "classify", ClassifyReply, **slots)
        return reply.domain

    assert await domain("The disease needs a long therapy, and the therapy of the disease is new.") == "Health"
    assert await domain("Canals carry boats, and boats on canals carry coal from the rivers.") == "Water"
    assert await domain("Nothing of the kind.") == "Other"


async def test_personas_are_those_of_the_domain_or_generic_ones(backend: Extractive) -> None:
    slots = {"document": PAGE, "domains": ""}
    two = await ask(backend, "classify", ClassifyReply, max_personas="2", **slots)
    three = await ask(backend, "classify", ClassifyReply, max_personas="3", **slots)
    assert two.personas == three.personas[:2]
    assert set(three.personas) == {"a captain", "a pupil", "a clerk"}
    other = await ask(backend, "classify", ClassifyReply, document="Nothing.", domains="", max_personas="3")
    assert len(set(other.personas)) == 3


async def test_pairs_stand_in_the_document_and_pass_the_check(backend: Extractive) -> None:
    found = await all_pairs(backend, PAGE)
    assert len(found) >= 3
    for pair in found:
        assert quoted_in(pair.evidence, PAGE)
        assert pair.answer.casefold() not in pair.question.casefold()
        assert holds(await check(backend, PAGE, pair.question, pair.answer)), pair


async def test_no_pair_comes_from_a_sentence_that_does_not_stand_alone(backend: Extractive) -> None:
    evidence = " ".join(pair.evidence for pair in await all_pairs(backend, PAGE))
    assert "He did not" not in evidence
    assert "We think" not in evidence
    assert "Click" not in evidence
    assert "important part" not in evidence


async def test_a_pronoun_is_resolved_only_to_the_topic_of_the_page(backend: Extractive) -> None:
    question = next(pair.question for pair in await all_pairs(backend, PAGE) if pair.answer == "November 1869")
    assert "Suez Canal" in question
    loose = "Some people came to the town in spring. It was opened in November 1869 after ten years of hard work."
    assert await all_pairs(backend, loose) == []


async def test_personas_of_one_document_share_no_pair(backend: Extractive) -> None:
    questions = [
        pair.question for persona in ("a captain", "a pupil", "a clerk")
        for pair in (await generate(backend, PAGE, persona, 1)).pairs
    ]  # fmt: skip
    assert len(questions) == len(set(questions)) == 3


async def test_the_same_request_has_the_same_answer_in_another_instance(backend: Extractive) -> None:
    again = Extractive(Options(), Context(DOMAINS))
    assert await generate(backend, PAGE, "someone unknown") == await generate(again, PAGE, "someone unknown")


async def test_a_page_in_another_language_gets_no_pair(backend: Extractive) -> None:
    german = "Der Sueskanal ist ein Schifffahrtskanal in Ägypten. Er wurde im November 1869 in Port Said eröffnet. " * 5
    assert await all_pairs(backend, german) == []


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "Tillage is a practice in which soil is plowed to prepare a field for planting or pest control.",
            "What is the term for a practice in which soil is plowed to prepare a field",
            "Tillage",
        ),
        (
            "The city of Brasilia was founded in 1960 by Kubitschek.",
            "In what year was the city of Brasilia founded",
            "1960",
        ),
        (
            "Hollis syndrome is caused by mutations in the ANKH gene on chromosome 5.",
            "Mutations in which gene cause Hollis syndrome?",
            "ANKH",
        ),
        ("There are 8,350 rivers of various lengths in Azerbaijan.", "How many rivers", "8,350"),
        (
            "During angiography a thin, flexible tube called a catheter is threaded through an artery to the heart.",
            "called a ____ is threaded",
            "catheter",
        ),
        (
            "The Federal Open Market Committee (FOMC) sets the monetary policy of the United States.",
            'What does "FOMC" stand for',
            "Federal Open Market Committee",
        ),
    ],
)
async def test_plain_syntax_becomes_a_question(backend: Extractive, text: str, question: str, answer: str) -> None:
    document = f"{text} More of the story is told by those who have been there and who have seen all of it at night."
    found = {pair.answer: pair.question for pair in await all_pairs(backend, document)}
    assert question in found.get(answer, "")


async def test_a_glossary_entry_becomes_a_question(backend: Extractive) -> None:
    page = f"{PAGE}\n\nangular speed\nthe angle through which a rotating object travels in a unit of time\n"
    found = {pair.answer: pair.question for pair in await all_pairs(backend, page)}
    assert found["angular speed"].startswith("What is the term for the angle through which")


@pytest.mark.parametrize(
    ("question", "answer", "fault"),
    [
        ("In what month and year was the Suez Canal opened after ten years of work?", "November 1869", ""),
        ('Fill in the missing year: "In ____, Egypt opened a second lane of the Suez Canal."', "2015", ""),
        ("In what year did Egypt open a second lane of the Suez Canal?", "2014", "wrong"),
        ("In what year did Egypt open a second lane of the Suez Canal?", "1956", "wrong"),
        ('Fill in the missing year: "In ____, Egypt opened a second lane of the Suez Canal."', "1956", "wrong"),
        ("In what year did Egypt open a second lane of the Suez Canal?", "Ferdinand de Lesseps", "wrong"),
        ("Who designed the Eiffel Tower for the world's fair of Paris?", "Ferdinand de Lesseps", "wrong"),
        ("In what month and year was it opened?", "November 1869", "context"),
        ("According to the passage, which sea does the Suez Canal connect to the Red Sea?", "Mediterranean", "context"),
        ("When did he nationalise the waterway?", "1956", "context"),
        ("What did our company build in Egypt?", "Suez Canal", "context"),
        (
            "Which waterway, the Suez Canal, connects the Mediterranean to the Red Sea?",
            "Suez Canal",
            "leaks",
        ),
        ("In what year, 2015, did Egypt open a second lane of the Suez Canal?", "2015", "leaks"),
        ("What is the term for a device used for locking boats between stretches of water?", "lock", "leaks"),
    ],
)
async def test_the_check_rejects_what_is_wrong(backend: Extractive, question: str, answer: str, fault: str) -> None:
    reply = await check(backend, PAGE, question, answer)
    assert reply.has_context == (fault != "context")
    assert reply.leaks_answer == (fault == "leaks")
    if fault in ("", "wrong"):
        assert reply.answer_correct == (fault == "")


async def test_numbers_are_compared_by_value(backend: Extractive) -> None:
    text = "The Nile delta has about 1,200 villages along its channels, as Egypt counted in 1990."
    question = "How many villages does the Nile delta have along its channels?"
    assert (await check(backend, text, question, "1200")).answer_correct
    assert not (await check(backend, text, question, "12")).answer_correct
    assert (await check(backend, text, "How many are the 1200 villages of the Nile delta?", "1,200")).leaks_answer


@pytest.mark.parametrize(
    "text",
    [
        "a" * 32_000,
        "1," * 16_000,
        "( " * 16_000,
        "A. " * 10_000,
        "[" * 32_000,
        "_ * " * 8_000,
        "In 1900 " * 4_000,
        "Aa Bb " * 5_300,
        "The a of the b is the c. " * 1_280,
        "\n" * 32_000,
        "a\n" * 16_000,
        "<a " * 10_000,
        '"“' * 16_000,
        "X is a Y that " * 2_280,
        "Mr. Al. U.S. J. K. " * 1_680,
        "é̀🙂" * 8_000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
async def test_hostile_text_is_read_in_time(backend: Extractive, text: str) -> None:
    start = time.process_time()
    await ask(backend, "filter", FilterReply, document=text)
    await ask(backend, "classify", ClassifyReply, document=text, domains="", max_personas="3")
    await generate(backend, text)
    await check(backend, text, 'Fill in the missing year: "In ____, Egypt opened a lane of the Suez Canal."', "2015")
    await check(backend, text, "In what year did Egypt open a second lane of the Suez Canal?", "2015")
    assert time.process_time() - start < 0.5  # 0.2 s where nothing else runs
