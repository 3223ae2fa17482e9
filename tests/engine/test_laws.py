"""The laws of the system, on whole runs against a real HTTP server."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.runs import command, configured, corpus, digest, documents, fresh, started
from webscale_rl import Document, Run, RunStopped, run

MIXED = {"429": 0.05, "503": 0.05, "reset": 0.03, "truncated_body": 0.03, "bad_json": 0.03, "cut": 0.03}
ODD_FORMS = {"fenced": 0.2, "python": 0.2}


def balanced(summary: dict[str, Any]) -> bool:
    for unit in ("documents", "pairs"):
        count = summary[unit]
        if count["kept"] + sum(count["dropped"].values()) + sum(count["failed"].values()) != count["seen"]:
            return False
    return True


# Law 1: kept + dropped + failed = seen


def test_every_document_and_pair_is_accounted_for_whatever_the_server_does(tmp_path: Path) -> None:
    faults = {"400": 0.1, "garbage": 0.3, "refusal": 0.2, "empty": 0.1, "500": 0.1}
    with LLMServer(faults=faults) as server:
        traffic = {"retries": 0, "attempts": 1}
        result = run(configured(corpus(tmp_path, 40), tmp_path / "run", server.url, traffic=traffic))
    assert result.summary["documents"]["seen"] == 40
    assert balanced(result.summary)
    assert result.failed > 0
    for row in result.summary["funnel"]:
        assert row["kept"] + sum(row["dropped"].values()) + sum(row["failed"].values()) == row["seen"], row


def test_what_leaves_one_stage_enters_the_next(tmp_path: Path) -> None:
    result = run(configured("sample:", tmp_path / "run"))
    funnel = {row["stage"]: row for row in result.summary["funnel"]}
    assert funnel["heuristics"]["seen"] == 60
    assert funnel["filter"]["seen"] == funnel["heuristics"]["kept"]
    assert funnel["classify"]["seen"] == funnel["filter"]["kept"]
    assert funnel["precheck"]["seen"] == funnel["generate"]["kept"]
    assert funnel["check"]["seen"] == funnel["precheck"]["kept"]
    assert funnel["dedup"]["kept"] == sum(1 for _ in result.examples()) == result.summary["pairs"]["kept"] > 0


def test_unreadable_records_stand_in_the_books_with_file_and_position(tmp_path: Path) -> None:
    path = corpus(tmp_path, 3)
    path.write_bytes(path.read_bytes() + b'{"text": "cut off\n\xff\xfe\n')
    result = run(configured(path, tmp_path / "run"))
    assert result.summary["documents"]["seen"] == 5
    assert sum(result.summary["unreadable"].values()) == 2
    import pyarrow.parquet as pq

    dropped = pq.read_table(tmp_path / "run" / "dropped").to_pylist()
    assert {"line 4", "line 5"} <= {row["detail"].split(":")[1] for row in dropped if row["stage"] == "read"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_files_whose_names_are_no_utf_8_are_in_the_books(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.jsonl")).write_bytes(b"{broken\n")
    (folder / os.fsdecode(b"\xfe.txt")).write_text(documents(1)[0]["text"])
    result = run(configured(folder, tmp_path / "run"))
    assert result.summary["unreadable"] == {"corrupt_line": 1}
    assert {example.document_id for example in result.examples()} == {"\\udcfe.txt"}


# Law 2: kill -9 at any moment


@pytest.mark.parametrize("seed", range(3))
def test_after_kill_9_nothing_is_paid_twice_but_what_was_in_flight(tmp_path: Path, seed: int) -> None:
    path = corpus(tmp_path, 60)
    arguments = ["run", path, "--model", "m", "--concurrency", "8"]
    with subprocess_server("--latency", "0.02") as url:
        whole = fresh(*arguments, "--out", tmp_path / "whole", "--base-url", url)
        assert whole.returncode == 0, whole.stderr
    chance = random.Random(seed)
    with subprocess_server("--latency", "0.02") as url:
        kills = 0
        for _ in range(4):
            process = started(*arguments, "--out", tmp_path / "killed", "--base-url", url)
            time.sleep(0.6 + chance.random() * 0.8)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        last = fresh(*arguments, "--out", tmp_path / "killed", "--base-url", url)
        assert last.returncode == 0, last.stderr
        stats = _stats(url)
    assert kills > 0
    assert stats["paid_twice"] <= kills * 8
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def test_a_torn_journal_is_cut_and_gone_on_with(tmp_path: Path) -> None:
    with LLMServer() as server:
        whole = configured(corpus(tmp_path, 20), tmp_path / "whole", server.url)
        run(whole)
        answered = server.books.outcomes["ok"]
    for cut in (1, 7, 9, 500):
        out = tmp_path / f"cut-{cut}"
        journal = _interrupted_journal(tmp_path, out)
        data = journal.read_bytes()
        journal.write_bytes(data[:-cut])
        with LLMServer() as server:
            run(configured(tmp_path / "corpus.jsonl", out, server.url))
            assert server.books.outcomes["ok"] < answered
        assert digest(out) == digest(tmp_path / "whole")


def _interrupted_journal(tmp_path: Path, out: Path) -> Path:
    """The journal of a run whose server went down for good half way."""
    asked = Counter[str]()

    def down(stage: str, body: str, attempt: int) -> str | None:
        asked["all"] += 1
        return "401" if asked["all"] > 60 else None

    with LLMServer(faults=down) as server, pytest.raises(RunStopped):
        run(configured(tmp_path / "corpus.jsonl", out, server.url))
    (journal,) = (out / "replies").glob("*.journal")
    return journal


def test_a_finished_run_asks_nothing_when_it_is_run_again(tmp_path: Path) -> None:
    with LLMServer() as server:
        config = configured(corpus(tmp_path, 10), tmp_path / "run", server.url)
        run(config)
        before, answered = digest(tmp_path / "run"), len(server.books.entries)
        result = run(config)
        assert len(server.books.entries) == answered
    assert digest(tmp_path / "run") == before
    assert result.summary["pairs"]["kept"] > 0


# Law 3: the same bytes


def test_the_dataset_is_the_same_bytes_whatever_the_concurrency_and_the_faults(tmp_path: Path) -> None:
    path = corpus(tmp_path, 120)
    digests = set()
    for concurrency, faults in ((1, {}), (8, MIXED | ODD_FORMS), (256, {}), (256, MIXED)):
        out = tmp_path / f"c{concurrency}-{len(faults)}"
        with LLMServer(faults=faults) as server:
            traffic = {"concurrency": concurrency, "attempts": 8}
            result = run(configured(path, out, server.url, shard_size=50, traffic=traffic))
            assert result.failed == 0, result.summary["failures"]
        digests.add(digest(out))
    assert len(digests) == 1


def test_the_embedded_backend_gives_the_same_bytes_whatever_the_concurrency(tmp_path: Path) -> None:
    digests = set()
    for concurrency in (1, 8, 256):
        out = tmp_path / str(concurrency)
        run(configured("sample:", out, traffic={"concurrency": concurrency}))
        digests.add(digest(out))
    assert len(digests) == 1


# Law 4: retries by kind


@pytest.mark.parametrize("kind", ["429", "408", "409", "500", "502", "503", "529", "reset", "truncated_body"])
def test_what_may_pass_is_tried_again(tmp_path: Path, kind: str) -> None:
    with LLMServer(faults=lambda stage, body, attempt: kind if attempt == 1 else None) as server:
        result = run(configured(corpus(tmp_path, 3), tmp_path / "run", server.url))
        assert result.failed == 0
        assert server.books.paid_twice == 0
        assert server.books.outcomes[kind] == server.books.outcomes["ok"]


def test_a_hanging_call_times_out_and_is_tried_again(tmp_path: Path) -> None:
    def hang(stage: str, body: str, attempt: int) -> str | None:
        return "hang" if stage == "classify" and attempt == 1 else None

    with LLMServer(faults=hang) as server:
        config = configured(corpus(tmp_path, 2), tmp_path / "run", server.url, backend={"timeout_s": 0.3})
        assert run(config).failed == 0
        assert server.books.outcomes["hang"] == 2


def test_retry_after_is_obeyed(tmp_path: Path) -> None:
    times: list[float] = []

    def limited(stage: str, body: str, attempt: int) -> str | None:
        if stage == "filter":
            times.append(time.monotonic())
        return "429" if stage == "filter" and attempt == 1 else None

    with LLMServer(faults=limited, retry_after="1") as server:
        assert run(configured(corpus(tmp_path, 1), tmp_path / "run", server.url)).failed == 0
    assert times[1] - times[0] >= 1.0


def test_a_second_run_asks_only_for_what_failed(tmp_path: Path) -> None:
    def poison(stage: str, body: str, attempt: int) -> str | None:
        return "500" if stage == "check" and int(body, 16) % 3 == 0 else None

    with LLMServer(faults=poison) as server:
        config = configured(corpus(tmp_path, 12), tmp_path / "run", server.url, traffic={"retries": 1})
        first = run(config)
        failed = first.failed
        assert 0 < failed == first.summary["failures"]["check: overloaded"]
        server.behave(faults={})
        server.books.reset()
        second = run(config)
        assert second.failed == 0
        assert server.books.outcomes == Counter(ok=failed)
    with LLMServer() as server:
        run(configured(tmp_path / "corpus.jsonl", tmp_path / "whole", server.url))
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_failure_is_never_a_no(tmp_path: Path) -> None:
    with LLMServer(faults=lambda stage, body, attempt: "garbage" if stage == "check" else None) as server:
        result = run(configured(corpus(tmp_path, 4), tmp_path / "run", server.url))
    assert result.summary["pairs"]["kept"] == 0
    check = next(row for row in result.summary["funnel"] if row["stage"] == "check")
    assert check["dropped"] == {}
    assert check["failed"] == {"unparseable": check["seen"]}


@pytest.mark.parametrize(("fault", "said"), [("401", "401"), ("403", "403"), ("404", "404"), ("quota", "429")])
def test_a_wrong_key_or_model_stops_the_run_at_once_and_loses_nothing(tmp_path: Path, fault: str, said: str) -> None:
    asked = Counter[str]()

    def late(stage: str, body: str, attempt: int) -> str | None:
        asked["all"] += 1
        return fault if asked["all"] > 20 else None

    with LLMServer(faults=late) as server:
        config = configured(corpus(tmp_path, 30), tmp_path / "run", server.url)
        with pytest.raises(RunStopped, match=said) as stopped:
            run(config)
        assert stopped.value.code == 2
        assert server.books.outcomes[fault] <= 8  # those in flight
        server.behave(faults={})
        assert run(config).failed == 0
        assert server.books.paid_twice == 0


def test_a_document_too_long_for_the_model_is_shortened_then_dropped_with_that_reason(tmp_path: Path) -> None:
    long = documents(1)[0]["text"] + "\n\n" + "The valley has many farms and a mill beside the water. " * 600
    items = [Document("long", long), Document("short", documents(2)[1]["text"])]
    with LLMServer(context_chars=24_000) as server:
        config = configured("sample:", tmp_path / "run", server.url, layout="instructions_first")
        result = run(config, items)
        assert result.summary["documents"]["kept"] == 2
        assert result.failed == 0
        assert server.books.outcomes["400"] > 0
        refused = server.books.outcomes["400"]
        run(config, items)
        assert server.books.outcomes["400"] == refused  # what does not fit is not asked again
    with LLMServer(context_chars=900) as server:
        result = run(configured("sample:", tmp_path / "tiny", server.url), items)
    assert result.summary["funnel"][1]["dropped"] == {"context_length": 2}


def test_a_server_that_goes_away_stops_the_run_resumably(tmp_path: Path) -> None:
    asked = Counter[str]()

    def gone(stage: str, body: str, attempt: int) -> str | None:
        asked["all"] += 1
        return "reset" if asked["all"] > 40 else None

    with LLMServer(faults=gone) as server:
        config = configured(corpus(tmp_path, 40), tmp_path / "run", server.url, traffic={"retries": 1})
        with pytest.raises(RunStopped, match="does not answer") as stopped:
            run(config)
        assert stopped.value.code == 3
        server.behave(faults={})
        assert run(config).failed == 0
        assert server.books.paid_twice == 0


# Law 5: nothing answered 200 is lost or left out of the books


def test_useless_answers_are_stored_and_counted(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    kinds = {
        "refusal": "refused",
        "empty": "empty",
        "cut": "truncated",
        "garbage": "unparseable",
        "bad_json": "malformed",
    }
    for fault, word in kinds.items():
        first_only = {"fault": fault}

        def once(stage: str, body: str, attempt: int, chosen: dict[str, str] = first_only) -> str | None:
            return chosen["fault"] if attempt == 1 else None

        with LLMServer(faults=once) as server:
            out = tmp_path / fault
            result = run(configured(corpus(tmp_path, 2), out, server.url))
            answered = sum(server.books.paid.values())
        calls = result.summary["calls"]
        assert result.failed == 0
        assert sum(stage["answered"] for stage in calls.values()) == answered
        assert sum(stage["unusable"].get(word, 0) for stage in calls.values()) == server.books.outcomes[fault]
        assert pq.read_table(out / "replies").num_rows == answered


# Law 6 is with the prompts (tests/test_prompt.py); here: nothing of a document reaches the terminal unescaped


def test_a_document_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.jsonl"
    text = documents(1)[0]["text"].replace("granite", "granite\u001b[2J\u001b]0;owned\u0007")
    path.write_text(json.dumps({"id": "evil\u001b[31m", "text": text}), encoding="utf-8")
    with subprocess_server() as url:
        done = command("run", path, "--out", tmp_path / "run", "--base-url", url, "--model", "m")
    assert done.returncode == 0
    assert "\u001b" not in done.stdout + done.stderr


# Law 7: caps stop cleanly (the disk here; money, tokens and hours have their own issue)


def test_a_disk_that_fills_up_stops_the_run_resumably(tmp_path: Path) -> None:
    with LLMServer() as server:
        config = configured(corpus(tmp_path, 5), tmp_path / "run", server.url)
        starved = Run.make(config.model_dump() | {"min_free_disk_mb": 1 << 40})
        with pytest.raises(RunStopped, match="min_free_disk_mb") as stopped:
            run(starved)
        assert stopped.value.code == 3
        assert run(config).failed == 0
        assert server.books.paid_twice == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = corpus(tmp_path, 5)
    with subprocess_server() as url:
        arguments = ["run", path, "--out", out, "--base-url", url, "--model", "m"]
        (out / "replies").mkdir(parents=True)
        (out / "run.yaml").write_text(_run_yaml(tmp_path, arguments))
        (out / "replies" / "00000.journal").symlink_to("/dev/full")
        done = command(*arguments)
        assert done.returncode == 3, done.stderr
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        (out / "replies" / "00000.journal").unlink()
        assert command(*arguments).returncode == 0


def _run_yaml(tmp_path: Path, arguments: list[Any]) -> str:
    """The run.yaml that the same command writes."""
    elsewhere = [*arguments]
    elsewhere[elsewhere.index("--out") + 1] = tmp_path / "elsewhere"
    assert command(*elsewhere).returncode == 0
    return (tmp_path / "elsewhere" / "run.yaml").read_text()


# Law 8: no secret anywhere


def test_the_key_reaches_the_server_and_nothing_else(tmp_path: Path) -> None:
    key = "sk-very-secret-0123456789"
    with subprocess_server("--api-key", key) as url:
        arguments = ["run", corpus(tmp_path, 3), "--base-url", url, "--model", "m", "--out"]
        good = command(*arguments, tmp_path / "good", OPENAI_API_KEY=key)
        bad = command(*arguments, tmp_path / "bad", OPENAI_API_KEY=key + "x")
    assert good.returncode == 0, good.stderr
    assert bad.returncode == 2
    assert "401" in bad.stderr
    assert key not in good.stdout + good.stderr + bad.stdout + bad.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


# Law 9: nothing is sent anywhere unless the user configured it


def test_the_embedded_backend_opens_no_connection(tmp_path: Path) -> None:
    guard = tmp_path / "sitecustomize.py"
    guard.write_text(
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.create_connection = refuse\n"
    )
    done = command("run", "sample:", "--out", tmp_path / "run", PYTHONPATH=f"{tmp_path}{os.pathsep}{Path.cwd()}")
    assert done.returncode == 0, done.stderr


def _stats(url: str) -> dict[str, Any]:
    import urllib.request

    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_a_file_that_joins_the_corpus_makes_no_document_paid_twice(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number, document in enumerate(documents(12)):
        (folder / f"{number + 10}.txt").write_text(document["text"])
    with LLMServer() as server:
        config = configured(folder, tmp_path / "run", server.url, shard_size=3)
        before = run(config).summary
        calls = len(server.books.entries)
        (folder / "00.txt").write_text(documents(13)[12]["text"])
        after = run(config).summary
        assert server.books.paid_twice == 0
        assert len({entry.document for entry in server.books.entries[calls:]}) == 1  # the new one
        assert after["documents"]["seen"] == 13
        answered = [sum(stage["answered"] for stage in summary["calls"].values()) for summary in (before, after)]
        assert answered == [calls, len(server.books.entries)]
        again = len(server.books.entries)
        run(config)
        assert len(server.books.entries) == again


def test_a_smaller_or_larger_limit_gives_the_dataset_of_that_limit(tmp_path: Path) -> None:
    path = corpus(tmp_path, 12)
    with LLMServer() as server:
        for limit in (10, 4, None, 7, 12):
            config = configured(path, tmp_path / "run", server.url, shard_size=5, limit=limit)
            assert run(config).summary["documents"]["seen"] == (limit or 12)
        assert server.books.paid_twice == 0


async def test_a_free_backends_useless_answer_is_a_failure(tmp_path: Path) -> None:
    from webscale_rl import run_async
    from webscale_rl.backend import BackendOptions, Reply, Request

    class Babbler:
        name = "babbler"
        paid = False
        Options = BackendOptions

        async def reply(self, request: Request) -> Reply:
            return Reply("hm")

        async def __aenter__(self) -> Babbler:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    result = await run_async(configured(corpus(tmp_path, 2), tmp_path / "run"), backend=Babbler())
    assert result.summary["failures"] == {"filter: unparseable": 2}
    in_notebook = run(configured(corpus(tmp_path, 2), tmp_path / "again"), backend=Babbler())  # a loop is running here
    assert in_notebook.failed == 2
