"""With a quota, a run stops paying for what is full, and its dataset does not tell in what order answers came."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer
from tests.runs import configured, documents
from webscale_rl import RunStopped, run
from webscale_rl.engine.gate import Filling, Gate
from webscale_rl.report.text import books_lines
from webscale_rl.target import Target
from webscale_rl.types import Brief, Document

SUBJECTS = ("Math", "Math", "Math", "Coding", "Education")


def corpus(folder: Path, count: int) -> Path:
    """Documents of which three in five are of Math."""
    path = folder / "corpus.jsonl"
    rows = [{**row, "text": f"{row['text']}\n\nSubject: {SUBJECTS[at % 5]}"} for at, row in enumerate(documents(count))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sieving(**options: Any) -> dict[str, Any]:
    return {"sieves": ["dedup", "balance"], "sieving": {"balance": options}}


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted((folder / "dataset").iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def holds(summary: dict[str, Any]) -> bool:
    units = [summary[unit] for unit in ("documents", "pairs")] + summary["funnel"]
    return all(
        count["kept"] + sum(count["dropped"].values()) + sum(count["failed"].values()) == count["seen"]
        for count in units
    )


QUOTAS = {"quotas": {"domain": {"Math": 12, "Coding": 9}}}


def test_a_full_domain_is_not_paid_for_and_the_dataset_is_the_same_bytes_whatever_the_concurrency(
    tmp_path: Path,
) -> None:
    path, calls, digests = corpus(tmp_path, 60), {}, set()
    for name, concurrency, tail in (("one", 1, 1.0), ("many", 32, 8.0)):
        with LLMServer(latency_s=0.001, tail=(0.3, tail)) as server:
            options = {"traffic": {"concurrency": concurrency}, **sieving(**QUOTAS)}
            result = run(configured(path, tmp_path / name, server.url, **options))
            calls[name] = sum(server.books.paid.values())
        digests.add(digest(tmp_path / name))
        assert holds(result.summary)
        assert result.summary["domain"]["Math"] == 12
        assert result.summary["domain"]["Coding"] == 9
    with LLMServer() as server:
        whole = run(configured(path, tmp_path / "whole", server.url, **sieving(**QUOTAS, targeted=False)))
        calls["whole"] = sum(server.books.paid.values())
    assert len(digests) == 1
    assert max(calls["one"], calls["many"]) < calls["whole"]
    assert calls["one"] < 0.7 * calls["whole"]
    assert whole.summary["domain"]["Math"] == 12
    assert "target" not in [row["stage"] for row in whole.summary["funnel"]]


def test_when_all_that_is_wanted_is_full_nothing_is_asked_any_more(tmp_path: Path) -> None:
    with LLMServer() as server:
        settings = configured(
            corpus(tmp_path, 60),
            tmp_path / "run",
            server.url,
            traffic={"concurrency": 1},
            **sieving(**QUOTAS, others="drop"),
        )
        result = run(settings)
        paid = Counter(entry.stage for entry in server.books.entries)
    assert holds(result.summary)
    assert set(result.summary["domain"]) == {"Math", "Coding"}
    funnel = {row["stage"]: row for row in result.summary["funnel"]}
    assert funnel["filter"]["dropped"]["all_domains_full"] > 20
    assert funnel["generate"]["dropped"]["domain_unwanted"] > 0
    assert 10 < paid["classify"] <= paid["filter"] < 40 < result.summary["documents"]["seen"]


def test_a_run_that_was_stopped_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    options = {"shard_size": 7, **sieving(**QUOTAS)}
    with LLMServer() as server:
        run(configured(path, tmp_path / "whole", server.url, **options))
        whole = sum(server.books.paid.values())
    with LLMServer(latency_s=0.002) as server:
        for tokens in (100_000, None):
            caps = {} if tokens is None else {"caps": {"tokens": tokens}}
            settings = configured(path, tmp_path / "cut", server.url, **options, **caps)
            if tokens is None:
                result = run(settings)
            else:
                with pytest.raises(RunStopped):
                    run(settings)
        again = sum(server.books.paid.values())
    assert digest(tmp_path / "cut") == digest(tmp_path / "whole")
    assert holds(result.summary)
    assert again < whole * 1.3
    assert server.books.paid_twice == 0


def test_a_quota_that_the_sieves_left_short_is_told_and_a_larger_margin_pays_for_what_was_left_out(
    tmp_path: Path,
) -> None:
    options = {"quotas": {"domain": {"Coding": 20, "Education": 5000}}}
    with LLMServer() as server:

        def finished(margin: float) -> tuple[dict[str, Any], int]:
            traffic = {"traffic": {"concurrency": 1}}
            settings = configured(path, tmp_path / "run", server.url, **traffic, **sieving(**options, margin=margin))
            result = run(settings, accept_changes=True)
            return result.summary, sum(server.books.paid.values())

        path = corpus(tmp_path, 60)
        summary, first = finished(1.0)
        assert summary["sieving"]["target"]["Coding"] == {"enough": 20, "made": 20}
        short = 20 - summary["sieving"]["balance"]["domain"]["Coding"]["kept"]
        assert short > 0, "dedup takes some of this corpus"
        told = "\n".join(books_lines(summary))
        assert f"balance: domain Coding: {20 - short} of 20 wanted" in told
        assert "of Coding the sieves took more than the margin left: raise sieving.balance.margin" in told
        assert "balance: domain Education:" in told
        assert "| Coding | 20 | " in (tmp_path / "run" / "dataset" / "README.md").read_text()
        summary, second = finished(2.0)
        assert summary["domain"]["Coding"] == 20
        assert server.books.paid_twice == 0
        assert first < second


def test_a_document_is_left_out_only_if_those_before_it_fill_its_domain_in_any_order_of_their_ends() -> None:
    chance = random.Random(5)
    for _ in range(200):
        counts = [chance.randrange(4) for _ in range(30)]
        enough = chance.randrange(1, 25)
        filling, ended = Filling(enough), [0] * 30
        for ordinal in chance.sample(range(30), 30):
            for asked in range(31):
                assert filling.full_before(asked) == (sum(ended[:asked]) >= enough)
            filling.add(ordinal, counts[ordinal])
            ended[ordinal] = counts[ordinal]
        assert len(filling._documents) <= enough


def test_a_domain_that_is_not_named_is_asked_for_as_the_options_say() -> None:
    class Stage:
        name = "generate"

    def reason(each: int | None) -> str:
        gate = Gate(Target({"Math": 0}, each, 1.0))
        drop = gate.bars(Stage(), Brief(Document("d", "text"), "Coding", "someone"), 0)  # type: ignore[arg-type]
        return "asked" if drop is None else drop.reason

    assert [reason(each) for each in (None, 0, 5)] == ["asked", "domain_unwanted", "asked"]
