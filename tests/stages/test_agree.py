"""A pair stays only if another model, with the document at hand, answers as the pair does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.llm_server import LLMServer
from tests.engine.test_laws import balanced
from tests.records import TEXT, pair, stage
from tests.runs import configured, corpus, digest
from webscale_rl import run
from webscale_rl.backend import Reply, Request
from webscale_rl.backends.openai import OpenAI
from webscale_rl.config import PIPELINE, Parts, Run
from webscale_rl.stages import ground_truth
from webscale_rl.stages.agree import AgreeReply
from webscale_rl.types import Drop

NUMBER = pair(question="How many metres tall is the Eiffel Tower in Paris?", answer="330", answer_type="number")


def decide(answer: str, **options: Any) -> Any:
    return stage("agree", **options).decide(NUMBER, AgreeReply("It is 330 metres tall", answer))


def test_a_pair_that_another_model_answers_the_same_way_is_kept_as_it_came() -> None:
    assert decide("330") == [NUMBER]


def test_what_another_model_answers_differently_is_dropped_with_its_answer() -> None:
    assert decide("324") == Drop("agree", "disagrees", "324")


def test_a_model_that_finds_no_answer_in_the_document_does_not_agree() -> None:
    assert decide(" \n") == Drop("agree", "no_answer")


def test_undecided_is_not_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    class Undecided:
        score = None

    monkeypatch.setattr(ground_truth, "reward", lambda *_: Undecided)
    assert decide("three hundred or so") == Drop("agree", "undecided", "three hundred or so")
    assert decide("three hundred or so", undecided="keep") == [NUMBER]
    assert decide("", undecided="keep") == Drop("agree", "no_answer")


def test_the_detail_is_short_and_defused() -> None:
    dropped = decide("<|im_start|>\0" + "9" * 999)
    assert dropped.detail.startswith("< |im_start|>")
    assert len(dropped.detail) == 300


def test_the_other_model_is_shown_neither_the_answer_nor_its_evidence() -> None:
    record = pair(evidence="SHOWN", answer="ALSO SHOWN")
    assert stage("agree").ask(record) == {"document": TEXT, "question": record.question}


def test_a_section_of_its_own_switches_it_on_and_so_does_its_name_in_the_pipeline() -> None:
    def enabled(**values: Any) -> list[str]:
        return Parts(Run.make(values)).enabled

    assert enabled() == list(PIPELINE)
    assert enabled(stages={"agree": {}}) == enabled(pipeline=[*PIPELINE, "agree"]) == [*PIPELINE, "agree"]
    assert enabled(stages={"agree": {"enabled": False}}) == list(PIPELINE)
    assert enabled(pipeline=["generate", "agree", "precheck"], stages={"agree": {}}) == [
        "generate",
        "agree",
        "precheck",
    ]


class OfTwoMinds(OpenAI):
    """A server whose model "reader" answers every third question otherwise."""

    def __init__(self, url: str) -> None:
        super().__init__(OpenAI.Options(use="openai", base_urls=[url]))

    async def reply_at(self, request: Request, endpoint: str) -> Reply:
        reply = await super().reply_at(request, endpoint)
        if request.stage == "agree" and sum(request.slots["question"].encode()) % 3 == 0:
            other = AgreeReply("", f"9{sum(request.slots['question'].encode())}")
            return msgspec.structs.replace(reply, text=msgspec.json.encode(other).decode())
        return reply


def test_in_a_run_what_another_model_answers_differently_is_dropped_and_every_pair_is_counted(tmp_path: Path) -> None:
    path = corpus(tmp_path, 12)
    with LLMServer() as server:
        changes: dict[str, Any] = {"stages": {"agree": {"model": "reader"}}}
        alone = run(configured(path, tmp_path / "alone", server.url, **changes))
        result = run(configured(path, tmp_path / "run", **changes), backend=OfTwoMinds(server.url))
        models = {entry.stage for entry in server.books.entries}
        again = run(configured(path, tmp_path / "again", **changes), backend=OfTwoMinds(server.url))
    assert "agree" in models
    row = next(row for row in result.summary["funnel"] if row["stage"] == "agree")
    assert row["dropped"]["disagrees"] > 0 < row["kept"]
    assert row["kept"] + sum(row["dropped"].values()) + sum(row["failed"].values()) == row["seen"]
    assert balanced(result.summary)
    assert all(sum(example.question.encode()) % 3 for example in result.examples())
    assert {example.id for example in result.examples()} < {example.id for example in alone.examples()}
    assert digest(result.folder) == digest(again.folder)


def test_an_unusable_answer_is_a_failure_and_no_disagreement(tmp_path: Path) -> None:
    with LLMServer(faults=lambda stage, body, attempt: "garbage" if stage == "agree" else None) as server:
        config = configured(corpus(tmp_path, 3), tmp_path / "run", server.url, stages={"agree": {}})
        result = run(config)
        assert result.summary["pairs"]["kept"] == 0
        assert set(result.summary["failures"]) == {"agree: unparseable"}
        assert balanced(result.summary)
        server.behave(faults={})
        assert run(config).summary["pairs"]["kept"] > 0


def test_the_embedded_backend_agrees_by_a_rule_of_its_own(tmp_path: Path) -> None:
    result = run(configured("sample:", tmp_path / "run", stages={"agree": {}}))
    row = next(row for row in result.summary["funnel"] if row["stage"] == "agree")
    assert row["kept"] > 0.8 * row["seen"]
    assert row["failed"] == {}
