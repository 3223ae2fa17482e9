"""Peers are asked to do the job that we do, and what is said of a killed or troubled run is counted right."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel

from benchmarks.llm_server.books import Entry
from benchmarks.peers import forms, job, runs
from benchmarks.peers.__main__ import Row, table
from benchmarks.peers.job import Job
from tests.runs import corpus
from webscale_rl.domains import Taxonomy
from webscale_rl.prompt import Prompt

DOCUMENT = 'A "quoted" text with {{ braces }} and {% raw %} in it, of 2,850 words.'


@pytest.fixture
def todo(tmp_path: Path) -> Job:
    Job.export(corpus(tmp_path, 3), tmp_path / "job.json")
    return Job.load(tmp_path / "job.json")


def test_peers_ask_what_we_ask(todo: Job) -> None:
    taxonomy = Taxonomy.load()
    assert todo.filter(DOCUMENT) == Prompt.load("filter").render({"document": DOCUMENT})
    slots = {"document": DOCUMENT, "domains": taxonomy.definitions, "max_personas": "3"}
    assert todo.classify(DOCUMENT) == Prompt.load("classify").render(slots)
    slots = {"document": DOCUMENT, "question": "How many words?", "answer": "2,850"}
    assert todo.check(DOCUMENT, "How many words?", "2,850") == Prompt.load("check").render(slots)
    asked = "\n".join(message["content"] for message in todo.generate(DOCUMENT, "Natural Science", "a sailor"))
    for example in taxonomy.few_shot("Natural Science", 2, 0):
        assert example.question in asked
    assert job.fence("persona", "a sailor") in asked
    assert [document["id"] for document in todo.documents()] == ["doc-0", "doc-1", "doc-2"]


@pytest.mark.parametrize(
    ("stage", "form"),
    [("filter", forms.Filter), ("classify", forms.Classify), ("generate", forms.Generate), ("check", forms.Check)],
)
def test_peers_are_given_our_reply_schemas(todo: Job, stage: str, form: type[BaseModel]) -> None:
    assert list(form.model_fields) == todo.schemas[stage]["required"]
    if stage == "generate":
        pair = todo.schemas[stage]["properties"]["pairs"]["items"]
        theirs = form.model_json_schema()["$defs"]["Pair"]
        assert list(theirs["properties"]) == pair["required"]
        assert sorted(theirs["properties"]["answer_type"]["enum"]) == sorted(pair["properties"]["answer_type"]["enum"])


def entry(call: str, outcome: str = "ok", started: float = 1.0) -> Entry:
    return Entry(0.0, started, 2.0, "filter", "d", f"body of {call}", 1, outcome, 200, call)


def test_what_was_in_service_at_the_kill_is_paid_and_what_waited_or_failed_is_not() -> None:
    whole = [entry("a"), entry("b"), entry("b"), entry("c"), entry("d")]
    killed = [entry("a"), entry("b"), entry("c", "hung up"), entry("d", "hung up", started=0.0), entry("a", "503")]
    assert runs.paid_twice([*killed, entry("b"), entry("c"), entry("d")], whole) == 1
    assert runs.paid_twice([*killed, entry("a"), entry("b"), entry("b"), entry("c"), entry("d")], whole) == 3


def test_a_document_is_lost_when_one_of_its_pairs_is() -> None:
    expected = [{"id": number, "persona": persona} for number in "123" for persona in ("p", "q")]
    assert runs.documents_lost(expected, expected) == 0
    assert runs.documents_lost(expected[1:-1], expected) == 2


def test_a_run_that_takes_too_long_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    )
    log = tmp_path / "log"
    tree = runs.Tree([sys.executable, "-c", f"{script} print(p.pid, flush=True); time.sleep(60)"], log)
    while not log.read_text().endswith("\n"):
        time.sleep(0.01)
    found = tree.end(0.0)
    assert found.returncode is None
    assert not tree.running
    _, alive = psutil.wait_procs(_processes(int(log.read_text())), timeout=10)
    assert not alive


def _processes(pid: int) -> list[psutil.Process]:
    """The process of that id, unless it has ended."""
    try:
        process = psutil.Process(pid)
        return [] if process.status() == psutil.STATUS_ZOMBIE else [process]
    except psutil.NoSuchProcess:
        return []


def test_the_cost_of_children_counts(tmp_path: Path) -> None:
    burn = "import time\nx = b'x' * 60_000_000\nwhile time.process_time() < 0.4: pass\ntime.sleep(0.3)"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"]
    found = runs.Tree(command, tmp_path / "log").end(60)
    assert found.returncode == 0
    assert found.cpu_s >= 0.4
    assert found.peak_mb > 60


def test_what_was_not_measured_is_a_dash() -> None:
    row = Row("x", 1.0, None, None, None, 2.5, 100.0, 1_250_000, 10, None, 64, None, None)
    cells = [cell.strip() for cell in table([row], 25.2).splitlines()[-1].strip("|").split("|")]
    assert cells == ["x", "1.0", "-", "-", "-", "2.50", "100", "1.25", "- (64)", "-", "-"]
