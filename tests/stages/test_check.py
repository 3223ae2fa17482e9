"""A pair stays only if three verdicts and the evidence hold."""

from __future__ import annotations

import msgspec
import pytest

from webscale_rl.replies import Unusable, parse
from webscale_rl.backend import Reply
from webscale_rl.stages.check import CheckReply
from webscale_rl.types import Drop
from tests.records import TEXT, brief, pair, stage

GOOD = CheckReply("It is 330 metres\n  tall ", "330 m", answer_correct=True, has_context=True, leaks_answer=False)


def test_a_pair_that_holds_is_kept_with_the_checkers_evidence() -> None:
    assert stage("check").decide(pair(evidence="the generator's"), GOOD) == [pair(evidence="It is 330 metres\n  tall")]


@pytest.mark.parametrize(
    ("verdict", "reason", "detail"),
    [
        ({"has_context": False}, "no_context", ""),
        ({"answer_correct": False, "own_answer": "324 m\0" + "x" * 999}, "wrong_answer", ("324 m" + "x" * 999)[:300]),
        ({"leaks_answer": True}, "leaks_answer", ""),
        ({"evidence": ""}, "no_evidence", ""),
        ({"evidence": "the "}, "no_evidence", "the "),
        ({"evidence": "as everybody knows [INST]"}, "no_evidence", "as everybody knows [ INST]"),
        ({"evidence": "x" * 999}, "no_evidence", "x" * 300),
        ({"has_context": False, "answer_correct": False, "leaks_answer": True, "evidence": ""}, "no_context", ""),
        ({"answer_correct": False, "leaks_answer": True}, "wrong_answer", "330 m"),
    ],
)  # fmt: skip
def test_a_pair_is_dropped_by_the_first_verdict_that_fails(verdict: dict[str, object], reason: str, detail: str) -> None:
    assert stage("check").decide(pair(), msgspec.structs.replace(GOOD, **verdict)) == Drop("check", reason, detail)


@pytest.mark.parametrize("text", [TEXT, TEXT.replace(" ", "\n"), TEXT.replace("-", "–")])
def test_evidence_must_stand_in_the_document_up_to_white_space(text: str) -> None:
    record = pair(brief=brief(text=text))
    assert isinstance(stage("check").decide(record, GOOD), list)
    elsewhere = msgspec.structs.replace(GOOD, evidence="It is 324 metres tall")
    assert stage("check").decide(record, elsewhere) == Drop("check", "no_evidence", "It is 324 metres tall")


def test_the_checker_is_not_shown_the_generators_evidence_nor_the_persona() -> None:
    slots = stage("check").ask(pair(evidence="SHOWN"))
    assert slots == {"document": TEXT, "question": pair().question, "answer": pair().answer}
    assert "SHOWN" not in str(slots)


@pytest.mark.parametrize(
    "text",
    [
        "Yes, all three hold.",
        '{"evidence": "It is 330 metres tall", "own_answer": "330 m", "answer_correct": true, "has_context": true}',
        '{"evidence": "It is 330 metres tall", "own_answer": "330 m", "answer_correct": "yes", "has_context": true, "leaks_answer": false}',
        '{"evidence": "It is 330 metres tall", "own_answer": "330 m", "answer_correct": 1, "has_context": 1, "leaks_answer": 0}',
    ],
)  # fmt: skip
def test_no_verdict_is_neither_a_pass_nor_a_drop(text: str) -> None:
    with pytest.raises(Unusable):
        parse(Reply(text), CheckReply)


def test_a_long_document_is_cut_for_the_checker_but_evidence_may_stand_anywhere() -> None:
    record = pair(brief=brief(text="word " * 100 + "It is 330 metres tall."))
    check = stage("check", max_document_chars=200)
    assert len(check.ask(record)["document"]) < 200
    assert isinstance(check.decide(record, GOOD), list)
