"""Free rejections save a paid check each, and must not cost good questions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import pair, reason, stage
from webscale_rl.normalise import tokens
from webscale_rl.stages.precheck import _POINTERS, _REFERS, Precheck, is_yes_no, refers_to_text
from webscale_rl.types import Drop


def judged(options: dict[str, Any] | None = None, **fields: Any) -> str:
    return reason(stage("precheck", **(options or {})).decide(pair(**fields), None))


def test_a_good_pair_goes_on_as_it_is() -> None:
    assert stage("precheck").decide(pair(), None) == [pair()]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"question": ""}, "empty_question"),
        ({"question": " ?! "}, "empty_question"),
        ({"answer": " \n"}, "empty_answer"),
        ({"answer": "—"}, "empty_answer"),
        ({"answer": "word " * 31}, "long_answer"),
        ({"answer": "word " * 30}, "kept"),
        ({"question": "word " * 301}, "long_question"),
        ({"question": "word " * 300}, "kept"),
        ({"question": "Is the Eiffel Tower 330 metres tall?"}, "restated_answer"),
        ({"question": "How tall is it, according to the text?"}, "refers_to_text"),
        ({"evidence": "It is 324 metres tall"}, "no_evidence"),
        ({"evidence": "the"}, "no_evidence"),
        ({"answer": "<>", "answer_type": "code"}, "kept"),
        ({"answer": "∅", "answer_type": "formula"}, "kept"),
        ({"question": "Is it 330 or 81 storeys? 330", "answer": "330", "answer_type": "choice"}, "kept"),
        ({"question": "Yes or no: is it in Paris?", "answer": "Yes", "answer_type": "yes_no"}, "kept"),
        ({"question": "True or false: is it in Paris?", "answer": "true", "answer_type": "phrase"}, "kept"),
    ],
)
def test_each_rule_drops_what_it_is_for(fields: dict[str, Any], found: str) -> None:
    assert judged(**fields) == found


@pytest.mark.parametrize(
    ("options", "fields", "found"),
    [
        ({"max_answer_words": 1}, {}, "long_answer"),
        ({"max_question_words": 3}, {}, "long_question"),
        ({"allow_yes_no": False}, {"answer": "No, it is older."}, "yes_no"),
        ({"allow_yes_no": False}, {"answer_type": "yes_no"}, "yes_no"),
        ({"allow_yes_no": False}, {}, "kept"),
        ({"allow_choice": False}, {"answer_type": "choice"}, "choice"),
        ({"allow_choice": False}, {"question": "How tall is it? A. 100 m B. 200 m"}, "choice"),
        ({"allow_choice": False}, {"question": "How tall is it?\n(A) 100 m\n(B) 200 m"}, "choice"),
        ({"allow_choice": False}, {"question": "What did plan A cost, and plan B?"}, "kept"),
        ({"require_evidence": False}, {"evidence": ""}, "kept"),
    ],
)
def test_options_move_the_rules(options: dict[str, Any], fields: dict[str, Any], found: str) -> None:
    assert judged(options, **fields) == found


def test_every_reason_is_given_for_something() -> None:
    cases = [*test_each_rule_drops_what_it_is_for.pytestmark, *test_options_move_the_rules.pytestmark]  # type: ignore[attr-defined]
    found = {case[-1] for mark in cases for case in mark.args[1]} | {"duplicate_in_document"}
    assert found - {"kept"} == Precheck.reasons


def test_of_equal_pairs_of_a_document_the_first_stays() -> None:
    pairs = [
        pair(),
        pair(question="Who designed it for the fair?", answer="Koechlin"),
        pair(question="how TALL is the\nEiffel Tower in Paris?"),
    ]
    decisions = stage("precheck").decide_all(pairs)
    assert [reason(decision) for decision in decisions] == ["kept", "kept", "duplicate_in_document"]


def test_the_same_question_with_another_answer_is_no_duplicate() -> None:
    """Both go on to the check: if both pass, dedup drops both, for one of them must be wrong."""
    decisions = stage("precheck").decide_all([pair(), pair(answer="324 metres")])
    assert [reason(decision) for decision in decisions] == ["kept", "kept"]


def test_a_dropped_pair_does_not_make_its_copy_a_duplicate() -> None:
    decisions = stage("precheck").decide_all([pair(evidence=""), pair()])
    assert [reason(decision) for decision in decisions] == ["no_evidence", "kept"]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Yes", True),
        ("no.", True),
        ("TRUE!", True),
        ("Yes, in 1889", True),
        ("No: it fell", True),
        ("No. It fell", True),
        ("Yes — in 1889", True),
        ("yes it was", True),
        ("false", True),
        ("No because it fell", True),
        ("No. 7", False),
        ("No.7 Squadron", False),
        ("No man's land", False),
        ("True Grit", False),
        ("Yesterday", False),
        ("Norway", False),
        ("No Country for Old Men", False),
        ("Nothing", False),
        ("Yes Minister", False),
    ],
)
def test_yes_and_no_are_told_from_names_that_begin_so(answer: str, found: bool) -> None:
    assert is_yes_no(pair(answer=answer, answer_type="phrase")) is found


POINTING = """
What is stated in the passage?
What is the text's main claim?
What is the passage’s central idea?
According to the text, what is an alloy?
According to the author, why did the bridge fall?
According to the provided text, who won?
According to the study, how many mice died?
In the article, how many people died?
In this article, which river is it?
What does the author say about cats?
What did the text mention first?
What is the main topic of the passage?
Which river is named in this excerpt?
Based on the provided document, when was it built?
Based on the information provided, what is the boiling point?
What does the study mentioned above show?
Which method is described in this study?
What value is shown in Figure 2?
What does the rate equal (see equation (3))?
As mentioned earlier, what is the speed of light?
What does this article describe?
What did the authors report?
In the story, who kills the king?
How many people are mentioned in the excerpt?
What does the code above print?
In the above example, what is x?
In this example, what is the value of x?
Which of these is mentioned in the document?
According to this page, what is a monad?
The passage says that whales sing. Why?
What is this passage about?
What is listed in the table as a noble gas?
What is discussed in this chapter?
""".strip().split("\n")

STANDING = """
Which article of the US Constitution vests the legislative power in Congress?
In the story 'The Lottery' by Shirley Jackson, who draws the marked slip?
What does the author of 'Walden' call the year in which he built his house?
In the source code of Linux 6.1, which file defines struct page?
In a MOSFET, where do electrons flow to from the source?
In the text editor Vim, which key deletes a line?
According to the 2010 US census, how many people lived in Ohio?
In O. Henry's "The Gift of the Magi", what does Della sell in the story?
What was abolished by the passage of the Thirteenth Amendment?
In the text of the First Amendment, which freedom is named first?
How many bytes does the following text take in UTF-8: "héllo"?
In HTML, which element holds the title of the document?
What is the name of the document that describes the powers of the EU?
Which literary device is it when the author uses an object to represent an idea?
A study of 500 nurses found that 20 % slept badly. How many nurses in this study slept badly?
According to the story of Noah in Genesis, how many days did it rain?
A table t has 3 rows and a table u has 4. How many rows has the cross join of this table with u?
What is the name for the number written below the line of a fraction?
What is shown below the x-axis as negative values?
In which story by Poe does the narrator bury a heart under the floor?
According to the article "On Computable Numbers" by Alan Turing, what is a circle-free machine?
Which document, signed in 1215, limited the king, and in which year was this document reissued?
What do sources call the person who first reached the South Pole?
What voltage is provided by the source in a 12 V car circuit?
In the document object model, which node is the parent of the html element?
In a report by the IPCC of 2021, what rise is given for 1.5 degrees?
What did the author Mary Shelley call her monster?
Which structure in the page table of x86-64 holds the dirty bit?
According to Table 2 of the IAU 2009 system of constants, what is the astronomical unit?
Who is the narrator of the novel 'Moby-Dick'?
What is it called when the author states the opposite of what is meant?
Which article did Turing publish in 1936, and what does this article describe?
If a paragraph has 3 lines of 12 words, how many words are in the paragraph?
Through which passage did Amundsen sail from 1903 to 1906?
Let s = [1, 2, 3]. In this example, what does s[-1] evaluate to in Python?
""".strip().split("\n")


@pytest.mark.parametrize("question", POINTING)
def test_a_question_that_points_at_its_document_is_dropped(question: str) -> None:
    assert judged(question=question, answer="none of it") == "refers_to_text"


@pytest.mark.parametrize("question", STANDING)
def test_a_question_that_stands_alone_is_not_mistaken_for_one_that_points(question: str) -> None:
    assert judged(question=question, answer="none of it") == "kept"


def test_the_drop_says_which_words_point() -> None:
    decision = stage("precheck").decide(pair(question="What, according to the text, is a mole?"), None)
    assert decision == Drop("precheck", "refers_to_text", "according to the text")


@given(
    st.lists(st.sampled_from([*"'\":.\n", " the", " text", " in", " given", " passage", "x", " A.", " no"])).map(
        "".join
    )
)
def test_no_question_makes_a_rule_fail(question: str) -> None:
    refers_to_text(question * 50)
    stage("precheck", allow_choice=False, allow_yes_no=False).decide(pair(question=question, answer=question), None)


WORDS = sorted(set(re.findall(r"[a-z]+", _REFERS.pattern)))


@given(st.lists(st.sampled_from([*WORDS, "in the", "given", "fig.", "eq. 3", "(4)", ",", "?"]), max_size=8))
def test_no_reference_is_without_one_of_the_words_that_are_looked_for_first(words: list[str]) -> None:
    question = " ".join(words)
    assert not _REFERS.search(question) or not _POINTERS.isdisjoint(tokens(question))


def test_the_same_answer_in_other_words_is_a_duplicate_and_saves_a_check() -> None:
    twins = [pair(question="How many?", answer=answer, answer_type="number") for answer in ("1,200", "1200", "12")]
    assert [reason(decision) for decision in stage("precheck").decide_all(twins)] == [
        "kept",
        "duplicate_in_document",
        "kept",
    ]
