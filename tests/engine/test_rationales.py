"""Rationales are made as all that costs money: written down, resumed, never paid twice; and kept only if they teach."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.engine.test_difficulty import wrong
from tests.engine.test_laws import _stats
from tests.runs import command, configured, corpus, digest, started
from webscale_rl import ConfigError, RunStopped, rationales, run
from webscale_rl.backend import BackendOptions, Reply, Request
from webscale_rl.dataset.held_out import read_held_out
from webscale_rl.ledger import read_ledger
from webscale_rl.reward import reward

PRICE = {"input": 2.0, "output": 2.0}
QUICK = {"traffic": {"concurrency": 8, "backoff_s": 0.01, "max_backoff_s": 0.05}}


class Writes:
    """A free backend of one's own, which sees question and truth and says what `words` makes of them."""

    name: ClassVar[str] = "writes"
    paid: ClassVar[bool] = False
    Options: ClassVar[Any] = BackendOptions

    def __init__(self, words: Any) -> None:
        self._words = words
        self.asked: list[Request] = []

    async def reply(self, request: Request) -> Reply:
        self.asked.append(request)
        said = self._words(**request.slots)
        return Reply(*said) if isinstance(said, tuple) else Reply(said)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class ByRule(Writes):
    """The same, as a configuration names it."""

    def __init__(self, options: Any, context: Any) -> None:
        super().__init__(lambda question, answer, evidence: f"It is known that {evidence}\nAnswer: {answer}")


def rows(folder: Path) -> list[dict[str, Any]]:
    parts = sorted((folder / "dataset").glob("part-*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def dropped(folder: Path) -> dict[str, list[str]]:
    """Ids of the questions, by the reason why they have no rationale."""
    found: dict[str, list[str]] = {}
    for row in pq.read_table(folder / "dropped" / "part-00000.parquet").to_pylist():
        found.setdefault(row["reason"], []).append(row["document_id"])
    return found


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A finished run of some pairs."""
    with LLMServer() as server:
        run(configured(corpus(tmp_path, 12), tmp_path / "run", server.url))
    return tmp_path / "run"


def test_a_rationale_is_a_chat_that_ends_in_an_answer_the_reward_takes(made: Path) -> None:
    backend = Writes(lambda question, answer, evidence: f"We recall this. {evidence}\n\n**Answer:** {answer}.")
    told = rationales(made, share=1, backend=backend)
    pairs = {row["id"]: row for row in rows(made)}
    found = rows(made / "rationales")
    assert told["kept"] == told["asked"] == told["of"] == len(found) == len(pairs)
    for row in found:
        pair = pairs[row["id"]]
        user, assistant = row["messages"]
        assert user == {"role": "user", "content": pair["question"]}
        assert assistant == {"role": "assistant", "content": f"{row['rationale']}\n\nAnswer: {pair['answer']}"}
        assert row["rationale"] == f"We recall this. {pair['evidence']}"
        verdict = reward(assistant["content"], row["reference"], row["question"], row["answer_type"])
        assert (verdict.score, verdict.extracted) == (1, pair["answer"])
        same = ("document_id", "answer", "reference", "domain", "source", "url")
        assert [row[name] for name in same] == [pair[name] for name in same]
        assert row["generator"] == "writes"
    schema = pq.read_schema(made / "rationales" / "dataset" / "part-00000.parquet")
    assert schema.field("messages").type == pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def test_what_teaches_nothing_is_dropped_with_its_reason(made: Path) -> None:
    truths = {row["question"]: row["id"] for row in rows(made)}
    said = {
        "wrong": lambda answer, evidence: f"We recall this. It follows.\nAnswer: {wrong(answer)}",
        "cut_off": lambda answer, evidence: (f"We recall this. {evidence}\nAnswer: {answer}", "length"),
        "refused": lambda answer, evidence: ("", "content_filter"),
        "no_answer_line": lambda answer, evidence: f"We recall this. {evidence} So it is {answer}.",
        "no_reasoning": lambda answer, evidence: f"Answer: {answer}",
        "given_answer": lambda answer, evidence: f"We recall this. The given answer fits.\nAnswer: {answer}",
        "answer_first": lambda answer, evidence: f"The answer is {answer}. {evidence}\nAnswer: {answer}",
        "too_long": lambda answer, evidence: f"{'We recall this. ' * 200}\nAnswer: {answer}",
    }
    order = sorted(truths)[: len(said)]
    assert len(order) == len(said)

    def words(question: str, answer: str, evidence: str) -> Any:
        if question in order:
            return list(said.values())[order.index(question)](answer, evidence)
        return f"We recall this. {evidence}\nAnswer: {answer}"

    told = rationales(made, share=1, backend=Writes(words))
    assert dropped(made / "rationales") == {
        reason: [truths[question]] for reason, question in zip(said, order, strict=True)
    }
    assert told["dropped"] == dict.fromkeys(said, 1)
    assert told["kept"] == len(truths) - len(said) == len(rows(made / "rationales"))
    assert told["failed"] == 0


def test_the_model_is_shown_question_truth_and_proof_each_in_its_fence(made: Path) -> None:
    backend = Writes(lambda question, answer, evidence: f"We recall this. {evidence}\nAnswer: {answer}")
    rationales(made, share=1, backend=backend)
    pairs = {row["question"]: row for row in rows(made)}
    assert {request.stage for request in backend.asked} == {"rationale"}
    for request in backend.asked:
        pair = pairs[request.slots["question"]]
        assert dict(request.slots) == {name: pair[name] for name in ("question", "answer", "evidence")}
        system, user = request.messages()
        assert pair["question"] not in system["content"]
        assert all(f"<{name} " in user["content"] for name in request.slots)
    assert len({request.messages()[0]["content"] for request in backend.asked}) == 1, (
        "one prefix for the server's cache"
    )


def test_whole_documents_are_held_out_and_no_more_than_told(made: Path) -> None:
    told = rationales(made, share=0.5, backend=Writes(lambda **slots: "no"))
    choice, documents = read_held_out(made / "rationales" / "held_out.parquet") or (None, frozenset())
    pairs = rows(made)
    mine = [row["id"] for row in pairs if row["document_id"] in documents]
    assert 0 < len(mine) == told["asked"] <= len(pairs) / 2
    table = pq.read_table(made / "rationales" / "held_out.parquet").to_pylist()
    assert [row["id"] for row in table] == mine
    assert {row["document_id"] for row in table} == documents
    assert choice is not None
    assert (choice.share, choice.count) == (0.5, 10_000)
    assert told["documents"] == len(documents)


def test_a_dataset_too_small_to_hold_anything_out_says_so(made: Path) -> None:
    with pytest.raises(ConfigError, match="give a larger --share"):
        rationales(made, share=0.01, backend=Writes(lambda **slots: "no"))
    with pytest.raises(ConfigError, match="count and share"):
        rationales(made, share=1.5)


def test_a_dataset_that_grows_keeps_what_was_held_out_and_pays_for_the_new_ones_only(tmp_path: Path) -> None:
    with LLMServer() as server:
        config = configured(corpus(tmp_path, 30), tmp_path / "run", server.url, limit=15)
        run(config)
        path = tmp_path / "run" / "rationales" / "held_out.parquet"
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        first = rationales(tmp_path / "run", count=10, share=0.9, settings=settings)
        before = {row["id"] for row in pq.read_table(path).to_pylist()}
        run(config.model_copy(update={"limit": None}))
        for count in (10, 20):
            more = rationales(tmp_path / "run", count=count, share=0.9, settings=settings)
            after = {row["id"] for row in pq.read_table(path).to_pylist()}
            assert before <= after
            assert len(after) == more["asked"] <= count
            assert sum(entry.stage == "rationale" for entry in server.books.entries) == more["asked"]
        assert more["asked"] > first["asked"]
        assert server.books.paid_twice == 0


def test_a_second_time_nothing_is_asked_and_all_bytes_are_the_same(made: Path) -> None:
    with LLMServer() as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        first = rationales(made, "writer", share=1, settings=settings)
        before = digest(made / "rationales")
        assert rationales(made, "writer", share=1, settings=settings) == first
        assert digest(made / "rationales") == before
        assert len(server.books.entries) == first["asked"] == first["calls"]
        assert first["generator"] == "openai/writer"
        assert {row["generator"] for row in rows(made / "rationales")} == {"openai/writer"}
        assert first["dropped"].keys() <= {"wrong", "given_answer"}
        assert 0 < first["kept"] < first["asked"]


def test_the_runs_own_model_writes_unless_another_is_named(tmp_path: Path) -> None:
    with LLMServer() as server:
        server.books.keep_bodies = True
        run(configured(corpus(tmp_path, 5), tmp_path / "run", server.url))
        assert rationales(tmp_path / "run", share=1, settings=QUICK)["generator"] == "openai/m"
        assert server.books.bodies[-1]["model"] == "m"
        assert "response_format" not in server.books.bodies[-1]


def test_the_ledger_counts_what_the_server_did(made: Path) -> None:
    with LLMServer() as server:
        told = rationales(
            made, share=1, settings=QUICK | {"backend": {"base_urls": [server.url]}, "price": {"m": PRICE}}
        )
        tokens = sum(entry.usage.prompt + entry.usage.completion for entry in server.books.entries)
    ledger = read_ledger(made / "rationales")
    assert ledger.generated == tokens > 0
    assert ledger.usd == told["usd"] == pytest.approx(tokens * 2e-6)
    assert ledger.judged == ledger.rollout == ledger.trained == 0


def test_failures_are_tried_again(made: Path) -> None:
    def poison(stage: str, body: str, attempt: int) -> str | None:
        return "400" if int(body, 16) % 3 == 0 else None

    with LLMServer(faults=poison) as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        first = rationales(made, share=1, settings=settings)
        assert 0 < first["failed"] == first["failures"]["rationale: bad_request"]
        server.behave(faults={})
        server.books.reset()
        second = rationales(made, share=1, settings=settings)
        assert second["failed"] == 0
        assert server.books.outcomes["ok"] == first["failed"]


def test_a_cap_stops_it_resumably(made: Path) -> None:
    with LLMServer() as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        with pytest.raises(RunStopped, match="cap of 3,000 tokens") as stopped:
            rationales(made, share=1, settings=settings | {"caps": {"tokens": 3000}})
        assert stopped.value.code == 3
        assert not (made / "rationales" / "dataset").exists(), "whole or not at all"
        rationales(made, share=1, settings=settings)
        assert server.books.paid_twice == 0


def test_what_holds_no_finished_run_is_refused(tmp_path: Path, made: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        rationales(tmp_path)
    (made / "summary.json").unlink()
    with pytest.raises(ConfigError, match="not finished"):
        rationales(made)


def test_after_kill_9_at_most_those_in_flight_are_paid_twice(tmp_path: Path) -> None:
    chance = random.Random(0)
    with subprocess_server("--latency", "0.05") as url:
        made = command("run", corpus(tmp_path, 40), "--model", "m", "--out", tmp_path / "whole", "--base-url", url)
        assert made.returncode == 0, made.stderr
        shutil.copytree(tmp_path / "whole", tmp_path / "killed")
        write = ["rationales", "--share", "1", "--concurrency", "4"]
        paid = _stats(url)["answered"]
        kills = 0
        for _ in range(2):
            process = started(*write, tmp_path / "killed")
            time.sleep(0.6 + chance.random() * 0.4)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        last = command(*write, tmp_path / "killed", "--json")
        assert last.returncode == 0, last.stderr
        told = json.loads(last.stdout)
        twice = _stats(url)["paid_twice"]
        assert _stats(url)["answered"] - paid == told["asked"] + twice
        whole = command(*write, tmp_path / "whole")
        assert whole.returncode == 0, whole.stderr
    assert kills > 0
    assert twice <= kills * 4
    for name in ("dataset", "dropped"):
        assert rows_of(tmp_path / "killed" / "rationales" / name) == rows_of(tmp_path / "whole" / "rationales" / name)


def rows_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_the_embedded_rules_write_the_proof_and_the_answer(tmp_path: Path) -> None:
    assert command("run", "sample:", "--out", tmp_path / "run").returncode == 0
    done = command("rationales", tmp_path / "run", "--share", "0.5", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert "written by: extractive" in done.stdout
    pairs = {row["id"]: row for row in rows(tmp_path / "run")}
    found = rows(tmp_path / "run" / "rationales")
    assert found
    for row in found:
        assert row["generator"] == "extractive"
        assert pairs[row["id"]]["answer"].casefold() in row["rationale"].casefold()
    assert "written by rule" in (tmp_path / "run" / "rationales" / "dataset" / "README.md").read_text()
    status = command("status", tmp_path / "run" / "rationales")
    assert status.returncode == 0
    assert status.stdout.splitlines()[0].endswith(": done")


def test_a_backend_of_ones_own_is_named_on_the_command_line(made: Path) -> None:
    done = command("rationales", made, "--backend", "tests.engine.test_rationales:ByRule", "--share", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"] == told["asked"] == len(rows(made))
    assert told["generator"] == "writes"
