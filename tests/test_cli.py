"""The command line as a user meets it: results on stdout, progress on stderr, one clear line for a mistake."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import webscale_rl
from benchmarks.llm_server import subprocess_server
from tests.runs import command, corpus, digest, started


def test_the_first_run_ends_with_funnel_three_pairs_and_the_path(tmp_path: Path) -> None:
    done = command("run", "sample:", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:8]] == [
        "stage", "heuristics", "filter", "classify", "generate", "precheck", "check", "dedup",
    ]  # fmt: skip
    assert sum(line.startswith("  question  ") for line in lines) == 3
    assert lines[-1] == f"dataset: {tmp_path / 'run' / 'dataset'}"


@pytest.mark.parametrize("arguments", [["version"], ["--version"], ["--version", "run"]])
def test_the_version_is_told(arguments: list[str]) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (0, f"{webscale_rl.__version__}\n")


def test_json_output_is_json_alone(tmp_path: Path) -> None:
    done = command("run", "sample:", "--out", tmp_path / "run", "--json")
    assert json.loads(done.stdout)["pairs"]["kept"] > 0
    found = command("status", tmp_path / "run", "--json")
    assert json.loads(found.stdout)["state"] == "done"
    assert len(json.loads(command("domains", "--json").stdout)) == 10


def test_status_reads_a_run_back(tmp_path: Path) -> None:
    done = command("run", "sample:", "--out", tmp_path / "run")
    status = command("status", tmp_path / "run")
    assert status.returncode == 0
    assert status.stdout.splitlines()[0].endswith(": done")
    assert set(done.stdout.splitlines()[:8]) <= set(status.stdout.splitlines())


def test_a_run_goes_on_with_its_directory_alone(tmp_path: Path) -> None:
    first = command("run", corpus(tmp_path, 30), "--out", tmp_path / "run", "--limit", "10")
    assert "documents: 10 seen" in first.stdout
    again = command("run", "--out", tmp_path / "run", "--limit", "20")
    assert again.returncode == 0, again.stderr
    assert "documents: 20 seen" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere.jsonl", "--out", "run"], "nowhere.jsonl: no such file or folder"),
        (["run", "sample:"], "out: missing"),
        (["run", "--out", "run"], "inputs: missing"),
        (["run", "thing.xyz", "--out", "run"], "thing.xyz: unknown ending"),
        (["run", "empty.jsonl", "--out", "run"], "empty.jsonl: empty"),
        (["run", "-c", "typo.yaml"], "typo.yaml: trafic: unknown key; did you mean 'traffic'?"),
        (["run", "-c", "types.yaml"], "types.yaml: traffic.concurrency: input should be a valid integer"),
        (["run", "-c", "stage.yaml"], "stages.generate.few_shots: unknown key; did you mean 'few_shot'?"),
        (["run", "-c", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "-c", "broken.yaml"], "broken.yaml: "),
        (["run", "sample:", "--out", "run", "--backend", "opnai"], "did you mean 'openai'?"),
        (["run", "sample:", "--out", "run", "--backend", "openai"], "stages.filter.model: no model"),
        (["run", "sample:", "--out", "run", "--domains", "nowhere"], "nowhere: no such folder"),
        (["run", "sample:", "--out", "other"], "other: is not empty and holds no run"),
        (["run", "sample:", "--out", "file"], "file: "),
        (["status", "other"], "other: holds no run"),
        (["export", "other", "--to", "jsonl"], "other: no dataset here"),
        (["domains", "--domains", "other"], "other: holds no domain"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "thing.xyz").write_text("text")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "typo.yaml").write_text("inputs: ['sample:']\nout: run\ntrafic: {}\n")
    (tmp_path / "types.yaml").write_text("inputs: ['sample:']\nout: run\ntraffic: {concurrency: many}\n")
    (tmp_path / "stage.yaml").write_text("inputs: ['sample:']\nout: run\nstages: {generate: {few_shots: 1}}\n")
    (tmp_path / "broken.yaml").write_text("inputs: [\n")
    (tmp_path / "file").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    previous = Path.cwd()
    os.chdir(tmp_path)
    try:
        done = command(*arguments)
    finally:
        os.chdir(previous)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_server_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    done = command("run", "sample:", "--out", tmp_path / "run", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert done.returncode == 2
    assert "is the server running?" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_model_that_does_not_exist_is_one_clear_line(tmp_path: Path) -> None:
    with subprocess_server("--models", "good") as url:
        done = command("run", "sample:", "--out", tmp_path / "run", "--base-url", url, "--model", "bad")
    assert done.returncode == 2
    assert "no model 'bad'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_directory_of_another_run_is_told_what_differs_and_what_that_pays_again(tmp_path: Path) -> None:
    config = tmp_path / "changed.yaml"
    config.write_text("stages: {check: {temperature: 0.5}, precheck: {max_answer_words: 5}}\n")
    with subprocess_server() as url:
        server = ["--base-url", url, "--model", "m"]
        path = corpus(tmp_path, 5)
        assert command("run", path, "--out", tmp_path / "run", *server).returncode == 0
        refused = command("run", path, "--out", tmp_path / "run", *server, "-c", config)
        assert refused.returncode == 2
        assert "stages.check.temperature: 0.0 -> 0.5 (pays again: check)" in refused.stderr
        assert "stages.precheck.max_answer_words: 30 -> 5 (pays nothing again" in refused.stderr
        accepted = command("run", path, "--out", tmp_path / "run", *server, "-c", config, "--accept-changes")
        assert accepted.returncode == 0, accepted.stderr


def test_two_processes_never_work_in_one_directory(tmp_path: Path) -> None:
    with subprocess_server("--latency", "0.2") as url:
        arguments = ["run", corpus(tmp_path, 20), "--out", tmp_path / "run", "--base-url", url, "--model", "m"]
        first = started(*arguments, "--concurrency", "4")
        _wait_for(url, "in_flight")
        second = command(*arguments)
        first.kill()
        first.communicate()
    assert second.returncode == 2
    assert "another process" in second.stderr


def test_ctrl_c_lets_calls_in_flight_come_home_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with subprocess_server("--latency", "0.5") as url:
        arguments = ["run", corpus(tmp_path, 30), "--out", tmp_path / "run", "--base-url", url, "--model", "m"]
        process = started(*arguments, "--concurrency", "8")
        _wait_for(url, "answered")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 3
        assert "SIGINT; run again to go on" in told
        assert "Traceback" not in told
        assert command("status", tmp_path / "run").stdout.splitlines()[0].endswith(": not finished")
        again = command(*arguments, "--concurrency", "64")
        assert again.returncode == 0, again.stderr
        stats = _stats(url)
    assert stats["paid_twice"] == 0  # what was in flight was waited for
    with subprocess_server() as url:
        command("run", tmp_path / "corpus.jsonl", "--out", tmp_path / "whole", "--base-url", url, "--model", "m")
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    with subprocess_server("--latency", "30") as url:
        arguments = ["run", corpus(tmp_path, 5), "--out", tmp_path / "run", "--base-url", url, "--model", "m"]
        process = started(*arguments)
        _wait_for(url, "in_flight")
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None  # it waits for what is in flight
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
        assert process.returncode == 3


def test_failures_end_with_exit_code_1(tmp_path: Path) -> None:
    with subprocess_server("--fault", "garbage=0.5", "--seed", "3") as url:
        config = tmp_path / "once.yaml"
        config.write_text("traffic: {attempts: 1}\n")
        path = corpus(tmp_path, 10)
        done = command("run", path, "--out", tmp_path / "run", "--base-url", url, "--model", "m", "-c", config)
    assert done.returncode == 1, done.stderr
    assert "run again to try them again" in done.stdout


def test_on_a_terminal_the_live_view_shows_the_funnel(tmp_path: Path) -> None:
    with subprocess_server("--latency", "0.3") as url:
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            arguments = ["run", corpus(tmp_path, 10), "--out", tmp_path / "run", "--base-url", url, "--model", "m"]
            import sys

            os.execv(sys.executable, [sys.executable, "-m", "webscale_rl.cli", *map(str, arguments)])
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    text = shown.decode("utf-8", "replace")
    for word in ("heuristics", "generate", "in flight", "calls/s", "tokens", "elapsed"):
        assert word in text, word


def test_check_config_prints_every_default_and_init_writes_a_configuration_that_runs(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    assert command("init", file).returncode == 0
    assert command("init", file).returncode == 2
    printed = command("check-config", file)
    assert printed.returncode == 0, printed.stderr
    assert "max_document_chars: 32000" in printed.stdout
    done = command("run", "-c", file, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr


def _stats(url: str) -> dict[str, int]:
    import urllib.request

    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as answer:
        found: dict[str, int] = json.load(answer)
    return found


def _wait_for(url: str, count: str) -> None:
    """Until the server's books count some."""
    for _ in range(600):
        if _stats(url)[count]:
            return
        time.sleep(0.05)
    raise AssertionError(f"the server never counted {count}")


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_numpy_starts_no_threads_and_what_keeps_them_away_is_not_left_to_other_processes() -> None:
    script = """
import os
from webscale_rl.cli.process import tune_process
tune_process()
import numpy
assert "OPENBLAS_NUM_THREADS" not in os.environ
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
assert [name for name in names if not name.startswith("jemalloc")] == names[:1], names
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, env=environment)
