"""The laws of the system hold for refining runs, too: against a real server, killed, capped and changed."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.engine.test_laws import _stats
from tests.refine.judges import QUICK, Judge, better, corpus, rows, written
from tests.runs import documents, started
from webscale_rl import ConfigError, RunStopped, UserError
from webscale_rl.api import refine
from webscale_rl.cli import app

METHODS = ["qurating", "prox", "gdr"]
MIXED = {"429": 0.05, "503": 0.05, "reset": 0.03, "truncated_body": 0.03, "bad_json": 0.03, "cut": 0.03}


def made(folder: Path, count: int) -> Path:
    """Documents of two lines each."""
    texts = {one["id"]: f"Home | Login {at}\n{one['text']}\n" for at, one in enumerate(documents(count))}
    return corpus(folder, texts)


def asking(url: str, **more: Any) -> dict[str, Any]:
    return QUICK | {"backend": {"use": "openai", "base_urls": [url], "model": "m"}, "shard_size": 6} | more


@pytest.mark.parametrize("method", METHODS)
def test_the_bytes_are_the_same_whatever_the_concurrency_and_the_faults(tmp_path: Path, method: str) -> None:
    path = made(tmp_path, 14)
    with LLMServer() as server:
        one = refine(
            path, tmp_path / "one", method=method, settings=asking(server.url) | {"traffic": {"concurrency": 1}}
        )
        server.behave(faults=MIXED)
        many = refine(path, tmp_path / "many", method=method, settings=asking(server.url))
        assert written(one.folder) == written(many.folder)
        assert rows(one.refined)[0]["refiner"] == "openai/m"
        before = len(server.books.entries)
        assert written(refine(path, tmp_path / "many", method=method, settings=asking(server.url)).folder) == written(
            one.folder
        )
        assert len(server.books.entries) == before, "a finished run asks for nothing"


def test_after_kill_9_only_what_was_in_flight_is_paid_twice(tmp_path: Path) -> None:
    path = made(tmp_path, 20)
    with LLMServer() as server:
        whole = refine(path, tmp_path / "whole", method="qurating", settings=asking(server.url))
        paid = len(server.books.entries)
    with subprocess_server("--latency", "0.04") as url:
        settings = tmp_path / "refine.yaml"
        settings.write_text(json.dumps(asking(url)))
        process = started("refine", path, "--method", "qurating", "-c", settings, "--out", tmp_path / "killed")
        deadline = time.monotonic() + 30
        while _stats(url)["answered"] < paid * 0.5 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "killed" / "refined").exists()
        killed = refine(path, tmp_path / "killed", method="qurating", settings=asking(url))
        assert _stats(url)["paid_twice"] <= 8
        assert _stats(url)["answered"] == paid + _stats(url)["paid_twice"]
    assert written(killed.folder) == written(whole.folder)


def test_a_cap_stops_it_resumably_and_leaves_no_half_output(tmp_path: Path) -> None:
    path = made(tmp_path, 20)
    with LLMServer() as server:
        settings = asking(server.url)
        with pytest.raises(RunStopped, match="cap of 3,000 tokens") as stopped:
            refine(path, tmp_path / "run", method="qurating", settings=settings | {"caps": {"tokens": 3000}})
        assert stopped.value.code == 3
        assert not (tmp_path / "run" / "refined").exists()
        assert not (tmp_path / "run" / "ledger.json").exists()
        done = refine(path, tmp_path / "run", method="qurating", settings=settings)
        assert server.books.paid_twice == 0
    assert done.summary["documents"]["seen"] == 20
    assert done.ledger.judged > 3000


def test_another_configuration_is_told_and_asks_for_consent(tmp_path: Path) -> None:
    path = made(tmp_path, 6)
    judge = Judge(better(lambda one, other: one > other))
    refine(path, tmp_path / "run", method="qurating", settings=QUICK, backend=judge)
    changed = QUICK | {"stages": {"select": {"keep": 0.3}}}
    with pytest.raises(ConfigError, match=r"stages\.select\.keep: None -> 0\.3 \(pays nothing again"):
        refine(path, tmp_path / "run", method="qurating", settings=changed, backend=judge)
    with pytest.raises(ConfigError, match="another configuration"):
        refine(path, tmp_path / "run", method="gdr", settings=QUICK, backend=judge)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        refine(path, tmp_path / "full", method="gdr", settings=QUICK, backend=judge)


def test_a_larger_limit_pays_for_new_documents_and_new_anchors(tmp_path: Path) -> None:
    path = made(tmp_path, 36)
    judge = Judge(better(lambda one, other: one > other))

    def limited(limit: int) -> Any:
        return refine(path, tmp_path / "run", method="qurating", settings=QUICK | {"limit": limit}, backend=judge)

    limited(24)
    first = len(judge.asked)
    grown = limited(36)
    again = len(judge.asked)
    assert len({request.key for request in judge.asked}) == again, "nothing twice"
    assert again - first < 0.9 * first
    whole = refine(
        path,
        tmp_path / "whole",
        method="qurating",
        settings=QUICK,
        backend=Judge(better(lambda one, other: one > other)),
    )
    assert rows(grown.refined) == rows(whole.refined)


def test_a_corpus_that_changes_under_way_is_no_result(tmp_path: Path) -> None:
    path = made(tmp_path, 10)

    def meddle(stage: str, slots: Any) -> Any:
        path.write_text(json.dumps({"id": "other", "text": "Another text."}) + "\n")
        return {"reason": "", "verdict": "adequate", "text": ""}

    with pytest.raises(UserError, match="changed while it was refined"):
        refine(path, tmp_path / "run", method="gdr", settings=QUICK, backend=Judge(meddle))
    assert not (tmp_path / "run" / "refined").exists()


def test_damaged_records_stand_in_the_books(tmp_path: Path) -> None:
    path = made(tmp_path, 5)
    path.write_bytes(b'{"text": "cut off\n' + path.read_bytes())
    for method in METHODS:
        done = refine(path, tmp_path / method, method=method)
        assert done.summary["documents"]["seen"] == 6
        assert done.summary["unreadable"] == {"corrupt_line": 1}
        assert [row["stage"] for row in rows(done.folder / "dropped")].count("read") == 1


def test_the_command_shows_the_table_and_says_how_it_ended(tmp_path: Path) -> None:
    path = made(tmp_path, 12)
    (tmp_path / "refine.yaml").write_text("method: qurating\nstages: {opponents: {pairs: 2}}\n")
    arguments = [str(path), "--out", str(tmp_path / "run"), "-c", str(tmp_path / "refine.yaml"), "--keep", "0.4"]
    terminal = CliRunner()
    shown = terminal.invoke(app, ["refine", *arguments])
    assert shown.exit_code == 0, shown.output
    assert "not_selected" in shown.stdout
    assert shown.stdout.splitlines()[-1] == f"refined: {tmp_path / 'run' / 'refined'}"
    told = json.loads(terminal.invoke(app, ["refine", *arguments, "--json"]).stdout)
    assert told["method"] == "qurating"
    assert told["tokens"]["kept"] <= 0.4 * told["tokens"]["source"]
    status = terminal.invoke(app, ["status", str(tmp_path / "run")])
    assert status.exit_code == 0, status.output
    assert "select" in status.stdout
    assert status.stdout.splitlines()[-1] == shown.stdout.splitlines()[-1]
    with pytest.raises(ConfigError, match="--method: missing; one of qurating, prox, gdr"):
        terminal.invoke(app, ["refine", str(path), "--out", str(tmp_path / "other")], catch_exceptions=False)
