"""Servers that a run starts itself: real processes, the real command, the simulated server."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer
from tests.runs import command, configured, corpus, digest, started
from webscale_rl import ConfigError, RunStopped, run, run_async
from webscale_rl.config import read_yaml
from webscale_rl.engine import warden
from webscale_rl.engine.serve import Probe, probe_of, tail

ROOT = Path(__file__).parents[2]
SERVER = [sys.executable, "-m", "benchmarks.llm_server"]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def server(*arguments: str | Path) -> str:
    """A command for --serve: the simulated server."""
    return shlex.join([*SERVER, "--port", "{port}", *map(str, arguments)])


def noted(pids: Path, *arguments: str | Path) -> str:
    """The same, which notes its process id in PIDS/PORT."""
    return shlex.join(["sh", "-c", f'echo $$ > "{pids}/{{port}}" && exec {server(*arguments)}'])


def script(folder: Path, text: str) -> str:
    """A command for --serve: a program of a few lines."""
    (folder / "server.py").write_text(text)
    return shlex.join([sys.executable, str(folder / "server.py"), "{port}"])


def until(true: Callable[[], Any], what: str) -> Any:
    """The first value that counts as true."""
    for _ in range(1200):
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def pids(folder: Path) -> list[int]:
    """The process ids that were noted, whole lines only."""
    return [int(path.read_text()) for path in folder.iterdir() if path.read_text().endswith("\n")]


def answered(log: Path) -> list[dict[str, Any]]:
    """The requests that a server answered 200, from its own log."""
    if not log.exists():
        return []
    entries = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [entry for entry in entries if entry["status"] == 200]


def paid_twice(entries: list[dict[str, Any]]) -> int:
    return sum(count - 1 for count in Counter(entry["body"] for entry in entries).values())


def test_a_run_starts_its_server_takes_the_model_that_it_serves_and_stops_it(tmp_path: Path) -> None:
    path = corpus(tmp_path, 8)
    (tmp_path / "pids").mkdir()
    serve = noted(tmp_path / "pids", "--models", "tiny,other")
    done = command("run", path, "--out", tmp_path / "run", "--serve", serve)
    assert done.returncode == 0, done.stderr
    (pid,) = pids(tmp_path / "pids")
    assert not alive(pid)
    assert (tmp_path / "run" / "serve" / "replica-1.log").read_text().startswith("http://127.0.0.1:")
    assert "http://127.0.0.1:" not in done.stdout + done.stderr
    assert [line.split(" after")[0] for line in done.stderr.splitlines()] == [
        f"webscale-rl: the server: starting, logs in {tmp_path / 'run' / 'serve'}",
        "webscale-rl: the server: ready",
    ]
    with LLMServer(models=("tiny",)) as known:
        asked = configured(path, tmp_path / "asked", known.url, backend={"model": "tiny"})
        run(asked)
    assert digest(tmp_path / "run") == digest(tmp_path / "asked")


def test_a_run_goes_on_with_its_directory_alone_or_with_another_command(tmp_path: Path) -> None:
    path = corpus(tmp_path, 12)
    log = tmp_path / "requests.jsonl"
    first = command("run", path, "--out", tmp_path / "run", "--limit", "4", "--serve", server("--log", log))
    assert first.returncode == 0, first.stderr
    record = read_yaml(tmp_path / "run" / "run.yaml")["config"]
    assert record["backend"]["model"] == "model"
    assert "base_urls" not in record["backend"], "a port lasts no longer than its server"
    alone = command("run", "--out", tmp_path / "run", "--limit", "8")
    assert alone.returncode == 0, alone.stderr
    other = command(
        "run", path, "--out", tmp_path / "run", "--serve", server("--seed", "5", "--log", log), "--replicas", "2"
    )
    assert other.returncode == 0, other.stderr
    assert paid_twice(answered(log)) == 0
    with LLMServer() as known:
        last = command("run", "--out", tmp_path / "run", "--base-url", known.url)
        assert last.returncode == 0, last.stderr
        assert not known.books.entries, "all was paid for, and nothing was started"
    assert "starting" not in last.stderr


def test_replicas_share_the_documents(tmp_path: Path) -> None:
    serve = server("--log", tmp_path / "{port}.jsonl")
    done = command("run", corpus(tmp_path, 20), "--out", tmp_path / "run", "--serve", serve, "--replicas", "2")
    assert done.returncode == 0, done.stderr
    logs = [path for path in tmp_path.glob("*.jsonl") if path.stem.isdigit()]
    assert len(logs) == 2
    first, second = ({entry["document"] for entry in answered(log)} for log in logs)
    assert first
    assert second
    assert not first & second, "all calls of a document go to one replica"
    assert sorted(path.name for path in (tmp_path / "run" / "serve").iterdir()) == ["replica-1.log", "replica-2.log"]


def test_replicas_are_dealt_their_gpus(tmp_path: Path) -> None:
    config = tmp_path / "gpus.yaml"
    told = f"echo devices $CUDA_VISIBLE_DEVICES; exec {server()}"
    serve = {"command": shlex.join(["sh", "-c", told]), "replicas": 2, "gpus_per_replica": 2}
    config.write_text(json.dumps({"inputs": [str(corpus(tmp_path, 2))], "serve": serve}))
    done = command("run", "-c", config, "--out", tmp_path / "run", CUDA_VISIBLE_DEVICES="4,5,6,7")
    assert done.returncode == 0, done.stderr
    logs = [(tmp_path / "run" / "serve" / f"replica-{number}.log").read_text() for number in (1, 2)]
    assert [log.splitlines()[0] for log in logs] == ["devices 4,5", "devices 6,7"]


DIES = """
import os, sys
print("loading", "x" * 5000)
for number in range(40):
    print(f"line {number}")
print("\\rshard 1/2\\rshard 2/2")
print("\\x1b[31mout of\\x1b[0m memory \\x1b]0;owned\\x07 with", os.environ["OPENAI_API_KEY"], file=sys.stderr)
sys.exit(3)
"""


def test_a_server_that_dies_before_it_is_ready_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    arguments = ["run", corpus(tmp_path, 2), "--out", tmp_path / "run"]
    done = command(*arguments, "--serve", script(tmp_path, DIES), OPENAI_API_KEY="very-secret-value")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[1].startswith("webscale-rl: serve: replica 1 ended with exit code 3 before it was ready; the end of ")
    assert lines[1].endswith("replica-1.log:")
    assert lines[-1] == "  out of memory with ***"
    assert "  shard 2/2" in lines
    assert len(lines) == 22
    assert "very-secret" not in done.stderr
    assert "\x1b" not in done.stderr
    again = command(*arguments, "--serve", server())
    assert again.returncode == 0, again.stderr


def test_a_server_that_dies_in_the_middle_stops_the_run_which_another_one_ends(tmp_path: Path) -> None:
    path, log = corpus(tmp_path, 30), tmp_path / "requests.jsonl"
    (tmp_path / "pids").mkdir()
    arguments = ["run", path, "--out", tmp_path / "run", "--concurrency", "4"]
    process = started(*arguments, "--serve", noted(tmp_path / "pids", "--latency", "0.2", "--log", log))
    until(lambda: answered(log), "an answer")
    os.kill(pids(tmp_path / "pids")[0], signal.SIGKILL)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "serve: replica 1 was ended by SIGKILL; run again to go on; the end of" in told
    assert "Traceback" not in told
    again = command(*arguments, "--serve", server("--log", log))
    assert again.returncode == 0, again.stderr
    assert paid_twice(answered(log)) <= 4, "no more than what was in flight"
    whole = command("run", path, "--out", tmp_path / "whole", "--serve", server())
    assert whole.returncode == 0, whole.stderr
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_replica_that_dies_leaves_its_work_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    config = tmp_path / "quick.yaml"
    config.write_text("traffic: {concurrency: 4, backoff_s: 0.05}\n")
    serve = noted(tmp_path / "pids", "--latency", "0.1", "--log", tmp_path / "{port}.jsonl")
    arguments = ["run", corpus(tmp_path, 15), "-c", config, "--out", tmp_path / "run"]
    process = started(*arguments, "--serve", serve, "--replicas", "2")
    until(lambda: answered(next(tmp_path.glob("[0-9]*.jsonl"), tmp_path / "none")), "an answer")
    first, second = pids(tmp_path / "pids")
    os.kill(first, signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert " was ended by SIGKILL; 1 of 2 left" in told
    assert not alive(second)


def test_kill_9_of_the_run_leaves_no_server(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    log = tmp_path / "requests.jsonl"
    child = f"sleep 600 & echo $! > {tmp_path / 'pids' / 'child'}; "
    serve = shlex.join(["sh", "-c", child + noted(tmp_path / "pids", "--latency", "0.2", "--log", log)])
    process = started("run", corpus(tmp_path, 30), "--out", tmp_path / "run", "--serve", serve)
    until(lambda: answered(log), "an answer")
    found = pids(tmp_path / "pids")
    assert len(found) == 2
    assert all(map(alive, found))
    process.kill()
    process.communicate()
    until(lambda: not any(map(alive, found)), "the end of the server and of what it started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_server_loads_stops_both(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "pids").mkdir()
    serve = shlex.join(["sh", "-c", f"echo $$ > {tmp_path / 'pids' / '{port}'}; exec sleep 600"])
    process = started("run", corpus(tmp_path, 2), "--out", tmp_path / "run", "--serve", serve)
    (pid,) = until(lambda: pids(tmp_path / "pids"), "the server's start")
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert f"stopped by {number.name}; run again to go on" in told
    assert "Traceback" not in told
    assert not alive(pid)


def test_ctrl_c_in_the_middle_lets_calls_come_home_before_the_server_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    log = tmp_path / "requests.jsonl"
    serve = noted(tmp_path / "pids", "--latency", "0.3", "--log", log)
    arguments = ["run", corpus(tmp_path, 8), "--out", tmp_path / "run", "--concurrency", "4", "--serve", serve]
    process = started(*arguments)
    until(lambda: answered(log), "an answer")
    (pid,) = pids(tmp_path / "pids")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 3, told
    assert not alive(pid)
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    assert paid_twice(answered(log)) == 0


def test_a_port_that_is_given_is_used_unless_it_is_taken(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        arguments = ["run", corpus(tmp_path, 2), "--out", tmp_path / "run"]
        arguments += ["--serve", shlex.join([*SERVER, "--port", str(port)])]
        taken = command(*arguments)
    assert taken.returncode == 2
    assert f"port {port} is taken by another process" in taken.stderr
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "serve" / "replica-1.log").read_text() == f"http://127.0.0.1:{port}/v1\n"


def test_a_server_that_never_answers_is_told_with_what_was_waited_for(tmp_path: Path) -> None:
    config = tmp_path / "short.yaml"
    config.write_text("serve: {ready_timeout_s: 0.5}\n")
    serve = script(tmp_path, "import time\nprint('still loading', flush=True)\ntime.sleep(600)\n")
    done = command("run", corpus(tmp_path, 2), "-c", config, "--out", tmp_path / "run", "--serve", serve)
    assert done.returncode == 2
    assert "/v1/models was not answered 200 within 0.5 s (cannot reach http://127.0.0.1:" in done.stderr
    assert "raise serve.ready_timeout_s" in done.stderr
    assert done.stderr.splitlines()[-1] == "  still loading"


WANTS_A_KEY = """
import http.server, sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(401)


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_with_a_key_is_asked_with_it(tmp_path: Path) -> None:
    arguments = ["run", corpus(tmp_path, 2), "--out", tmp_path / "run", "--serve"]
    arguments += [shlex.join(["sh", "-c", f'exec {server()} --api-key "$OPENAI_API_KEY"'])]
    done = command(*arguments, OPENAI_API_KEY="very-secret-value")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "run").rglob("*"):
        assert not path.is_file() or b"very-secret" not in path.read_bytes(), path
    refused = command(*arguments[:-1], script(tmp_path, WANTS_A_KEY))
    assert refused.returncode == 2
    assert "the server wants a key, and refuses what $OPENAI_API_KEY holds" in refused.stderr


def test_a_proxy_is_not_asked_for_what_runs_here(tmp_path: Path) -> None:
    done = command(
        *("run", corpus(tmp_path, 2), "--out", tmp_path / "run", "--serve", server()),
        http_proxy="http://127.0.0.1:9",
        no_proxy="",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--serve", "no-such-server --port {port}"], "serve.command: there is no program 'no-such-server'"),
        (["--serve", "no-such-server"], "serve.command: gives no port"),
        (["--serve", "vllm serve m", "--base-url", "http://a/v1"], "backend.base_urls names servers already"),
        (["--serve", "vllm serve m", "--backend", "extractive"], "the extractive backend asks no server"),
        (["--replicas", "2"], "serve.command: missing"),
    ],
)
def test_what_cannot_be_served_is_one_clear_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = command("run", "sample:", "--out", tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_otherwise_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    serve = ["--serve", noted(tmp_path / "pids")]
    path = corpus(tmp_path, 2)
    made = command("run", path, "--out", tmp_path / "run", "--serve", server())
    assert made.returncode == 0, made.stderr
    assert "no such file" in command("run", "nowhere.jsonl", "--out", tmp_path / "new", *serve).stderr
    assert "holds no run" in command("run", path, "--out", tmp_path / "mine", *serve).stderr
    changed = command("run", path, "--out", tmp_path / "run", "--seed", "4", *serve)
    assert changed.returncode == 2
    assert "seed: 0 -> 4" in changed.stderr
    assert "backend.model" not in changed.stderr, "nothing says that another model is served"
    assert pids(tmp_path / "pids") == []
    assert command("status", tmp_path / "run").stdout.splitlines()[0].endswith(": done")


def test_another_model_is_another_configuration(tmp_path: Path) -> None:
    path = corpus(tmp_path, 2)
    assert command("run", path, "--out", tmp_path / "run", "--serve", server("--models", "a")).returncode == 0
    other = command("run", path, "--out", tmp_path / "run", "--serve", server("--models", "b"))
    assert other.returncode == 2
    assert "backend.model: 'a' -> 'b' (pays again: " in other.stderr


def test_it_serves_in_python_where_a_loop_runs_already(tmp_path: Path) -> None:
    path = corpus(tmp_path, 2)
    config = configured(path, tmp_path / "run", serve={"command": server()})

    async def cell() -> int:
        return run(config).summary["pairs"]["kept"]  # as in a notebook: in a thread of its own

    assert asyncio.run(cell()) > 0


async def test_it_serves_in_async_code(tmp_path: Path) -> None:
    config = configured(corpus(tmp_path, 2), tmp_path / "run", serve={"command": server()})
    assert (await run_async(config)).summary["pairs"]["kept"] > 0
    with pytest.raises(RunStopped, match="exit code 7 before it was ready"):
        await run_async(configured("sample:", tmp_path / "dies", serve={"command": "sh -c 'exit 7; {port}'"}))
    with pytest.raises(ConfigError, match="a backend of its own"):
        await run_async(config, backend=object())  # type: ignore[arg-type]


def test_a_bug_in_the_run_stops_the_server(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "broken.py").write_text(
        "from webscale_rl.stages.precheck import Precheck\n\n\n"
        "class Broken(Precheck):\n    name = 'broken'\n\n"
        "    def decide(self, record, reply):\n        raise KeyError(1)\n"
    )
    config = tmp_path / "run.yaml"
    config.write_text("pipeline: [filter, classify, generate, 'broken:Broken', check]\n")
    arguments = ["run", corpus(tmp_path, 3), "-c", config, "--out", tmp_path / "run"]
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = command(*arguments, "--serve", noted(tmp_path / "pids"), PYTHONPATH=path)
    assert "KeyError: 1" in done.stderr
    (pid,) = pids(tmp_path / "pids")
    assert not alive(pid)


# The warden alone


def guarded(*arguments: str, grace_s: float = 0.2) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(warden.__file__)), str(grace_s), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    time.sleep(600)
print(os.getpid(), flush=True)
time.sleep(600)
"""


def test_a_server_that_will_not_end_is_killed_with_its_children() -> None:
    with guarded(sys.executable, "-c", STUBBORN) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) == 128 + signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_what_a_dead_server_leaves_behind_is_ended() -> None:
    with guarded("sh", "-c", "sleep 600 & echo $$; exit 5") as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        assert process.wait(10) == 5
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_warden_that_is_told_to_end_ends_its_server(number: signal.Signals) -> None:
    with guarded("sh", "-c", "echo $$; exec sleep 600") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(number)
        process.wait(10)
        assert not alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_warden_that_is_killed_takes_its_server_along() -> None:
    with guarded("sh", "-c", "echo $$; exec sleep 600") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
        process.wait(10)
        until(lambda: not alive(pid), "the end of the server")


def test_a_program_that_cannot_be_started_is_one_line_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    with guarded(str(tmp_path / "text")) as process:
        assert process.wait(10) == warden.NOT_STARTED
        assert process.stdout is not None
        assert process.stdout.read().decode() == f"{tmp_path / 'text'}: cannot be started: Exec format error\n"


# Pure parts


@pytest.mark.parametrize(
    ("status", "body", "probe"),
    [
        (200, b'{"object": "list", "data": [{"id": "a", "x": 1}, {"id": "b"}]}', Probe(True, "a")),
        (503, b"{}", Probe(False, "it answers 503")),
        (200, b"<html>", Probe(False, "it answers 200 with no list of models")),
        (200, b'{"data": [{"id": 3}]}', Probe(False, "it answers 200 with no list of models")),
        (200, b'{"data": []}', Probe(False, "it lists no model")),
        (200, b'{"data": [{"id": " "}]}', Probe(False, "it lists no model")),
    ],
)
def test_what_a_server_says_of_its_models(status: int, body: bytes, probe: Probe) -> None:
    assert probe_of(status, body) == probe


def test_the_end_of_a_log_is_safe_to_print() -> None:
    log = "first\n\n  \x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b\\\r\n10%\r50%\r100%\r\n\u202ertl\x00 key=abc\n"
    assert tail(log.encode() + b"\xff", ["abc"]) == ["first", "red link", "100%", "rtl key=***", "\ufffd"]
    assert tail(b"\n".join(b"%d" % number for number in range(50)), [])[0] == "30"
