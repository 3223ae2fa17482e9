"""A pair stays only if three verdicts and the evidence hold."""

from __future__ import annotations

import msgspec
import pytest

from tests.records import TEXT, brief, pair, stage
from webscale_rl.backend import Reply
from webscale_rl.replies import Unusable, parse
from webscale_rl.stages.check import CheckReply
from webscale_rl.types import Drop

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
)
def test_a_pair_is_dropped_by_the_first_verdict_that_fails(
    verdict: dict[str, object], reason: str, detail: str
) -> None:
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


@pytest.mark.parametrize("verdicts", ["", '"answer_correct": true', '"answer_correct": "yes"', '"answer_correct": 1'])
def test_no_verdict_is_neither_a_pass_nor_a_drop(verdicts: str) -> None:
    whole = (
        '{"evidence": "It is 330 metres tall", "own_answer": "330 m", "answer_correct": true, "leaks_answer": false}'
    )
    assert parse(Reply(whole.replace("}", ', "has_context": true}')), CheckReply).has_context
    for text in (f"Yes, all three hold. {verdicts}", whole, whole.replace('"answer_correct": true', verdicts or "x")):
        with pytest.raises(Unusable):
            parse(Reply(text), CheckReply)


def test_a_long_document_is_cut_for_the_checker_but_evidence_may_stand_anywhere() -> None:
    record = pair(brief=brief(text="word " * 100 + "It is 330 metres tall."))
    check = stage("check", max_document_chars=200)
    assert len(check.ask(record)["document"]) < 200
    assert isinstance(check.decide(record, GOOD), list)
