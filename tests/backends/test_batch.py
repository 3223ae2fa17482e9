"""Laws of the batch backend: whole runs through the real command, against the simulated server and with batch files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.llm_server import BatchBehaviour, LLMServer, replies
from tests.runs import command, configured, corpus, documents, started
from webscale_rl import Run, RunStopped, run
from webscale_rl.backends.batch import Batch, BatchOptions
from webscale_rl.errors import ConfigError

STEPS = ("upload", "upload done", "create", "create done", "poll", "poll done", "fetch", "fetch done")


def batched(inputs: Path | str, out: Path, url: str = "", **changes: Any) -> Run:
    """A Run by batches, quick to poll."""
    backend = {"use": "batch", "poll_s": 0.05, "model": "m"} | changes.pop("backend", {})
    return configured(inputs, out, url, backend=backend, **changes) if url else _without_server(inputs, out, backend)


def _without_server(inputs: Path | str, out: Path, backend: dict[str, Any]) -> Run:
    return Run.make({"inputs": [str(inputs)], "out": str(out), "backend": backend})


def parts(folder: Path) -> str:
    """A digest of all rows of a run: examples, drops and failures. The card names the backend, and is left out."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*/part-*.parquet")):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Counter[str]]:
    """A corpus, what the openai backend makes of it, and how often each stage was asked."""
    folder = tmp_path_factory.mktemp("live")
    path = corpus(folder, 12)
    with LLMServer() as server:
        run(configured(path, folder / "run", server.url, shard_size=5))
        asked = Counter(entry.stage for entry in server.books.entries)
    return path, parts(folder / "run"), asked


Live = tuple[Path, str, Counter[str]]


def stages(server: LLMServer) -> Counter[str]:
    return Counter(entry.stage for entry in server.books.entries)


# The same dataset, one batch per stage and shard, at half the price


def test_batches_make_the_same_dataset_one_batch_per_stage_and_shard(live: Live, tmp_path: Path) -> None:
    path, whole, asked = live
    with LLMServer() as server:
        result = run(batched(path, tmp_path / "run", server.url, shard_size=5))
        assert len(server.batches.created) == 3 * 4
        assert stages(server) == asked
        answered = {stage: calls["answered"] for stage, calls in result.summary["calls"].items()}
        assert answered == asked
        assert result.summary["calls"]["check"]["prompt_tokens"] > 0
    assert parts(tmp_path / "run") == whole
    assert list((tmp_path / "run" / "batches").iterdir()) == []


def test_a_finished_run_submits_nothing_when_it_is_run_again(live: Live, tmp_path: Path) -> None:
    with LLMServer() as server:
        config = batched(live[0], tmp_path / "run", server.url)
        run(config)
        count = len(server.batches.created)
        run(config)
        assert len(server.batches.created) == count


def test_no_more_shards_are_open_than_said(live: Live, tmp_path: Path) -> None:
    most = Counter[str]()

    with LLMServer() as server:

        def watch(step: str) -> None:
            if step == "create":
                ended = sum(batch["status"] == "completed" for batch in server.batches.created)
                most["open"] = max(most["open"], len(server.batches.created) - ended + 1)

        server.behave(batches=BatchBehaviour(on=watch, delay_s=0.05))
        run(batched(live[0], tmp_path / "run", server.url, shard_size=2, backend={"open_shards": 2}))
    assert most["open"] == 2
    assert parts(tmp_path / "run") == _live_in_shards_of(2, live, tmp_path)


def _live_in_shards_of(size: int, live: Live, tmp_path: Path) -> str:
    with LLMServer() as server:
        run(configured(live[0], tmp_path / "live", server.url, shard_size=size))
    return parts(tmp_path / "live")


def test_batches_of_a_stage_that_end_one_after_the_other_do_not_take_each_others_place(
    live: Live, tmp_path: Path
) -> None:
    with LLMServer(batches=BatchBehaviour(spread_s=1.0)) as server:
        run(batched(live[0], tmp_path / "run", server.url, shard_size=5, backend={"max_requests": 1}))
        assert len(server.batches.created) == sum(live[2].values())
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


def test_a_batch_is_no_larger_than_allowed(live: Live, tmp_path: Path) -> None:
    with LLMServer(batches=BatchBehaviour(spread_s=0.5)) as server:
        run(batched(live[0], tmp_path / "run", server.url, shard_size=5, backend={"max_requests": 4}))
        assert max(batch["request_counts"]["total"] for batch in server.batches.created) == 4
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


# kill -9


@pytest.mark.parametrize(("step", "nth"), [*((step, 1) for step in STEPS), ("create done", 4), ("fetch done", 5)])
def test_after_kill_9_at_any_step_nothing_is_submitted_twice(live: Live, tmp_path: Path, step: str, nth: int) -> None:
    path, whole, asked = live
    seen = Counter[str]()
    victim: list[subprocess.Popen[str]] = []
    killed = threading.Event()

    def kill(at: str) -> None:
        seen[at] += 1
        if at == step and seen[at] == nth and not killed.is_set():
            killed.set()
            victim[0].send_signal(signal.SIGKILL)
            victim[0].wait()

    out = tmp_path / "run"
    with LLMServer(batches=BatchBehaviour(delay_s=0.05)) as server:
        arguments = _arguments(path, out, server.url)
        victim.append(started(*arguments))
        server.behave(batches=BatchBehaviour(delay_s=0.05, on=kill))
        assert killed.wait(30), victim[0].communicate()
        victim[0].communicate()
        _age(out)
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
        assert server.books.paid_twice == 0
        assert stages(server) == asked
    assert parts(out) == whole
    assert list((out / "batches").iterdir()) == []


def test_after_many_kills_at_any_moment_nothing_is_submitted_twice(live: Live, tmp_path: Path) -> None:
    path, whole, asked = live
    out = tmp_path / "run"
    with LLMServer(batches=BatchBehaviour(delay_s=0.3)) as server:
        arguments = _arguments(path, out, server.url)
        for seconds in (0.9, 1.1, 1.3, 1.5):
            process = started(*arguments)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
            _age(out)
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
        assert server.books.paid_twice == 0
        assert stages(server) == asked
    assert parts(out) == whole


def _arguments(path: Path, out: Path, url: str) -> list[str | Path]:
    config = out.parent / "run.yaml"
    backend = {"use": "batch", "model": "m", "poll_s": 0.05, "base_urls": [url]}
    config.write_text(json.dumps({"inputs": [str(path)], "out": str(out), "shard_size": 5, "backend": backend}))
    return ["run", "-c", config]


def _age(out: Path) -> None:
    """As if the run had been dead for a minute: a batch that is not on the server's list now was not created."""
    for path in (out / "batches").glob("*.json"):
        record = orjson.loads(path.read_bytes())
        path.write_bytes(orjson.dumps(record | {"written": record["written"] - 60}))


def test_a_batch_whose_creation_was_lost_is_found_by_its_tag_on_a_later_page(live: Live, tmp_path: Path) -> None:
    lost = Counter[str]()

    def lose(step: str) -> str | None:
        lost[step] += 1
        return "lost" if step == "create done" and lost[step] == 1 else None

    with LLMServer(batches=BatchBehaviour(page=1, on=lose)) as server:
        run(batched(live[0], tmp_path / "run", server.url, shard_size=5))
        assert lost["list"] >= 1
        assert len(server.batches.created) == 12
        assert server.books.paid_twice == 0
    assert parts(tmp_path / "run") == live[1]


def test_a_creation_that_was_rate_limited_is_tried_again(live: Live, tmp_path: Path) -> None:
    times = Counter[str]()

    def busy(step: str) -> str | None:
        times[step] += 1
        return "429" if times[step] == 1 and "done" not in step else None

    with LLMServer(batches=BatchBehaviour(on=busy)) as server:
        run(batched(live[0], tmp_path / "run", server.url, shard_size=5))
        assert len(server.batches.created) == 12
        assert (times["upload"], times["create"], times["list"]) == (13, 13, 0)
    assert parts(tmp_path / "run") == live[1]


def test_ctrl_c_ends_a_run_whose_batches_are_under_way_and_the_next_takes_them_up(live: Live, tmp_path: Path) -> None:
    path, whole, asked = live
    polled = threading.Event()

    def notice(step: str) -> None:
        if step == "poll":
            polled.set()

    with LLMServer(batches=BatchBehaviour(delay_s=2.0, on=notice)) as server:
        arguments = _arguments(path, tmp_path / "run", server.url)
        process = started(*arguments)
        assert polled.wait(30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 3
        process.communicate()
        server.behave(batches=BatchBehaviour())
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
        assert stages(server) == asked
    assert parts(tmp_path / "run") == whole


# What batches do not answer


def test_what_expired_goes_into_another_batch_and_what_was_answered_is_used(live: Live, tmp_path: Path) -> None:
    def third(stage: str, digest: str, attempt: int) -> str | None:
        return "expired" if attempt == 1 and int(digest, 16) % 3 == 0 else None

    with LLMServer(batches=BatchBehaviour(line=third)) as server:
        result = run(batched(live[0], tmp_path / "run", server.url, shard_size=5))
        assert result.failed == 0
        assert any(batch["status"] == "expired" for batch in server.batches.created)
        assert server.books.paid_twice == 0
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


def test_what_always_expires_is_a_failure_that_the_next_run_tries_again(live: Live, tmp_path: Path) -> None:
    def never(stage: str, digest: str, attempt: int) -> str | None:
        return "expired" if stage == "check" and int(digest, 16) % 4 == 0 else None

    with LLMServer(batches=BatchBehaviour(line=never)) as server:
        config = batched(live[0], tmp_path / "run", server.url, shard_size=5, backend={"rounds": 1})
        first = run(config)
        assert first.failed == first.summary["failures"]["check: overloaded"] > 0
        most = max(server.books.attempts.values())
        assert most == 2
        server.behave(batches=BatchBehaviour())
        assert run(config).failed == 0
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


def test_error_lines_are_errors_by_their_kind(live: Live, tmp_path: Path) -> None:
    def some(stage: str, digest: str, attempt: int) -> str | None:
        if stage == "filter" and int(digest, 16) % 5 == 0:
            return "400"
        return "500" if stage == "generate" and attempt == 1 and int(digest, 16) % 3 == 0 else None

    with LLMServer(batches=BatchBehaviour(line=some)) as server:
        result = run(batched(live[0], tmp_path / "run", server.url, shard_size=5))
        assert set(result.summary["failures"]) == {"filter: bad_request"}
        assert server.books.outcomes["500"] > 0
        assert server.books.paid_twice == 0


def test_useless_answers_are_counted_and_asked_for_again(live: Live, tmp_path: Path) -> None:
    def refused(stage: str, digest: str, attempt: int) -> str | None:
        return "refusal" if attempt == 1 and stage == "classify" else None

    with LLMServer(batches=BatchBehaviour(line=refused)) as server:
        result = run(batched(live[0], tmp_path / "run", server.url, shard_size=5))
        assert result.failed == 0
        classify = result.summary["calls"]["classify"]
        assert classify["unusable"] == {"refused": 12}
        assert classify["answered"] == 24 == server.books.outcomes["refusal"] + live[2]["classify"]
    assert parts(tmp_path / "run") == live[1]


def test_a_cancelled_batch_stops_the_run_and_the_next_submits_what_it_left(live: Live, tmp_path: Path) -> None:
    with LLMServer(batches=BatchBehaviour(cancel=lambda number: number == 1)) as server:
        config = batched(live[0], tmp_path / "run", server.url, shard_size=5)
        with pytest.raises(RunStopped, match="cancelled; run again") as stopped:
            run(config)
        assert stopped.value.code == 3
        assert run(config).failed == 0
    assert parts(tmp_path / "run") == live[1]


# What the server refuses as a whole


def test_when_the_servers_queue_is_full_batches_wait_and_come_again(live: Live, tmp_path: Path) -> None:
    def full(before: int, lines: int) -> str | None:
        return "token_limit_exceeded" if before in (1, 2) else None

    with LLMServer(batches=BatchBehaviour(fail=full, delay_s=0.05)) as server:
        assert run(batched(live[0], tmp_path / "run", server.url, shard_size=5)).failed == 0
        assert [batch["status"] for batch in server.batches.created].count("failed") == 2
        assert len(server.batches.created) == 3 * 4 + 2
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


def test_a_batch_too_large_for_the_servers_queue_is_halved(live: Live, tmp_path: Path) -> None:
    def full(before: int, lines: int) -> str | None:
        return "token_limit_exceeded" if lines > 3 else None

    with LLMServer(batches=BatchBehaviour(fail=full)) as server:
        assert run(batched(live[0], tmp_path / "run", server.url)).failed == 0
        assert server.books.paid_twice == 0
    assert parts(tmp_path / "run") == _live_in_shards_of(1000, live, tmp_path)


def test_a_batch_that_fails_its_validation_is_one_clear_line(live: Live, tmp_path: Path) -> None:
    with LLMServer(batches=BatchBehaviour(fail=lambda before, lines: "invalid_json_line")) as server:
        done = command(*_arguments(live[0], tmp_path / "run", server.url))
    assert done.returncode == 2
    assert re.search(r"refused batch batch_\d: invalid_json_line: scripted invalid_json_line", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_server_without_the_batch_api_is_told_with_the_way_out(live: Live, tmp_path: Path) -> None:
    with LLMServer(batches=BatchBehaviour(on=lambda step: "404")) as server:
        done = command(*_arguments(live[0], tmp_path / "run", server.url))
    assert done.returncode == 2
    assert "no Batch API here" in done.stderr
    assert "--batch-dir" in done.stderr


def test_a_server_that_stays_away_stops_the_run_resumably(live: Live, tmp_path: Path) -> None:
    with LLMServer(batches=BatchBehaviour(on=lambda step: "503" if step == "poll" else None)) as server:
        config = batched(live[0], tmp_path / "run", server.url, shard_size=5, backend={"patience_s": 0.2})
        with pytest.raises(RunStopped, match="run again when the server is back") as stopped:
            run(config)
        assert stopped.value.code == 3
        server.behave(batches=BatchBehaviour())
        assert run(config).failed == 0
        assert stages(server) == live[2]
    assert parts(tmp_path / "run") == live[1]


def test_the_key_reaches_the_server_and_nothing_else(live: Live, tmp_path: Path) -> None:
    key = "sk-very-secret-0123456789"
    with LLMServer(api_key=key) as server:
        arguments = _arguments(live[0], tmp_path / "run", server.url)
        bad = command(*arguments, OPENAI_API_KEY=key + "x")
        good = command(*arguments, OPENAI_API_KEY=key)
    assert (bad.returncode, good.returncode) == (2, 0), good.stderr
    assert "401" in bad.stderr
    assert key not in good.stdout + good.stderr + bad.stdout + bad.stderr
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


# Batch files


def answer_files(said: str, *, in_part: bool = False) -> int:
    """Does what the commands that were told would do, by the simulated server's rules. Gives the lines it wrote."""
    written = 0
    for line in re.findall(r"^  (vllm run-batch .*)$", said, re.MULTILINE):
        words = shlex.split(line)
        requests, results = Path(words[words.index("-i") + 1]), Path(words[words.index("-o") + 1])
        asked = map(orjson.loads, requests.read_bytes().splitlines())
        lines = [_line(row, words[words.index("--model") + 1]) for row in asked]
        torn = in_part and requests.name.endswith("-000.requests.jsonl")
        lines = lines[: len(lines) // 2 + 1] if torn else lines
        written += len(lines) - torn
        content = b"".join(lines)
        results.write_bytes(content[:-20] if torn else content)
    return written


def _line(asked: dict[str, Any], model: str) -> bytes:
    """A line as vLLM's `BatchRequestOutput` writes it."""
    assert (asked["method"], asked["url"], asked["body"]["model"]) == ("POST", "/v1/chat/completions", model)
    text = replies.reply_text(replies.understand(asked["body"]), None)
    body = replies.completion(model, asked["custom_id"], text, replies.Usage())
    response = {"status_code": 200, "request_id": "vllm-batch-1", "body": orjson.Fragment(body)}
    row = {"id": "vllm-1", "custom_id": asked["custom_id"], "response": response, "error": None}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


@pytest.mark.parametrize("in_part", [False, True])
def test_batch_files_go_round_until_the_dataset_is_there(live: Live, tmp_path: Path, in_part: bool) -> None:
    path, whole, asked = live
    out = tmp_path / "run"
    options = [path, "--out", out, "--batch-dir", tmp_path / "files", "--model", "m", "-c", tmp_path / "size.yaml"]
    (tmp_path / "size.yaml").write_text("shard_size: 5\n")
    answered = 0
    for turn in range(12):
        done = command("run", *options)
        if done.returncode == 0:
            break
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr
        if turn == 0:
            assert len(re.findall("-filter-000.requests", done.stderr)) == 3  # all shards at once
            again = command("run", *options)
            assert (again.returncode, again.stderr) == (3, done.stderr)  # until there are results, nothing changes
        answered += answer_files(done.stderr, in_part=in_part)
    assert done.returncode == 0, done.stderr
    assert answered == sum(asked.values())
    assert parts(out) == whole
    assert list((out / "batches").iterdir()) == []
    assert [found.name for found in (tmp_path / "files").glob("*.requests.jsonl")] == []


def test_a_line_with_an_error_is_an_error_in_batch_files_too(tmp_path: Path) -> None:
    path = corpus(tmp_path, 2)
    options = [path, "--out", tmp_path / "run", "--batch-dir", tmp_path / "files", "--model", "m"]
    assert command("run", *options).returncode == 3
    (requests,) = (tmp_path / "files").iterdir()
    rows = [orjson.loads(row) for row in requests.read_bytes().splitlines()]
    error = {"error": {"message": "the model produced nonsense", "type": "BadRequestError", "param": None, "code": 400}}
    response = {"status_code": 400, "request_id": "r", "body": None}
    lines = [{"id": "x", "custom_id": row["custom_id"], "response": response, "error": error} for row in rows]
    results = requests.with_name(requests.name.replace(".requests.", ".results."))
    results.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    done = command("run", *options, "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["failures"] == {"filter: bad_request": 2}


def test_of_many_files_a_loop_is_told(tmp_path: Path) -> None:
    path = corpus(tmp_path, 10)
    (tmp_path / "size.yaml").write_text("shard_size: 1\n")
    done = command(
        *("run", path, "--out", tmp_path / "run", "--batch-dir", tmp_path / "fi les", "--model", "org/m"),
        *("-c", tmp_path / "size.yaml"),
    )
    assert done.returncode == 3, done.stderr
    (loop,) = re.findall(r"^  (for .*)$", done.stderr, re.MULTILINE)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "vllm").write_text('#!/bin/sh\n[ "$6 $7" = "--model org/m" ] && cp "$3" "$5"\n')
    (bin_folder / "vllm").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", loop], env=environment, check=True)
    assert len(list((tmp_path / "fi les").glob("*.results.jsonl"))) == 10


def test_a_file_that_was_being_written_when_the_run_was_killed_is_written_again(live: Live, tmp_path: Path) -> None:
    options = [live[0], "--out", tmp_path / "run", "--batch-dir", tmp_path / "files", "--model", "m"]
    first = command("run", *options)
    (record,) = (tmp_path / "run" / "batches").iterdir()
    record.rename(record.with_suffix(".intent"))  # killed after the file, before the record
    again = command("run", *options)
    assert (again.returncode, again.stderr) == (3, first.stderr)
    assert len(list((tmp_path / "files").iterdir())) == 1


def test_what_was_asked_by_files_is_not_asked_of_a_server_and_the_reverse(live: Live, tmp_path: Path) -> None:
    path, out = live[0], tmp_path / "run"
    polled = threading.Event()
    with LLMServer(
        batches=BatchBehaviour(delay_s=60, on=lambda step: polled.set() if step == "poll" else None)
    ) as server:
        options = ["run", path, "--model", "m", "--out"]
        by_files = [*options, out, "--batch-dir", tmp_path / "files"]
        assert command(*by_files).returncode == 3
        by_server = command(*options, out, "--backend", "batch", "--base-url", server.url)
        assert (by_server.returncode, len(server.batches.created)) == (2, 0)
        assert "run with --batch-dir" in by_server.stderr
        assert command(*by_files).returncode == 3
        process = started(*options, tmp_path / "other", "--backend", "batch", "--base-url", server.url)
        assert polled.wait(30)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        done = command(*options, tmp_path / "other", "--batch-dir", tmp_path / "files")
        assert done.returncode == 3
        assert "was submitted to a server" in done.stderr
        assert len(list((tmp_path / "files").iterdir())) == 1


# Options


def test_the_price_is_half_but_for_batch_files() -> None:
    def backend(**options: Any) -> Batch:
        from webscale_rl.config import Parts

        parts = Parts(_without_server("sample:", Path("unused"), {"use": "batch", "model": "m", **options}))
        built = parts.backend()
        assert isinstance(built, Batch)
        return built

    assert backend().price_factor == 0.5
    assert backend(batch_dir="d").price_factor == 1.0
    assert backend(batch_dir="d", price_factor=0.2).price_factor == 0.2


def test_a_batch_goes_to_one_server_and_needs_a_run_directory() -> None:
    with pytest.raises(ValueError, match="takes one base URL"):
        BatchOptions(use="batch", base_urls=["http://a/v1", "http://b/v1"])
    with pytest.raises(ConfigError, match="run directory"):
        Batch(BatchOptions(use="batch"))


def test_a_document_that_moved_to_another_shard_finds_its_batch(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number, document in enumerate(documents(6)):
        (folder / f"{number + 10}.txt").write_text(document["text"])
    with LLMServer(batches=BatchBehaviour(on=lambda step: "503" if step == "poll" else None)) as server:
        config = batched(folder, tmp_path / "run", server.url, shard_size=3, backend={"patience_s": 0.2})
        with pytest.raises(RunStopped):
            run(config)
        (folder / "00.txt").write_text(documents(7)[6]["text"])
        server.behave(batches=BatchBehaviour())
        assert run(config).summary["documents"]["seen"] == 7
        assert server.books.paid_twice == 0
