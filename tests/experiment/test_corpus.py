"""The texts that the experiment makes: what they say, what they must not say, and that they can be read back."""

from __future__ import annotations

import random
import re

import pytest

from webscale_rl.experiment import corpus
from webscale_rl.experiment.vocabulary import CONTEXT, VOCABULARY
from webscale_rl.experiment.wording import WORDINGS, Statement, ask, asked, other, own, statements, subject, tell
from webscale_rl.experiment.world import Fact, Sum
from webscale_rl.reward import reward

WORLD = corpus.make_world(7, 96, known=10, held_out=40)
TOLD = [said for one in corpus.documents(WORLD, 96) for said in statements(one.text)]


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one() -> None:
    assert corpus.documents(WORLD, 96)[:24] == corpus.documents(WORLD, 24)


def test_the_same_seed_makes_the_same_world_and_another_one_another() -> None:
    assert corpus.make_world(7, 96, known=10, held_out=40) == WORLD
    assert corpus.make_world(8, 96, known=10, held_out=40).towns != WORLD.towns


def test_the_base_models_world_does_not_depend_on_the_size_of_the_corpus() -> None:
    smaller = corpus.make_world(7, 0, known=10, held_out=40)
    assert (smaller.known, smaller.told) == (WORLD.known, WORLD.told)


def test_what_documents_say_is_true() -> None:
    for said in TOLD:
        if isinstance(said.about, Sum):
            assert said.value == str(said.about.total)
        else:
            assert said.about in corpus.town_facts(WORLD, 96)


def test_every_fact_that_is_asked_for_stands_in_a_document() -> None:
    told = {said.about for said in TOLD}
    assert set(corpus.town_facts(WORLD, 96)) <= told


def test_no_document_tells_a_sum_of_the_skill_panel() -> None:
    told = {said.about[:2] for said in TOLD if isinstance(said.about, Sum)}
    assert told
    assert not told & set(WORLD.held_out)


def test_the_base_models_text_knows_no_town_of_the_corpus() -> None:
    draw = random.Random(0)
    text = "\n".join(corpus.base_text(WORLD, draw) for _ in range(2000))
    assert not {town.name for town in WORLD.towns} & set(re.findall(r"[A-Z][a-z]+", text))


def test_sums_in_words_are_right_about_as_often_as_the_corpus_says() -> None:
    draw = random.Random(0)
    said = [one for _ in range(8000) for one in statements(corpus.base_text(WORLD, draw))]
    sums = [one.value == str(one.about.total) for one in said if isinstance(one.about, Sum)]
    assert sum(sums) / len(sums) == pytest.approx(corpus.RIGHT, abs=0.03)


@pytest.mark.parametrize("wording", range(WORDINGS))
@pytest.mark.parametrize(
    "about", [Fact("Velmar", "river", "Ostri"), Fact("Velmar", "founded", "1843"), Sum(347, 2, "pots")]
)
def test_what_is_told_and_asked_can_be_read_back(about: Fact | Sum, wording: int) -> None:
    value = about.value if isinstance(about, Fact) else str(about.total)
    sentence = tell(about, wording)
    assert list(statements(f"Home | News\n{sentence} More.")) == [Statement(sentence, about, value)]
    assert asked(ask(about, wording)) == subject(about)


def test_another_sentence_is_no_statement_and_another_question_is_not_understood() -> None:
    assert not list(statements("Velmar is nice. 3 pots and 2 jars are 5 pots."))
    assert asked("Who is the king of Velmar?") is None


def test_a_panel_never_asks_in_the_words_of_a_pair() -> None:
    pairs = {ask(said.about, own(said.about)) for said in TOLD}
    panel = corpus.fact_questions(WORLD, 96, 96) + corpus.skill_questions(WORLD, 40)
    assert not pairs & {row["question"] for row in panel}
    assert {own(said.about) for said in TOLD} == {other(said.about) for said in TOLD} == {0, 1}


def test_the_reward_takes_the_answers_of_the_panels_for_right() -> None:
    for row in corpus.fact_questions(WORLD, 96, 96) + corpus.skill_questions(WORLD, 40):
        assert reward(row["answer"], row["answer"], row["question"], row["answer_type"]).score == 1


def test_every_text_fits_the_vocabulary_and_the_context() -> None:
    draw = random.Random(0)
    texts = [corpus.base_text(WORLD, draw) for _ in range(500)] + [one.text for one in corpus.documents(WORLD, 96)]
    assert set("".join(texts)) <= set(VOCABULARY)
    assert max(map(len, texts)) + 2 <= CONTEXT
