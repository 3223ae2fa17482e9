"""The reward server as trainers meet it: a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import psutil
import pytest

from benchmarks.llm_server import LLMServer
from tests.reward.hooks.trainers import IN_OTHER_WORDS
from webscale_rl.cli.reward_server import reward_server
from webscale_rl.errors import UserError
from webscale_rl.reward import protocols
from webscale_rl.reward.server import MOST_BYTES

RIGHT = {"response": "The answer is 42.", "ground_truth": "42", "question": "What is 6 times 7?"}
WRONG = RIGHT | {"response": "The answer is 41."}
COMMAND = [sys.executable, "-m", "webscale_rl.cli", "reward-server", "--port", "0", "--workers", "1"]


class Server(NamedTuple):
    """A running server."""

    url: str
    process: subprocess.Popen[str]

    def ask(self, path: str, body: Any, method: str = "POST") -> tuple[int, Any]:
        """Status and JSON of an answer."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Exit code and stderr after a signal."""
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=30)
        return self.process.returncode, told


@contextmanager
def running(*options: str) -> Iterator[Server]:
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), process.communicate(timeout=30)
            yield Server(url, process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_rows_are_answered_with_verdicts_in_their_order(server: Server) -> None:
    rows = [RIGHT, WRONG, RIGHT | {"ground_truth": ["43", 42]}, RIGHT | {"ground_truth": " "}] * 50
    status, told = server.ask("/score", {"rows": rows})
    assert status == 200
    assert [verdict["score"] for verdict in told["verdicts"]] == [1, 0, 1, None] * 50
    first = told["verdicts"][0]
    assert RIGHT["response"][slice(*first["span"])] == first["extracted"]
    assert server.ask("/score", {"rows": []}) == (200, {"verdicts": []})


def test_openrlhf_gets_lists_as_long_as_its_queries(server: Server) -> None:
    prompt = "What is 6 times 7?\n"
    queries = [f"{prompt}It is 42.</s>", f"{prompt}It is 41.</s>", "another prompt: 42"]
    status, told = server.ask("/get_reward", {"query": queries, "prompts": [prompt] * 3, "labels": ["42"] * 3})
    assert status == 200
    assert told == {
        "rewards": [1.0, 0.0, 0.0],
        "scores": [1.0, 0.0, 0.0],
        "extra_logs": {"undecided": [0.0, 0.0, 1.0]},
    }


def test_nemo_gym_gets_its_row_back_with_a_reward(server: Server) -> None:
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Answer: 42"}]}]
    body = {"responses_create_params": {"input": "6 times 7?"}, "response": {"output": output}, "answer": "42", "id": 7}
    assert server.ask("/seed_session", body) == (200, {})
    status, told = server.ask("/verify", body)
    assert (status, told["reward"], told["undecided"]) == (200, 1.0, 0.0)
    assert body.items() <= told.items()


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/score", b"not json", 400, "no JSON"),
        ("/verify", b'{"answer": ' + b"[" * 100_000, 400, "no JSON"),
        (
            "/verify",
            b'{"answer": ' + b"[" * 500 + b"]" * 500 + b', "response": {"output": []}}',
            400,
            "no ground truth: Expected",
        ),
        ("/score", {"rows": [RIGHT, {"response": 1, "ground_truth": "x"}]}, 400, "`$.rows[1].response`"),
        ("/score", {"rows": [{"response": "x"}]}, 400, "`ground_truth`"),
        ("/score", {"rows": [RIGHT, RIGHT | {"ground_truth": {"answer": 1}}]}, 400, "row 1: no ground truth"),
        ("/get_reward", {"query": ["a"], "prompts": [], "labels": []}, 400, "zip()"),
        ("/get_reward", {"query": ["a"], "prompts": ["a"], "labels": [None]}, 400, "--data.label_key"),
        ("/verify", {"response": {"output": []}}, 400, "no ground truth"),
        ("/verify", {"answer": "42"}, 400, "`$.response`"),
        ("/elsewhere", {}, 404, "Not Found"),
        ("/health", {}, 405, "Method Not Allowed"),
        ("/score", b"x" * (MOST_BYTES + 1), 413, "send fewer rows"),
    ],
)
def test_a_mistake_is_answered_with_one_line_of_json(
    server: Server, path: str, body: Any, status: int, said: str
) -> None:
    told = server.ask(path, body)
    assert told[0] == status
    assert told[1].keys() == {"error"}
    assert said in told[1]["error"]
    assert "Traceback" not in told[1]["error"]


def test_lone_surrogates_come_and_go() -> None:
    body = protocols.read(rb'{"rows": [{"response": "\ud800 Answer: 42", "ground_truth": "42"}]}', protocols.ScoreBody)
    assert body.rows[0].response == "\ud800 Answer: 42"
    assert protocols.read(protocols.written(["\ud800"]), list[str]) == ["\ud800"]


def test_health_is_answered_while_the_workers_are_busy(server: Server) -> None:
    before = server.ask("/health", None, "GET")[1]
    rows = [{"response": f"It is {n}. " * 2000, "ground_truth": str(n)} for n in range(60)]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.ask, "/score", {"rows": rows})
        time.sleep(0.1)
        began = time.monotonic()
        assert server.ask("/health", None, "GET")[1]["status"] == "ok"
        took = time.monotonic() - began
        assert slow.result()[0] == 200
    after = server.ask("/health", None, "GET")[1]
    assert after["scored"] - before["scored"] == 60
    assert took < 1.0


def test_a_worker_that_dies_costs_a_request_and_no_more(server: Server) -> None:
    def workers() -> list[psutil.Process]:
        every = psutil.Process(server.process.pid).children()
        return [child for child in every if "spawn_main" in " ".join(child.cmdline())]

    for worker in workers():
        worker.kill()
    told = server.ask("/score", {"rows": [RIGHT]})
    assert told[0] in (200, 503)
    assert server.ask("/score", {"rows": [RIGHT]})[1]["verdicts"][0]["score"] == 1
    assert len(workers()) == 1


def test_a_signal_ends_it_with_0_after_what_is_under_way() -> None:
    with running() as server:
        children = psutil.Process(server.process.pid).children()
        rows = [{"response": f"It is {n}. " * 2000, "ground_truth": str(n)} for n in range(40)]
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(server.ask("/score", {"rows": rows})[0]))
        asking.start()
        while not psutil.Process(server.process.pid).net_connections("tcp")[1:]:
            time.sleep(0.01)  # until it was asked
        stopped = server.stop(signal.SIGTERM)
        asking.join()
    assert (stopped, answers) == ((0, "stopped\n"), [200])
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_workers_do_not_outlive_a_server_that_was_killed() -> None:
    with running() as server:
        children = psutil.Process(server.process.pid).children()
        os.kill(server.process.pid, signal.SIGKILL)
        assert children
        assert psutil.wait_procs(children, timeout=10)[1] == []


def test_the_judge_is_asked_where_the_rules_cannot_tell() -> None:
    with LLMServer() as model, running("--judge-model", "judge", "--base-url", model.url) as server:
        assert server.ask("/health", None, "GET")[1]["judge"] is True
        undecided = dict(zip(("response", "ground_truth"), IN_OTHER_WORDS, strict=True))
        told = server.ask("/score", {"rows": [RIGHT, undecided]})[1]["verdicts"]
        assert server.stop(signal.SIGINT) == (0, "stopped\n")
    assert told[0]["how"].startswith("number/")
    assert told[1]["how"].startswith("judge/")
    assert told[1]["score"] in (0, 1)


def test_what_a_user_must_mend_is_one_line_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"webscale-rl: cannot serve at 127.0.0.1:{port}")
    assert done.stderr.count("\n") == 1
    with pytest.raises(UserError, match="--judge-model"):
        reward_server(base_url=["http://localhost:1"])
