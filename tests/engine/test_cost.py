"""The books of a run say what its calls cost: what was paid when it was paid, and nothing where no price is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer
from tests.runs import configured, corpus
from webscale_rl import ConfigError, RunStopped, estimate, run
from webscale_rl.report.status import read_status

PRICE = {"input": 2.0, "cached": 0.5, "output": 8.0}


def expected(summary: dict[str, Any], price: dict[str, float]) -> float:
    return (
        sum(
            (calls["prompt_tokens"] - calls["cached_tokens"]) * price["input"]
            + calls["cached_tokens"] * price["cached"]
            + calls["completion_tokens"] * price["output"]
            for calls in summary["calls"].values()
        )
        / 1e6
    )


def test_every_answer_is_priced_and_the_pairs_that_were_kept_bear_the_cost(tmp_path: Path) -> None:
    with LLMServer(faults={"refusal": 0.1}) as server:
        summary = run(configured(corpus(tmp_path, 12), tmp_path / "run", server.url, price=PRICE)).summary
        paid = sum(server.books.paid.values())
    assert sum(calls["answered"] for calls in summary["calls"].values()) == paid
    assert summary["usd"] == pytest.approx(expected(summary, PRICE))
    assert summary["usd"] == pytest.approx(sum(summary["usd_by_stage"].values()))
    assert summary["usd_by_stage"].keys() == summary["calls"].keys()
    assert summary["usd_per_pair"] == pytest.approx(summary["usd"] / summary["pairs"]["kept"])
    assert read_status(tmp_path / "run")["usd"] == summary["usd"]


def test_without_a_price_the_cost_is_unknown_until_one_is_configured(tmp_path: Path) -> None:
    source = corpus(tmp_path, 6)
    with LLMServer() as server:
        first = run(configured(source, tmp_path / "run", server.url)).summary
        assert (first["usd"], first["usd_per_pair"]) == (None, None)
        paid = len(server.books.entries)
        later = run(configured(source, tmp_path / "run", server.url, price=PRICE)).summary
        assert len(server.books.entries) == paid
    assert later["usd"] == pytest.approx(expected(later, PRICE))


def test_a_price_that_changes_does_not_change_what_was_paid(tmp_path: Path) -> None:
    source = corpus(tmp_path, 6)
    dearer = {name: 10 * usd for name, usd in PRICE.items()}
    with LLMServer() as server:
        first = run(configured(source, tmp_path / "run", server.url, price=PRICE, limit=3)).summary
        second = run(configured(source, tmp_path / "run", server.url, price=dearer)).summary
    rest = expected(second, dearer) - 10 * first["usd"]
    assert second["usd"] == pytest.approx(first["usd"] + rest)


def test_the_embedded_backend_costs_nothing(tmp_path: Path) -> None:
    summary = run(configured(corpus(tmp_path, 3), tmp_path / "run")).summary
    assert (summary["usd"], summary["usd_by_stage"]) == (0.0, {})


def test_a_money_cap_without_a_price_is_refused_before_anything_is_paid(tmp_path: Path) -> None:
    source = corpus(tmp_path, 6)
    with LLMServer() as server:
        for caps in ({"usd": 1.0}, {"stages": {"check": {"usd": 1.0}}}):
            with pytest.raises(ConfigError, match=r"usd: no price is known for m at this server"):
                run(configured(source, tmp_path / "run", server.url, caps=caps))
        assert not server.books.entries
        tokens_alone = {"tokens": 10_000_000}
        assert run(configured(source, tmp_path / "run", server.url, caps=tokens_alone)).summary["pairs"]["kept"]
    assert run(configured(source, tmp_path / "free", caps={"usd": 0.01})).summary["documents"]["seen"] == 6


def test_a_money_cap_counts_what_was_paid_before_and_by_the_pilot(tmp_path: Path) -> None:
    source = corpus(tmp_path, 60)
    with LLMServer(latency_s=0.002) as server:
        whole = run(configured(source, tmp_path / "whole", server.url, price=PRICE)).summary
    most = whole["usd"] / 2
    call = max(usd / whole["calls"][stage]["answered"] for stage, usd in whole["usd_by_stage"].items())
    with LLMServer(latency_s=0.002) as server:
        capped = configured(source, tmp_path / "run", server.url, price=PRICE, caps={"usd": most})
        spent = estimate(capped, sample=10)["pilot"]["usd"]
        assert 0 < spent < most
        for _ in range(2):
            with pytest.raises(RunStopped, match="the cap of") as stopped:
                run(capped)
            assert stopped.value.code == 3
        asked = len(server.books.entries)
        summary = run(configured(source, tmp_path / "run", server.url, price=PRICE)).summary
        assert server.books.paid_twice == 0
    share = asked / len(server.books.entries)
    assert 0.4 < share < 0.5 + (8 * 2 * 1.5 * call) / whole["usd"], "no more than what was in flight, twice"
    assert summary["usd"] == pytest.approx(whole["usd"])
