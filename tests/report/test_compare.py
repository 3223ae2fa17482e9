"""Comparing two runs tells what differs, and calls nothing larger than chance that chance does."""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks.llm_server import LLMServer
from tests.runs import command, configured, corpus
from webscale_rl import run
from webscale_rl.errors import ConfigError, UserError
from webscale_rl.report.compare import Options, compare
from webscale_rl.report.compare.chance import Finding, Resamples, grouped, judged, ratio, total_variation
from webscale_rl.report.compare.counts import jensen_shannon
from webscale_rl.report.compare.diversity import cut, distinct, group_size, self_bleu, vendi
from webscale_rl.report.compare.lines import compare_lines
from webscale_rl.report.compare.overlap import shared
from webscale_rl.report.compare.sample import Asked, common, read_run
from webscale_rl.report.compare.vectors import Endpoint, hashed
from webscale_rl.report.compare.words import telling


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs over one corpus: three personas a document, and one."""
    folder = tmp_path_factory.mktemp("runs")
    path = corpus(folder, 60)
    with LLMServer() as server:
        run(configured(path, folder / "a", server.url, price={"input": 1.0, "output": 2.0}))
        run(configured(path, folder / "b", server.url, stages={"classify": {"max_personas": 1}}, limit=50))
    return folder / "a", folder / "b"


@pytest.fixture(scope="module")
def compared(runs: tuple[Path, Path]) -> dict[str, Any]:
    return compare(*runs)


def asked(question: str, answer: str = "1", persona: str = "someone") -> Asked:
    return Asked(question, question, answer, "number", "Math", persona)


# Whole runs


def test_a_run_differs_in_nothing_from_itself(runs: tuple[Path, Path]) -> None:
    told = compare(runs[0], runs[0])
    assert told["configuration"] == []
    findings = [*told["yield"], *told["distributions"].values(), *told["diversity"]["measures"]]
    assert len(findings) > 15
    assert {found["difference"]["value"] for found in findings} == {0.0}
    assert not any(found["larger_than_chance"] for found in findings)
    assert {found["a"]["value"] for found in told["overlap"]} == {1.0}
    assert told["words"] == {"personas": {"a": [], "b": []}, "questions": {"a": [], "b": []}}
    assert told["sample"]["in_both"] == 60


def test_what_differs_between_two_runs_is_told(compared: dict[str, Any]) -> None:
    told = json.loads(json.dumps(compared))
    changed = {change["key"]: (change["a"], change["b"]) for change in told["configuration"]}
    assert changed["stages.classify.max_personas"] == (3, 1)
    assert changed["limit"] == (None, 50)
    assert "out" not in changed
    (pairs,) = (found for found in told["yield"] if found["name"] == "pairs per document")
    assert pairs["larger_than_chance"]
    assert pairs["difference"]["low"] <= pairs["difference"]["value"] <= pairs["difference"]["high"] < 0
    assert told["sample"]["in_both"] == 50
    assert told["cost"]["a"]["per_pair"]["usd"] > 0
    assert told["cost"]["b"]["per_pair"]["usd"] is None
    lines = "\n".join(compare_lines(told))
    assert "stages.classify.max_personas: 3 -> 1" in lines
    assert "pairs per document" in lines.split("larger than chance:")[1]
    assert max(len(line) for line in lines.splitlines()) < 260


def test_yields_are_those_of_the_books(runs: tuple[Path, Path], compared: dict[str, Any]) -> None:
    told = compared
    funnel = {row["stage"]: row for row in json.loads((runs[0] / "summary.json").read_text())["funnel"]}
    for found in told["yield"][:6]:
        row = funnel[found["name"].removeprefix("kept by ")]
        assert found["a"]["value"] == pytest.approx(row["kept"] / row["seen"])
    assert told["yield"][6]["a"]["value"] == pytest.approx(funnel["dedup"]["kept"] / funnel["dedup"]["seen"])


def test_documents_that_a_quota_left_out_are_no_yield_of_a_stage(tmp_path: Path) -> None:
    quotas = {"sieves": ["dedup", "balance"], "sieving": {"balance": {"quotas": {"domain": {"Natural Science": 12}}}}}
    with LLMServer() as server:
        path = corpus(tmp_path, 40)
        plain = run(configured(path, tmp_path / "plain", server.url, traffic={"concurrency": 1}))
        aimed = run(configured(path, tmp_path / "aimed", server.url, traffic={"concurrency": 1}, **quotas))
    assert aimed.summary["pairs"]["dropped"]["generate"] > plain.summary["pairs"]["dropped"].get("generate", 0)
    told = compare(tmp_path / "plain", tmp_path / "aimed")
    kept = {found["name"]: (found["a"]["value"], found["b"]["value"]) for found in told["yield"]}
    assert kept["kept by generate"] == (1.0, 1.0)


def test_samples_hold_the_same_documents_of_both_runs_and_the_same_for_a_seed(runs: tuple[Path, Path]) -> None:
    a, b = common(*(read_run(folder, 20, 3) for folder in runs))
    names = [{document.document_id for document in one.documents} for one in (a, b)]
    assert names[1] <= names[0], "the second run is over the first documents only"
    assert 10 < len(names[1]) <= 20
    assert {one.document_id for one in read_run(runs[0], 20, 3).documents} >= names[0]
    assert compare(*runs, Options(sample=20, seed=3)) == compare(*runs, Options(sample=20, seed=3))


def test_what_is_no_finished_run_is_one_clear_line(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = command("compare", runs[0], tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"webscale-rl: {tmp_path}: holds no run (there is no run.yaml)\n"
    (tmp_path / "run.yaml").write_text((runs[0] / "run.yaml").read_text())
    with pytest.raises(ConfigError, match="has not finished"):
        compare(runs[0], tmp_path)


def test_a_documents_words_cannot_write_to_the_terminal(compared: dict[str, Any]) -> None:
    told = copy.deepcopy(compared)
    told["personas"]["most"][0][0][0] = "a \x1b[31mred\x1b[0m reader\nof lines"
    told["distributions"]["domain"]["values"]["\x1b]0;title\x07"] = [0.5, 0.5]
    assert all(line.isprintable() for line in compare_lines(told))


# Chance


def test_equal_runs_are_called_different_as_rarely_as_the_level_says() -> None:
    chance = np.random.default_rng(1)
    values = []
    for trial in range(75):
        both = np.arange(40) < (0, 40, 20)[trial % 3]
        in_a = both | (np.arange(40) < 12)
        effect = chance.normal(size=40)
        a, b = (np.stack([np.exp(effect + chance.normal(size=40)), np.ones(40)], 1) for _ in range(2))
        a[~in_a], b[in_a & ~both] = 0.0, 0.0
        found = Resamples(a, b, both, in_a, trial).compared("mean", ratio(0, 1))
        values.append(found.p)
    assert 0.02 < np.mean(np.array(values) <= 0.1) < 0.2


def test_a_difference_of_documents_that_both_runs_have_is_found_where_they_vary_much() -> None:
    chance = np.random.default_rng(2)
    size = np.exp(2 * chance.normal(size=200))
    a, b = np.stack([size, np.ones(200)], 1), np.stack([1.1 * size, np.ones(200)], 1)
    everywhere = np.ones(200, bool)
    found = Resamples(a, b, everywhere, everywhere, 0).compared("mean", ratio(0, 1))
    assert found.p is not None
    assert found.p < 0.01
    assert found.difference is not None
    assert found.difference.low > 0
    nothing, lone = np.zeros_like(a), np.zeros(400, bool)
    apart = Resamples(np.concatenate([a, nothing]), np.concatenate([nothing, b]), lone, np.arange(400) < 200, 0)
    assert (apart.compared("mean", ratio(0, 1)).p or 0) > 0.1, "without the pairing it is lost"


def test_a_distance_is_told_beside_what_chance_makes_of_equal_runs() -> None:
    chance = np.random.default_rng(3)
    everywhere = np.ones(400, bool)

    def rows(shares: list[float]) -> Any:
        return np.eye(4)[chance.choice(4, 400, p=shares)]

    same = Resamples(rows([0.25] * 4), rows([0.25] * 4), everywhere, everywhere, 0)
    finding, in_sample, by_chance = same.apart("x", total_variation(slice(0, 4)))
    assert finding.p is not None
    assert finding.p > 0.05
    assert in_sample < by_chance < 0.15
    other = Resamples(rows([0.25] * 4), rows([0.45, 0.15, 0.15, 0.25]), everywhere, everywhere, 0)
    finding, in_sample, by_chance = other.apart("x", total_variation(slice(0, 4)))
    assert finding.p is not None
    assert finding.p < 0.01
    assert in_sample > by_chance
    assert finding.difference is not None
    assert finding.difference.low < 0.2 < finding.difference.high


def test_of_many_findings_those_that_chance_brings_along_are_not_called_larger() -> None:
    findings = [Finding(str(p), None, None, None, p) for p in (0.06, 0.001, 0.03, 0.9)]
    assert [one.larger for one in judged(findings)] == [False, True, True, False]
    assert not any(one.larger for one in judged([Finding("x", None, None, None, 0.06)] * 2))
    assert judged([Finding("x", None, None, None)])[0].larger is False


def test_groups_of_equal_runs_are_not_told_apart() -> None:
    chance = np.random.default_rng(4)
    near = grouped("x", chance.uniform(0.4, 0.6, 20), chance.uniform(0.4, 0.6, 20), 0)
    far = grouped("x", chance.uniform(0.4, 0.6, 20), chance.uniform(0.5, 0.7, 20), 0)
    assert (near.p or 0) > 0.05 > 0.01 > (far.p or 0)


def test_jensen_shannon_is_a_bit_for_what_has_nothing_in_common() -> None:
    assert jensen_shannon([("a", 1.0, 0.0), ("b", 0.0, 1.0)]) == pytest.approx(1.0)
    assert jensen_shannon([("a", 0.5, 0.5), ("b", 0.5, 0.5)]) == 0.0


# Questions


def test_diversity_of_what_is_all_the_same_and_of_what_has_nothing_in_common() -> None:
    same, apart = [["a", "b", "c", "d"]] * 4, [[f"{i}{c}" for c in "abcd"] for i in range(4)]
    assert distinct(same, 2) == pytest.approx(1 / 4)
    assert distinct(apart, 2) == 1.0
    assert self_bleu(same) == pytest.approx(1.0)
    assert self_bleu(apart) < 0.3
    assert self_bleu([["a"], ["b"]]) == pytest.approx(0.5), "shorter than the longest runs"
    assert vendi(np.ones((5, 5))) == pytest.approx(1.0)
    assert vendi(np.eye(5)) == pytest.approx(5.0)
    half = np.kron(np.eye(2), np.ones((3, 3)))
    assert vendi(half) == pytest.approx(2.0)


def test_groups_are_of_one_size_in_both_runs_or_there_are_none() -> None:
    few, many = [asked(str(i)) for i in range(60)], [asked(str(i)) for i in range(5000)]
    assert group_size(few, many) == 5
    assert {len(group) for group in cut(many, 5)} == {5}
    assert group_size(many, many) == 100
    assert group_size(few[:19], many) is None


def test_questions_of_both_runs_are_found_equal_nearly_equal_and_with_one_answer() -> None:
    words = "In which year did the engineers of the old iron bridge begin to work on its southern tower"
    a = [asked(f"{words}?"), asked("Why?", "x"), asked("How long is the bridge of Karsk?")]
    b = [asked(f"{words} there?"), asked("why?", "y"), asked("Who drew the plan of the harbour?")]
    found = shared(a, b)
    assert [found.of(pair) for pair in a] == [(False, True, True), (True, True, False), (False, False, False)]
    assert [found.of(pair) for pair in b] == [(False, True, True), (True, True, False), (False, False, False)]


def test_a_word_that_one_run_prefers_is_told_and_one_page_does_not_make_it() -> None:
    chance = random.Random(5)
    names = [f"w{i}" for i in range(50)]

    def documents(extra: str = "", share: float = 0.0) -> list[list[list[str]]]:
        return [
            [chance.choices(names, k=8) + ([extra] if chance.random() < share else []) for _ in range(2)]
            for _ in range(150)
        ]

    plain, whales = documents(), documents("whale", 0.4)
    ours, theirs = telling(plain, whales)
    assert ours == []
    assert [word.word for word in theirs] == ["whale"]
    assert theirs[0].b == pytest.approx(0.4, abs=0.1)
    assert telling(plain, documents()) == ([], [])
    assert telling(plain, [*documents(), [["whale"] * 500]]) == ([], [])
    assert telling([], plain) == ([], [])
    assert telling([[["a"]]], [[["a"]]]) == ([], [])


def test_hashed_vectors_are_alike_that_share_words() -> None:
    vectors = hashed(["How tall is the tower?", "how tall is the tower", "Who wrote the letter to Anna?", "", "?!"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert vectors[0] @ vectors[1] == pytest.approx(1.0)
    assert vectors[0] @ vectors[2] < 0.5


# An embeddings server


class _Server(BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[str, str | None, Any]]] = []
    answers: ClassVar[list[tuple[int, bytes]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers["Authorization"], body))
        data = [{"index": at, "embedding": [len(text), 1.0]} for at, text in enumerate(body["input"])]
        status, answer = self.answers.pop(0) if self.answers else (200, json.dumps({"data": data[::-1]}).encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.seen, _Server.answers = [], []
    with HTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/v1"
        running.shutdown()
        thread.join()


def test_an_embeddings_server_is_asked_in_batches_and_again_when_it_is_busy(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234")
    _Server.answers = [(503, b"busy")]
    vectors = Endpoint(server, "m", pause_s=0.01).vectors(["x" * (at + 1) for at in range(70)])
    assert vectors.shape == (70, 2)
    assert np.argsort(vectors[:, 0]).tolist() == list(range(70)), "in the order of the texts, whatever the server's"
    assert [len(body["input"]) for _, _, body in _Server.seen] == [64, 64, 6]
    assert {(path, key) for path, key, _ in _Server.seen} == {("/v1/embeddings", "Bearer sk-secret-1234")}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"error": {"message": "wrong key sk-secret-1234"}}', "embeddings: "),
        (200, b'{"data": "none"}', "holds no embeddings"),
        (200, b'{"data": [{"index": 0, "embedding": [1.0]}]}', "gave 1 vectors for 2 texts"),
    ],
)
def test_what_an_embeddings_server_gets_wrong_is_one_line_without_the_key(
    server: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, said: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234")
    _Server.answers = [(status, body)]
    with pytest.raises(UserError, match=said) as caught:
        Endpoint(server, "m").vectors(["one", "two"])
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8000", "http://user:pass@host/v1", "ftp://host"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="--embeddings-url"):
        Endpoint(url, "m")
