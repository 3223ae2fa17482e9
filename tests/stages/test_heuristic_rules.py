"""Bounds and shared statistics never change what a plain count would have decided."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import document, stage
from tests.stages.plain_rules import measure
from webscale_rl.stages.heuristic_rules.text import TextStatistics
from webscale_rl.stages.heuristics import PRESETS, RULES
from webscale_rl.types import Drop

MEASURED = [rule for rule in RULES if rule.startswith(("min_", "max_"))]
COUNTS = {"min_tokens", "max_tokens", "min_stop_words", "min_sentences"}
WORDS = (
    *(
        "the",
        "of",
        "and",
        "buy",
        "now",
        "a",
        "aa",
        "ab",
        "aab",
        "end.",
        "end?!",
        "“so.”",
        "wait...",
        "more…",
        "#",
        "##tag",
    ),
    *(
        "12",
        "3.5",
        "٣٤",
        "𝟏",
        "漢字",
        "汉字。",
        "คำ",
        "étage",
        "½",
        "_",
        "--",
        "-",
        "•",
        "{",
        "x" * 40,
        "\x01",
        "\ufffd",
        "\ud800",
    ),
    *("Cookies", "log in", "Terms of use", "JavaScript", "use cookies", "policy", "\u212aoo", "y" * 1001, "о", "o"),
)
SEPARATORS = (
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r\n\r\n",
    "\t",
    "\xa0",
    "\u3000",
    "\x1c",
    "\x85",
    "\u2028",
    "",
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Few different words, so that much is repeated, with all kinds of white space."""
    vocabulary = draw(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), min_size=1, max_size=6))
    parts = draw(st.lists(st.tuples(st.sampled_from(vocabulary), st.sampled_from(SEPARATORS)), max_size=40))
    text = "".join(word + separator for word, separator in parts)
    return draw(st.sampled_from((text, f"{text}\n{text}", f"{text} {text} {text}")))


def decided(rule: str, limit: float, text: str) -> tuple[str, str] | None:
    off: dict[str, Any] = {"preset": "paper", "min_tokens": None}
    decision = stage("heuristics", **(off | {rule: limit})).decide(document(text), None)
    return (decision.reason, decision.detail) if isinstance(decision, Drop) else None


@given(texts(), st.sampled_from(MEASURED), st.data())
@settings(max_examples=500, deadline=None)
def test_a_rule_decides_as_a_plain_count_does(text: str, rule: str, data: st.DataObject) -> None:
    value = measure(rule, text)
    near = st.sampled_from([value, value * 0.99, value * 1.01]) if value else st.just(0.0)
    limit: float = data.draw(near | st.floats(0, 1))
    if rule in COUNTS:
        limit = min(round(limit) + data.draw(st.integers(0, 2)), 8)
    limit = max(limit, 1) if rule == "max_tokens" else limit
    if rule not in COUNTS and not rule.endswith("word_length"):
        limit = min(limit, 1.0)
    broken = value is not None and (value < limit if rule.startswith("min_") else value > limit)
    expected = (rule, f"{value:.4g}, limit {limit:g}") if broken else None
    assert decided(rule, limit, text) == expected


NGRAMS = [rule for rule in MEASURED if "gram" in rule]


@given(st.lists(st.sampled_from(("a", "bb", "ccc", "a-a", "été")), max_size=40), st.integers(0, 99), st.data())
@settings(max_examples=300, deadline=None)
def test_runs_of_words_are_counted_however_seldom_they_come_again(
    words: list[str], once: int, data: st.DataObject
) -> None:
    text = " ".join([*words, *(f"word{number}" for number in range(once)), *words[: data.draw(st.integers(0, 12))]])
    rule = data.draw(st.sampled_from(NGRAMS))
    value = measure(rule, text)
    assert value is not None
    for limit in (0.0, min(1.0, value * 0.99), min(1.0, value)):
        expected = (rule, f"{value:.4g}, limit {limit:g}") if value > limit else None
        assert decided(rule, limit, text) == expected


@pytest.mark.parametrize("rule", MEASURED)
def test_a_limit_that_is_met_exactly_is_kept(rule: str) -> None:
    text = "the end. the end.\n- buy 1 # now...\nthe end. the end. of the log in\n" * 3
    value = measure(rule, text)
    assert value is not None
    assert decided(rule, int(value) if rule in COUNTS else value, text) is None


@given(texts() | st.text(max_size=60))
def test_words_found_in_bytes_are_those_that_split_finds(text: str) -> None:
    statistics = TextStatistics(text)
    words = text.split()
    assert statistics.word_count == len(words)
    assert statistics.lengths.tolist() == [len(word.encode("utf-8", "surrogatepass")) for word in words]
    assert statistics.visible == sum(map(len, words))
    assert statistics.words_of(5).split() == [word for word in words if len(word.encode("utf-8", "surrogatepass")) >= 5]


@pytest.mark.parametrize(
    "text",
    ["a " * 50_000, "a b " * 25_000, "a" * 100_000, "!" * 100_000, ".\n" * 50_000, "log in\n" * 12_500, "{ . " * 25_000,
     "\xa0x" * 50_000, "#" * 100_000, "".join(f"{n} " for n in range(15_000)), "+1" * 50_000, "1 " * 50_000,
     "a@" * 50_000, "eyJ" * 32_500, "sk-" * 32_500, "-----BEGIN PRIVATE KEY-----" * 3_750, "23af:" * 20_000,
     "(1" * 50_000, "AB12" * 25_000, "1." * 50_000, "xoxb-" * 20_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_hostile_text_takes_no_more_than_linear_time(text: str) -> None:
    strict = stage("heuristics", preset="strict", **dict.fromkeys(("max_tokens", "min_stop_words")))
    everything = [
        stage("heuristics", **({"preset": "paper", "min_tokens": None} | {rule: limit})) for rule, limit in OPEN
    ]
    started = time.process_time()
    for rules in (strict, *everything):
        rules.decide(document(text), None)
    assert time.process_time() - started < 3


OPEN: list[tuple[str, Any]] = [
    *((rule, limit) for rule, limit in PRESETS["strict"].items() if "gram" in rule or rule in ("pii", "credentials")),
    ("min_sentences", 10_000_000),
    ("forbid_curly_braces", True),
    ("max_boilerplate_lines", 0.5),
]
