"""A real server with a real (if witless) model: llama-cpp-python's, asked by the openai backend over HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.engines import tiny_model
from tests.engines.samples import PROMPTED
from tests.records import brief, document, pair, stage
from tests.runs import command, corpus, documents
from webscale_rl.backend import Request
from webscale_rl.backends.openai import OpenAI, OpenAIOptions
from webscale_rl.replies import parse
from webscale_rl.types import Brief, Document

pytestmark = pytest.mark.timeout(300)
STARTS_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server of the tiny model."""
    for package in ("llama_cpp", "uvicorn", "fastapi"):
        pytest.importorskip(package, reason=f"needs the package {package}: make test-engines")
    folder = tmp_path_factory.mktemp("llama")
    model = tiny_model.write(folder / "tiny.gguf")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"model": model, "model_alias": "tiny", "host": "127.0.0.1", "port": port, "n_ctx": 8192, "seed": 1}
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", *arguments], stdout=output, stderr=output
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _wait(url, process, log)
            yield url
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/models", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def request(name: str, number: int) -> Request:
    """What the stage asks of one document, in the run's own words; sampled, for the likeliest reply is a dull one."""
    asks = stage(name)
    page = document(documents(number + 1)[number]["text"])
    of_page = brief(text=page.text)
    record = page if asks.takes is Document else of_page if asks.takes is Brief else pair(brief=of_page)
    assert asks.prompt is not None
    assert asks.reply_type is not None
    sampling = msgspec.structs.replace(asks.sampling, temperature=1.0, seed=number)
    return Request(name, asks.prompt, asks.ask(record), asks.reply_type, "tiny", sampling)


@pytest.mark.parametrize("name", PROMPTED)
async def test_what_a_model_without_a_mind_replies_can_be_read(server: str, name: str) -> None:
    asked = [request(name, number) for number in range(12)]
    async with OpenAI(OpenAIOptions(use="openai", base_urls=[server])) as backend:
        replies = await asyncio.gather(*[backend.reply(one) for one in asked])
        assert {reply.finish for reply in replies} == {"stop"}
        for one, reply in zip(asked, replies, strict=True):
            parse(reply, one.reply_type)
        assert backend.state["models"]["tiny"]["structured"] == "json_object_schema", "it knows no json_schema"
    assert len({reply.text for reply in replies}) > 1, "the model is not asked, or is of stone"


def test_a_run_against_it_finds_every_reply_of_use(server: str, tmp_path: Path) -> None:
    pages, out = corpus(tmp_path, 8), tmp_path / "run"
    done = command("run", pages, "--out", out, "--base-url", server, "--model", "tiny", timeout=200)
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["documents"]["seen"] == 8
    assert summary["failures"] == {}
    assert {"filter", "classify"} <= summary["calls"].keys()
    assert [calls["unusable"] for calls in summary["calls"].values() if calls["unusable"]] == []
    learned = json.loads((out / "backend.json").read_text(encoding="utf-8"))
    assert learned["models"]["tiny"]["structured"] == "json_object_schema"
