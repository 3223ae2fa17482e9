"""Difficulty is measured as all that costs money is: written down, resumed, never paid twice, never guessed."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.engine.test_laws import _stats
from tests.runs import command, configured, corpus, digest, started
from webscale_rl import ConfigError, RunStopped, difficulty, run
from webscale_rl.backend import Reply, Request
from webscale_rl.backends.openai import OpenAI
from webscale_rl.engine.closed_book import SAMPLES_PER_SHARD, closed_book_run

QUICK = {"traffic": {"concurrency": 8, "backoff_s": 0.01, "max_backoff_s": 0.05}}


def column(folder: Path) -> dict[str, float | None]:
    """The difficulty of each example of a dataset, by id."""
    rows = pq.read_table(folder / "dataset" / "part-00000.parquet").to_pylist()
    return {row["id"]: row["difficulty"] for row in rows}


class Says(OpenAI):
    """A server whose model says to a question what `words` gives for the question's number and the sample."""

    def __init__(self, url: str, words: Any) -> None:
        super().__init__(OpenAI.Options(use="openai", base_urls=[url]))
        self._words = words
        self.asked: list[Request] = []

    async def reply_at(self, request: Request, endpoint: str) -> Reply:
        self.asked.append(request)
        assert request.sampling.seed is not None
        return Reply(*self._words(request.slots["question"], request.sampling.seed))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A finished run of some pairs."""
    with LLMServer() as server:
        run(configured(corpus(tmp_path, 4), tmp_path / "run", server.url))
    return tmp_path / "run"


def truths(folder: Path) -> dict[str, str]:
    rows = pq.read_table(folder / "dataset" / "part-00000.parquet").to_pylist()
    return {row["question"]: row["answer"] for row in rows}


def wrong(truth: str) -> str:
    """An answer of the same kind that is surely another."""
    return "987654321" if truth[0].isdigit() else "elephants"


def test_the_rate_is_the_share_of_right_answers_and_the_card_tells_it(made: Path) -> None:
    answers = truths(made)
    order = sorted(answers)

    def words(question: str, sample: int) -> tuple[str]:
        right = sample < (0, 1, 4)[order.index(question) % 3]
        return (f"Let me think. <answer>{answers[question] if right else wrong(answers[question])}</answer>",)

    with LLMServer() as server:
        told = difficulty(made, "student", samples=4, settings=QUICK, backend=Says(server.url, words))
    rates = dict(zip(truths(made), column(made).values(), strict=True))
    assert {question: rates[question] for question in order} == {
        question: (0.0, 0.25, 1.0)[at % 3] for at, question in enumerate(order)
    }
    thirds = Counter((0.0, 0.25, 1.0)[at % 3] for at in range(len(order)))
    assert (told["never"], told["sometimes"], told["always"]) == (thirds[0.0], thirds[0.25], thirds[1.0])
    assert told["undecided"] == told["not_measured"] == told["answers"]["failed"] == 0
    assert sum(told["answers"].values()) == 4 * len(order) == told["calls"]
    card = (made / "dataset" / "README.md").read_text()
    assert "put to student 4 times without the document, at temperature 1" in card
    assert f"| never | {thirds[0.0]} |" in card


def test_what_could_not_be_decided_is_not_wrong(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from webscale_rl.engine import closed_book
    from webscale_rl.reward import Verdict, reward

    def unsure(response: str, *rest: Any) -> Verdict:
        return Verdict(None, "test/unsure") if "perhaps" in response else reward(response, *rest)

    monkeypatch.setattr(closed_book, "reward", unsure)
    answers = truths(made)
    easy, open_, cut = sorted(answers)[:3]

    def words(question: str, sample: int) -> tuple[str, ...]:
        if question == open_ or sample == 0:
            return ("<answer>perhaps</answer>",)
        if question == cut:
            return ("and so on and so on", "length") if sample == 1 else ("", "content_filter")
        return (f"<answer>{answers[question] if question == easy else wrong(answers[question])}</answer>",)

    with LLMServer() as server:
        told = difficulty(made, "student", samples=3, settings=QUICK, backend=Says(server.url, words))
    rates = dict(zip(truths(made), column(made).values(), strict=True))
    assert rates[easy] == 1.0, "two of two decided"
    assert rates[open_] is None
    assert rates[cut] is None
    assert told["undecided"] == 2
    assert (told["answers"]["cut_off"], told["answers"]["refused"]) == (1, 1)
    assert told["answers"]["undecided"] == len(answers) + 2
    assert told["failures"] == {}


def test_the_samples_of_a_question_are_requests_of_their_own_with_one_prompt(made: Path) -> None:
    with LLMServer() as server:
        backend = Says(server.url, lambda question, sample: ("<answer>1</answer>",))
        difficulty(made, "student", samples=3, settings=QUICK, backend=backend)
    count = len(truths(made))
    assert len({request.key for request in backend.asked}) == len(backend.asked) == 3 * count
    prompts = Counter(str(request.messages()) for request in backend.asked)
    assert list(prompts.values()) == [3] * count
    assert all("answer" not in request.slots and "document" not in request.slots for request in backend.asked)
    assert len({(request.affinity, str(request.messages())) for request in backend.asked}) == count


def test_a_second_measurement_asks_only_for_what_is_new(made: Path) -> None:
    with LLMServer() as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        count = len(truths(made))
        first = difficulty(made, "student", samples=2, settings=settings)
        before = digest(made)
        assert difficulty(made, "student", samples=2, settings=settings) == first
        assert digest(made) == before
        assert len(server.books.entries) == 2 * count
        assert all(entry.stage == "closed_book" for entry in server.books.entries)
        difficulty(made, "student", samples=5, settings=settings)
        assert len(server.books.entries) == 5 * count
        difficulty(made, "another", samples=1, settings=settings)
        assert len(server.books.entries) == 6 * count
        assert server.books.paid_twice == 0


def test_the_question_goes_out_without_a_form_and_with_its_own_seed(made: Path) -> None:
    with LLMServer() as server:
        server.books.keep_bodies = True
        difficulty(made, "student", samples=2, settings=QUICK | {"backend": {"base_urls": [server.url]}})
        bodies = server.books.bodies
    assert bodies
    assert {body["seed"] for body in bodies} == {0, 1}
    assert {body["model"] for body in bodies} == {"student"}
    assert {body["temperature"] for body in bodies} == {1.0}
    assert not any("response_format" in body or "JSON" in str(body["messages"]) for body in bodies)


def test_difficulty_survives_a_run_that_goes_on(tmp_path: Path) -> None:
    with LLMServer() as server:
        config = configured(corpus(tmp_path, 6), tmp_path / "run", server.url, limit=3)
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        run(config)
        difficulty(tmp_path / "run", "student", samples=4, settings=settings)
        measured, before = column(tmp_path / "run"), digest(tmp_path / "run")
        run(config)
        assert digest(tmp_path / "run") == before, "the bytes that the run writes are those that were filled in"
        result = run(config.model_copy(update={"limit": None}))
        after = column(tmp_path / "run")
        assert measured.items() <= after.items()
        new = set(after) - set(measured)
        assert new
        assert {after[example] for example in new} == {None}
        assert result.summary["difficulty"]["not_measured"] == len(new)
        calls = len(server.books.entries)
        told = difficulty(tmp_path / "run", "student", samples=4, settings=settings)
        assert len(server.books.entries) == calls + 4 * len(new)
        assert told["not_measured"] == 0
        assert measured.items() <= column(tmp_path / "run").items()


def test_failures_are_tried_again_and_never_count(made: Path) -> None:
    def poison(stage: str, body: str, attempt: int) -> str | None:
        return "400" if int(body, 16) % 3 == 0 else None

    with LLMServer(faults=poison) as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        first = difficulty(made, "student", samples=4, settings=settings)
        failed = first["answers"]["failed"]
        assert 0 < failed == first["failures"]["closed_book: bad_request"]
        server.behave(faults={})
        server.books.reset()
        second = difficulty(made, "student", samples=4, settings=settings)
        assert second["answers"]["failed"] == 0
        assert server.books.outcomes == Counter(ok=failed)


def test_a_cap_stops_it_resumably_and_leaves_the_dataset_as_it_was(made: Path) -> None:
    before = digest(made)
    with LLMServer() as server:
        settings = QUICK | {"backend": {"base_urls": [server.url]}}
        with pytest.raises(RunStopped, match="cap of 600 tokens") as stopped:
            difficulty(made, "student", samples=8, settings=settings | {"caps": {"tokens": 600}})
        assert stopped.value.code == 3
        assert digest(made) == before
        difficulty(made, "student", samples=8, settings=settings)
        assert server.books.paid_twice == 0


def test_what_holds_no_finished_run_is_refused(tmp_path: Path, made: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        difficulty(tmp_path, "student")
    (made / "summary.json").unlink()
    with pytest.raises(ConfigError, match="not finished"):
        difficulty(made, "student")


def test_questions_never_go_to_a_server_that_nobody_named(made: Path) -> None:
    path = made / "run.yaml"
    served = path.read_text().replace("command: null", "command: my-server --port {port}")
    path.write_text(served)
    with pytest.raises(ConfigError, match="the run's server ended"):
        difficulty(made, "student")


def test_after_kill_9_at_most_those_in_flight_are_paid_twice(tmp_path: Path) -> None:
    chance = random.Random(0)
    with subprocess_server("--latency", "0.02") as url:
        made = command("run", corpus(tmp_path, 20), "--model", "m", "--out", tmp_path / "whole", "--base-url", url)
        assert made.returncode == 0, made.stderr
        shutil.copytree(tmp_path / "whole", tmp_path / "killed")
        measure = ["difficulty", "--model", "student", "--samples", "8", "--concurrency", "8"]
        paid = _stats(url)["answered"]
        kills = 0
        for _ in range(2):
            process = started(*measure, tmp_path / "killed")
            time.sleep(0.6 + chance.random() * 0.4)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        last = command(*measure, tmp_path / "killed")
        assert last.returncode == 0, last.stderr
        twice = _stats(url)["paid_twice"]
        count = sum(1 for _ in column(tmp_path / "killed"))
        assert _stats(url)["answered"] - paid == 8 * count + twice
        whole = command(*measure, tmp_path / "whole")
        assert whole.returncode == 0, whole.stderr
    assert kills > 0
    assert twice <= kills * 8
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def test_a_shard_holds_no_more_answers_however_many_samples_there_are(made: Path) -> None:
    for samples in (1, 8, 1000):
        config = closed_book_run(made, "student", samples, 1.0, {})
        assert config.shard_size * samples <= SAMPLES_PER_SHARD
