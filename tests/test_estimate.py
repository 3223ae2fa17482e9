"""An estimate tells what a run will take, and what its pilot paid for is never paid again."""

from __future__ import annotations

import json
import random
import signal
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.runs import command, configured, corpus, digest, documents, started
from webscale_rl import ConfigError, Document, RunStopped, estimate, run
from webscale_rl.corpus import Unreadable
from webscale_rl.engine.pilot import Sample, draw
from webscale_rl.report.estimate import estimate_lines
from webscale_rl.report.status import read_status

PRICE = {"input": 2.0, "cached": 0.5, "output": 8.0}


def varied(count: int, seed: int = 0) -> list[Document]:
    """Documents of many lengths, some of which the rules drop."""
    chance = random.Random(seed)
    found = []
    for number, page in enumerate(documents(count)):
        text = "\n\n".join(page["text"].replace("Orle", f"Orle{part}") for part in range(chance.choice((1, 2, 3, 8))))
        found.append(Document(page["id"], text if chance.random() < 0.8 else f"Too short, number {number}."))
    return found


def within(told: dict[str, Any], truth: float) -> bool:
    return bool(told["low"] <= truth * (1 + 1e-9) and truth <= told["high"] * (1 + 1e-9))


def summed(summary: dict[str, Any], name: str) -> float:
    return sum(calls[name] for calls in summary["calls"].values())


def test_the_run_after_an_estimate_pays_for_the_rest_alone_and_lands_in_the_intervals(tmp_path: Path) -> None:
    pages = varied(160)
    with LLMServer(latency_s=0.002) as server:
        config = configured("sample:", tmp_path / "run", server.url, price=PRICE)
        told = estimate(config, pages, sample=40)
        piloted = len(server.books.entries)
        summary = run(config, pages).summary
        assert server.books.paid_twice == 0
        paid = len(server.books.entries)
    with LLMServer() as server:
        whole = run(configured("sample:", tmp_path / "plain", server.url, price=PRICE), pages).summary
    assert digest(tmp_path / "run") == digest(tmp_path / "plain")
    assert told["pilot"]["calls"] == piloted
    assert paid == summed(summary, "answered") == summed(whole, "answered")
    assert summary["usd"] == pytest.approx(whole["usd"])
    assert 0 < told["sampled"] < told["input"]["documents"] == 160
    truths = {
        "calls": summed(summary, "answered"),
        "prompt_tokens": summed(summary, "prompt_tokens"),
        "completion_tokens": summed(summary, "completion_tokens"),
        "usd": summary["usd"],
        "documents_kept": summary["documents"]["kept"],
    }
    for name, truth in truths.items():
        assert within(told[name], truth), (name, truth, told[name])
        assert told[name]["high"] - told[name]["low"] < truth, "an interval that says nothing is no estimate"
    for stage, row in zip(told["stages"], summary["funnel"], strict=False):  # after them the sieves
        assert stage["stage"] == row["stage"]
        assert within(stage["kept"], row["kept"]), (stage, row)


def test_a_pilot_of_the_whole_input_tells_exactly_what_the_run_then_says(tmp_path: Path) -> None:
    pages = varied(12)
    with LLMServer() as server:
        config = configured("sample:", tmp_path / "run", server.url, price=PRICE, sieves=[])
        told = estimate(config, pages, sample=50)
        asked = len(server.books.entries)
        summary = run(config, pages).summary
        assert len(server.books.entries) == asked
    exact = {"calls": summed(summary, "answered"), "prompt_tokens": summed(summary, "prompt_tokens")}
    exact |= {"documents_kept": summary["documents"]["kept"], "pairs_kept": summary["pairs"]["kept"]}
    for name, truth in exact.items():
        assert told[name] == {"value": truth, "low": truth, "high": truth}
    assert told["usd"]["value"] == told["usd"]["high"] == pytest.approx(summary["usd"])
    assert told["usd_per_pair"]["value"] == pytest.approx(summary["usd_per_pair"])


def test_estimating_again_or_with_more_documents_pays_only_for_what_is_new(tmp_path: Path) -> None:
    pages = varied(80)
    with LLMServer(latency_s=0.002) as server:
        config = configured("sample:", tmp_path / "run", server.url, price=PRICE)
        first = estimate(config, pages, sample=20)
        asked = len(server.books.entries)
        assert estimate(config, pages, sample=20) == first
        assert len(server.books.entries) == asked
        more = estimate(config, pages, sample=30)
        assert len(server.books.entries) > asked
        assert server.books.paid_twice == 0
        assert more["pilot"]["calls"] == len(server.books.entries)


def test_an_estimate_after_the_run_pays_nothing(tmp_path: Path) -> None:
    pages = varied(30)
    with LLMServer() as server:
        config = configured("sample:", tmp_path / "run", server.url, price=PRICE)
        summary = run(config, pages).summary
        asked = len(server.books.entries)
        told = estimate(config, pages, sample=100)
        assert len(server.books.entries) == asked
    assert told["pilot"]["calls"] == 0
    assert told["calls"]["value"] == summed(summary, "answered")
    assert read_status(tmp_path / "run")["usd"] == summary["usd"]


def test_after_kill_9_a_pilot_goes_on_and_so_does_a_run(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    common = [path, "--model", "m", "--concurrency", "8", "--out", tmp_path / "run"]
    with subprocess_server("--latency", "0.06") as url:  # 2.4 s of calls at eight at once
        for delay in (1.0, 1.3):
            process = started("estimate", *common, "--documents", "40", "--base-url", url)
            time.sleep(delay)
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = command("run", *common, "--base-url", url, "--json")
        assert done.returncode == 0, done.stderr
        with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as answer:
            stats = json.load(answer)
    summary = json.loads(done.stdout)
    assert stats["paid_twice"] <= 2 * 8
    assert stats["answered"] - 2 * 8 <= summed(summary, "answered") <= stats["answered"]


def test_the_sample_is_uniform_and_the_same_for_the_same_seed() -> None:
    items = [Document(str(number), "x" * (number + 1)) for number in range(20)]

    def sample(seed: int, count: int = 5) -> Sample:
        return draw(items, count, seed=seed, longest=10, limit=None, check=lambda: None)

    counts = Counter(document.id for seed in range(4000) for document in sample(seed).documents)
    expected, deviation = 4000 * 5 / 20, (4000 * 0.25 * 0.75) ** 0.5
    assert all(abs(count - expected) < 4.5 * deviation for count in counts.values()), counts
    pairs = Counter(frozenset(d.id for d in sample(seed, 2).documents) for seed in range(4000))
    assert len(pairs) == 190, "every pair can be drawn: documents are drawn independently of each other"
    assert sample(1).documents == sample(1).documents
    ordinals = [int(document.id) for document in sample(3).documents]
    assert ordinals == sorted(ordinals)


def test_a_larger_sample_holds_the_smaller_one() -> None:
    items = [Document(str(number), "text") for number in range(50)]
    small, large = (
        {d.id for d in draw(items, count, seed=3, longest=10, limit=None, check=lambda: None).documents}
        for count in (5, 20)
    )
    assert small < large


def test_the_pass_over_the_input_counts_all_of_it_up_to_the_limit() -> None:
    items: list[Document | Unreadable] = [Document(str(number), "x" * number) for number in range(1, 31)]
    items.insert(3, Unreadable("file:line 4", "corrupt_line"))
    found = draw(items, 4, seed=0, longest=10, limit=21, check=lambda: None)
    assert (found.population, found.unreadable, len(found.documents)) == (20, 1, 4)
    assert found.size_total == sum(min(number, 10) for number in range(1, 21))
    assert found.sizes() == [min(len(document.text), 10) for document in found.documents]


def test_without_a_price_there_is_no_money_but_everything_else(tmp_path: Path) -> None:
    with LLMServer() as server:
        told = estimate(configured(corpus(tmp_path, 20), tmp_path / "run", server.url), sample=10)
    assert told["usd"] is None
    assert told["calls"]["value"] > 0
    assert "add `price:`" in "\n".join(estimate_lines(told))


def test_time_is_latency_over_calls_in_flight_and_says_if_the_pilot_had_fewer(tmp_path: Path) -> None:
    traffic = {"concurrency": 1000}
    with LLMServer(latency_s=0.02) as server:
        config = configured(corpus(tmp_path, 40), tmp_path / "run", server.url, traffic=traffic)
        told = estimate(config, sample=20)
        served = server.books.stats(1)["busy_s"]
    seconds = told["hours"]["value"] * 3600 * 1000
    assert seconds / 2 >= served * 0.9  # half of the documents were asked about; latency is no less than service
    assert told["in_flight"] < 1000
    ratio = told["hours_at_pilot_pace"]["value"] / told["hours"]["value"]
    assert ratio == pytest.approx(1000 / told["in_flight"])


def test_a_pilot_whose_server_dies_can_be_resumed(tmp_path: Path) -> None:
    pages = varied(30)
    with LLMServer(faults=lambda stage, body, attempt: "500" if stage == "generate" else None) as server:
        config = configured("sample:", tmp_path / "run", server.url, traffic={"retries": 0})
        with pytest.raises(RunStopped) as stopped:
            estimate(config, pages, sample=30)
        assert stopped.value.code == 3
        answered = set(server.books.paid)
    with LLMServer() as server:
        config = configured("sample:", tmp_path / "run", server.url)
        told = estimate(config, pages, sample=30)
        assert answered
        assert not answered & set(server.books.paid)
    assert told["failures"] == {}


def test_the_command_prints_tables_and_json_and_says_what_comes_next(tmp_path: Path) -> None:
    path = corpus(tmp_path, 30)
    (tmp_path / "run.yaml").write_text("price: {input: 2, output: 8}\n", encoding="utf-8")
    with LLMServer() as server:
        arguments = [path, "--out", tmp_path / "run", "--model", "m", "--base-url", server.url]
        arguments += ["-c", tmp_path / "run.yaml", "--documents", "10"]
        done = command("estimate", *arguments)
        told = json.loads(command("estimate", *arguments, "--json").stdout)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("pilot: 10 of 30 documents; its ")
    assert [line.split("  ")[0] for line in lines if line.startswith(("calls", "money", "time"))] == [
        "calls", "money", "time",
    ]  # fmt: skip
    assert lines[-1].endswith(f"--out {tmp_path / 'run'}")
    assert told["input"]["documents"] == 30
    assert told["calls"]["low"] <= told["calls"]["value"] <= told["calls"]["high"]


def test_the_embedded_backend_needs_no_directory_and_takes_no_money(tmp_path: Path) -> None:
    done = command("estimate", "sample:", "--documents", "20", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (told["calls"], told["usd"], told["hours"]) == (nothing, nothing, None)
    assert told["pairs_kept"]["value"] > 0


def test_what_must_be_mended_is_said_before_anything_is_paid(tmp_path: Path) -> None:
    with LLMServer() as server:
        paid = ["--model", "m", "--base-url", server.url]
        done = command("estimate", "sample:", *paid)
        assert done.returncode == 2
        assert "out: missing" in done.stderr
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "pilot").mkdir()
        (tmp_path / "other" / "pilot" / "mine.txt").write_text("keep", encoding="utf-8")
        done = command("estimate", "sample:", "--out", tmp_path / "other", *paid)
        assert done.returncode == 2
        assert "holds no run" in done.stderr
        with pytest.raises(ConfigError, match="at least one"):
            estimate(configured("sample:", tmp_path / "run"), sample=0)
        assert not [entry for entry in server.books.entries if entry.stage]
    assert (tmp_path / "other" / "pilot" / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_a_record_that_failed_in_the_pilot_is_told_and_tried_again(tmp_path: Path) -> None:
    path = corpus(tmp_path, 12)
    with LLMServer(faults=lambda stage, body, attempt: "400" if stage == "check" and attempt == 1 else None) as server:
        arguments = ["estimate", path, "--out", tmp_path / "run", "--model", "m", "--base-url", server.url]
        first = command(*arguments)
        assert first.returncode == 1, first.stderr
        assert "failures in the pilot: check: bad_request" in first.stdout
        assert command(*arguments).returncode == 0
        assert server.books.paid_twice == 0
