"""What a benchmark asks is found however it is set, and what only sounds like it is not."""

from __future__ import annotations

import hashlib
import json
import random
import re
import string
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import ended, kept, pair, shard
from webscale_rl.corpus.places import SAMPLE
from webscale_rl.dataset.writer import sift
from webscale_rl.errors import ConfigError, UserError
from webscale_rl.sieve import Rejected
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.benchmark_files import benchmarks, item
from webscale_rl.sieves.build_index import build
from webscale_rl.sieves.contamination import FOLDER, Index, packaged
from webscale_rl.sieves.decontaminate import Decontaminate
from webscale_rl.sieves.grams import Lookup
from webscale_rl.sieves.matcher import CONTAINS, LONGEST, NEAR, SAME, SHARED_RUN, Matcher
from webscale_rl.sieves.words import read
from webscale_rl.types import Drop


def sentences() -> list[str]:
    """The sentences of our sample corpus, each once: real English, and ours."""
    texts = [
        json.loads(line)["text"] for file in sorted(SAMPLE.glob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    found = [one.strip() for text in texts for one in re.split(r"(?<=[.?!])\s+", text)]
    return [one for one in dict.fromkeys(found) if 8 <= len(one.split()) <= 60 and len(set(one.split())) > 7]


ALL = sentences()
ITEMS, OTHERS = ALL[::2], ALL[1::2]
MATCHER = Matcher(Index([Benchmark.of("ours", [(one, "42") for one in ITEMS])]))


def reasons(texts: Sequence[str], answers: Sequence[str] | None = None, by: Matcher = MATCHER) -> list[str | None]:
    return [hit and hit.reason for hit in by.find(texts, answers)]


def one(question: str, answer: str = "") -> Matcher:
    return Matcher(Index([Benchmark.of("b", [(question, answer)])]))


def with_dash(text: str) -> str:
    words = text.split(" ")
    at = random.Random(text).randrange(len(words) + 1)
    return " ".join([*words[:at], "-", *words[at:]])


WORD_NUMBERS = ["f0e0f33ba7a705cd", "9f9f5c631989766e", "b366be0bb1ea477e"]
VARIANTS: dict[str, Callable[[str], str]] = {
    "verbatim": str,
    "upper case": str.upper,
    "no punctuation": lambda text: text.translate(str.maketrans("", "", string.punctuation)),
    "blanks for punctuation": lambda text: text.translate(str.maketrans(string.punctuation, " " * 32)),
    "white space": lambda text: " \n\t ".join(["", *text.split(), ""]),
    "one lone dash": with_dash,
    "full-width forms": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "invisible characters": lambda text: "\u200b".join(text),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_item_is_found_however_it_is_set(variant: str) -> None:
    changed = [VARIANTS[variant](text) for text in ITEMS]
    assert reasons(changed) == [SAME] * len(ITEMS)


@pytest.mark.parametrize("variant", ["verbatim", "upper case", "no punctuation", "one lone dash"])
def test_an_item_is_found_within_a_longer_text(variant: str) -> None:
    page = " ".join(OTHERS[:40])
    texts = [f"{page} {VARIANTS[variant](text)} {page}" for text in ITEMS]
    assert reasons([page]) == [None]
    assert reasons(texts).count(None) <= len(ITEMS) // 50


def test_nine_in_ten_items_with_a_fifth_of_their_words_replaced_are_found() -> None:
    rng = random.Random(5)
    vocabulary = [word for text in ALL for word in text.split()]

    def changed(text: str) -> str:
        words = text.split()
        for at in rng.sample(range(len(words)), max(1, len(words) // 5)):
            words[at] = rng.choice(vocabulary)
        return " ".join(words)

    found = reasons([changed(text) for text in ITEMS])
    assert sum(reason is not None for reason in found) >= 0.9 * len(ITEMS)


def test_other_sentences_on_the_same_matters_are_no_items() -> None:
    assert reasons(OTHERS).count(None) >= 0.99 * len(OTHERS)


def test_a_short_question_is_not_found_for_being_short() -> None:
    """lm-evaluation-harness's Janitor takes half of such for contaminated."""
    asked = [
        "Why?",
        "What is it?",
        "How many are there?",
        "Is it true?",
        "a",
        "-",
        "",
        " \n",
        "42",
        "Who was the first?",
    ]
    assert reasons(asked) == [None] * len(asked)


def test_thirteen_words_in_a_row_are_enough_and_twelve_of_many_are_not() -> None:
    words = [f"w{chr(97 + at % 26)}{chr(97 + at // 26)}x" for at in range(60)]
    by = one(" ".join(words))
    around = " ".join(f"other{chr(97 + at)}" for at in range(20))
    assert reasons([f"{around} {' '.join(words[20:33])} {around}"], by=by) == [SHARED_RUN]
    assert reasons([f"{around} {' '.join(words[20:32])} {around}"], by=by) == [None]


def test_a_form_that_many_items_are_written_in_is_no_item() -> None:
    form = "Read the following story with care and then say in one word who of these is guilty:"
    stories = [f"{form} {' '.join(f'n{number}x{at}' for at in range(40))}" for number in range(12)]
    by = Matcher(Index([Benchmark.of("b", [(story, "") for story in stories])]))
    assert reasons([f"{form} the butler or the cook", *stories], by=by) == [None, *[SAME] * 12]


def test_the_answer_tells_a_question_from_one_that_differs_in_a_word() -> None:
    by = one("What is the largest organ in the human body?", "skin")
    asked = "What is the largest artery in the human body?"
    assert reasons([asked], ["aorta"], by) == [None]
    assert reasons([asked], ["Skin."], by) == [NEAR]


def test_an_item_of_few_letters_needs_its_answer() -> None:
    by = one("3 + 4 =", "7")
    assert reasons(["3 + 4 ="], by=by) == [None]
    assert reasons(["(3 + 4) ="], ["7"], by) == [SAME]
    assert by.index.coverage()["b"].whole == 1
    assert one("3 + 4 =").index.coverage()["b"].uncovered == 1


def test_latex_is_read_as_what_it_shows() -> None:
    by = one("Let $\\alpha$ be the root of $\\dfrac{x}{3} \\leq 5$. What is the value of $\\left(x + \\alpha\\right)$?")
    assert reasons(["Let α be the root of \\frac{x}{3} ≤ 5. What is the value of (x + α)?"], by=by) == [SHARED_RUN]


def test_a_hit_names_benchmark_item_rule_and_words() -> None:
    (hit,) = MATCHER.find([f"Well now: {ITEMS[3]} And so on, and so forth."])
    assert hit is not None
    assert (hit.reason, hit.benchmark, hit.first_word) == (CONTAINS, "ours", 2)
    assert hit.last_word - hit.first_word == len(read([ITEMS[3]]).numbers)
    assert hit.detail.startswith(f"ours {hit.item}: the whole question; words 3 to {hit.last_word}: {ITEMS[3][:30]}")
    (same,) = MATCHER.find([ITEMS[3].upper()])
    assert same is not None
    assert same.item == hit.item
    assert re.fullmatch("[0-9a-f]{16}", hit.item)


def test_a_very_long_text_is_looked_at_to_its_end() -> None:
    filler = "stone " * (LONGEST // 6 + 10)
    assert reasons([filler + ITEMS[0], filler, ITEMS[1]]) == [CONTAINS, None, SAME]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.integers(0, 5))
def test_a_text_is_judged_alike_alone_and_among_others(texts: list[str], at: int) -> None:
    texts.insert(min(at, len(texts)), ITEMS[at])
    assert MATCHER.find(texts) == [MATCHER.find([text])[0] for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_words_do_not_depend_on_what_stands_beside_them(texts: list[str]) -> None:
    together = read(texts)
    bounds = [0, *together.ends.tolist()]
    for row, text in enumerate(texts):
        assert read([text]).numbers.tolist() == together.numbers[bounds[row] : bounds[row + 1]].tolist()


def test_a_words_number_is_the_same_on_every_machine() -> None:
    assert [f"{number:016x}" for number in read(["The Eiffel-Tower"]).numbers.tolist()] == WORD_NUMBERS


def test_a_set_finds_what_is_in_it_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    for kind in (np.uint32, np.uint64):
        keys = np.unique(rng.integers(0, np.iinfo(kind).max, 5_000, kind))
        asked = np.concatenate([keys[::2], rng.integers(0, np.iinfo(kind).max, 50_000, kind)])
        at, which = Lookup(keys).find(asked)
        assert at.tolist() == np.flatnonzero(np.isin(asked, keys)).tolist()
        assert (keys[which] == asked[at]).all()
        assert not len(Lookup(keys[:0]).find(asked)[0])


def test_an_index_survives_its_file_and_a_cut_off_one_is_refused(tmp_path: Path) -> None:
    made = Benchmark.of("b", [(text, "42") for text in [*ITEMS[:20], ITEMS[0]]])
    made.save(tmp_path / "b.index")
    back = Benchmark.load(tmp_path / "b.index")
    assert (back.name, len(back.items)) == ("b", 20)
    assert (back.items == made.items).all()
    assert (back.pairs == made.pairs).all()
    data = (tmp_path / "b.index").read_bytes()
    for broken in (data[:-4], data[:40], b"", b"other"):
        (tmp_path / "b.index").write_bytes(broken)
        with pytest.raises(UserError, match=r"b\.index: "):
            Benchmark.load(tmp_path / "b.index")


def test_the_packaged_indexes_are_those_that_their_sources_name() -> None:
    sources = json.loads((FOLDER / "sources.json").read_text())
    assert sorted(sources) == packaged()
    assert packaged() == "arc_challenge bbh gsm8k humaneval math500 mbpp mmlu_pro openbook_qa".split()
    for name, source in sources.items():
        data = (FOLDER / f"{name}.index").read_bytes()
        assert hashlib.sha256(data).hexdigest() == source["sha256"]
        assert len(Benchmark.load(FOLDER / f"{name}.index").items) == source["items"] <= source["rows"]
        assert source["licence"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6_000_000


def test_the_same_files_build_the_same_bytes_and_no_text(tmp_path: Path) -> None:
    rows = [{"benchmark": "b", "question": text, "answer": "330 metres"} for text in ITEMS * 2]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "SOURCE.md").write_text(
        "| file | repo@commit | path | licence |\n|---|---|---|---|\n| b.jsonl | a@1 | p | MIT |\n"
    )
    told = build(tmp_path, tmp_path / "one")
    build(tmp_path, tmp_path / "two")
    assert told["b"]["items"] == len(ITEMS)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["b.index", "common.bin", "sources.json"]
    for name in names:
        data = (tmp_path / "one" / name).read_bytes()
        assert data == (tmp_path / "two" / name).read_bytes()
        assert not any(word.encode() in data for text in ITEMS for word in text.split() if len(word) > 5)
    (tmp_path / "stray.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"stray.jsonl: SOURCE.md does not say"):
        build(tmp_path, tmp_path / "three")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"question": "Q?", "answer": "so 6*7=42\n#### 42"}, ("Q?", "42")),
        ({"question": "Q?", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"}, ("Q?", "b")),
        ({"question": "Q?", "choices": ["a", "b"], "answer": 0}, ("Q?", "a")),
        ({"question": "Q?", "options": ["a", "b"], "answer": "B"}, ("Q?", "b")),
        ({"problem": "Q?", "solution": "s"}, ("Q?", "s")),
        ({"input": "Q?", "target": "(A)"}, ("Q?", "(A)")),
        ({"question": "Q?", "answer": {"value": 1}}, ("Q?", "")),
        ({"question": None, "id": 1}, None),
    ],
)
def test_an_item_is_read_from_the_columns_that_benchmarks_have(row: dict[str, object], found: object) -> None:
    assert item(row) == found


def sieved(folder: Path, examples: Sequence[tuple[str, str]], **options: object) -> list[Rejected]:
    folder.mkdir(exist_ok=True)
    outcomes = [
        (at, outcome)
        for at, (question, answer) in enumerate(examples)
        for outcome in (ended(Drop("check", "no_context"), pair()), kept(question, answer))
    ]
    (folder / "scratch").mkdir()
    sieve = Decontaminate(Decontaminate.Options(**options))
    paths = [shard(folder / "00000.parquet", outcomes)]
    return [entry for _, entry in sift(paths, [sieve], folder / "scratch").rejections()]


def test_the_sieve_drops_what_the_users_benchmark_asks(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\n\n".join(ITEMS[:5]))
    examples = [(OTHERS[0], "1"), (ITEMS[2], "1"), (f"{OTHERS[1]} {ITEMS[0]} {OTHERS[2]}", "1"), (ITEMS[9], "1")]
    found = sieved(tmp_path / "run", examples, benchmarks=[], paths=[str(tmp_path / "own.txt")])
    assert [(entry.row, entry.reason) for entry in found] == [(1, SAME), (2, CONTAINS)]
    assert found[0].detail.startswith("own.txt ")
    assert {entry.reason for entry in found} <= Decontaminate.reasons


def test_an_unknown_benchmark_is_refused_before_the_run() -> None:
    with pytest.raises(ConfigError, match=r"sieving.decontaminate.benchmarks: there is no 'gsm9k'; known: arc_ch"):
        Decontaminate(Decontaminate.Options(benchmarks=["gsm9k"]))
    with pytest.raises(ConfigError, match=r"sieving.decontaminate.paths: /nowhere: no such file or folder"):
        Decontaminate(Decontaminate.Options(paths=["/nowhere"]))


def test_benchmarks_are_files_folders_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "deep" / ".hidden").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps({"examples": [{"input": ITEMS[0], "target": "1"}], "canary": "x"}))
    (folder / "deep" / "b.jsonl").write_text(json.dumps({"question": ITEMS[1]}) + "\n")
    (folder / "deep" / ".hidden" / "c.jsonl").write_text("nonsense")
    Benchmark.of("d", [(ITEMS[2], "")]).save(folder / "d.index")
    found = benchmarks([str(folder), "humaneval"])
    assert [each.name for each in found] == ["a.json", "d", "deep/b.jsonl", "humaneval"]
    by = Matcher(Index(found))
    assert reasons(ITEMS[:4], by=by) == [SAME] * 3 + [None]
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.jsonl").write_text('{"id": 1}\n')
    for path, told in (
        ("empty", "no benchmark in this folder"),
        ("no.jsonl", "no question in it"),
        ("x", "no such ben"),
    ):
        with pytest.raises(UserError, match=told):
            benchmarks([str(tmp_path / path)])
