"""What a terminal is shown: the funnel, the books, and pairs that cannot harm it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.report.difficulty import difficulty_lines
from webscale_rl.report.rationales import rationale_lines
from webscale_rl.report.text import books_lines, clean, dollars, funnel_lines, pair_lines

PAIR = {
    "persona": "a cook",
    "domain": "Math",
    "question": "How tall?",
    "answer": "330 m",
    "answer_type": "quantity",
    "evidence": "330 m",
}


@given(st.text(max_size=200), st.integers(2, 100))
def test_text_that_nobody_vouches_for_is_one_short_printable_line(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


def test_escape_sequences_and_direction_marks_do_not_reach_a_terminal() -> None:
    shown = clean("a\x1b[2J\x9b31m\r\n\u202eb\u2066\u200bc\0<|im_start|>", 100)
    assert shown == "a[2J31m �b��c< |im_start|>"


def test_a_text_that_fits_is_shown_whole_and_a_longer_one_says_that_it_goes_on() -> None:
    assert clean("abcde", 5) == "abcde"
    assert clean("abcdef", 5) == "abcd…"


@given(st.text(max_size=500))
def test_a_pair_is_four_lines_whatever_it_holds(text: str) -> None:
    lines = list(pair_lines(PAIR | dict.fromkeys(("question", "answer", "persona", "evidence"), text)))
    assert [line.split()[0] for line in lines] == ["persona", "question", "answer", "evidence"]
    assert all(line.isprintable() for line in lines)


def test_a_pair_shows_who_asks_what() -> None:
    assert list(pair_lines(PAIR)) == [
        "  persona   a cook [Math]",
        "  question  How tall?",
        "  answer    330 m (quantity)",
        "  evidence  330 m",
    ]


def row(**values: Any) -> dict[str, Any]:
    return {"stage": "check", "unit": "pair", "seen": 0, "kept": 0, "dropped": {}, "failed": {}} | values


def test_the_funnel_tells_every_stage_with_its_most_frequent_reasons_first() -> None:
    dropped = {"a": 1, "b": 2000, "c": 30, "d": 4, "e": 5}
    head, line, empty = funnel_lines([row(seen=12345, kept=10302, dropped=dropped, failed={"timeout": 3}), row()])
    assert head.split() == ["stage", "seen", "kept", "dropped", "failed", "why"]
    assert line.split() == [
        *("check", "pairs", "12,345", "10,302", "2,040", "3"),
        *("b", "2,000,", "c", "30,", "e", "5,", "d", "4,", "other", "4"),
    ]
    assert empty.split() == ["check", "pairs", "0", "0", "0", "0"]
    assert empty == empty.rstrip()


def books(**values: Any) -> list[str]:
    count = {"seen": 10, "kept": 5, "dropped": {"filter": 2, "read": 1}, "failed": {"check": 2}}
    summary = {"documents": count, "pairs": count, "unreadable": {}, "calls": {}, "failures": {}}
    return list(books_lines(summary | values))


def test_the_books_say_that_seen_is_kept_and_dropped_and_failed() -> None:
    assert books() == [
        "documents: 10 seen = 5 kept + 3 dropped + 2 failed",
        "pairs: 10 seen = 5 kept + 3 dropped + 2 failed",
    ]


def test_the_books_tell_how_long_a_call_took_in_each_stage_that_made_some() -> None:
    none = {"answered": 0, "prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "unusable": {}}
    slow = none | {"latency_s": {"p50": 0.012345, "p95": 99.94, "p99": 86400.0}}
    quick = none | {"latency_s": {"p50": 1.0, "p95": 2.5, "p99": 30.25}}
    of_an_older_version = none
    calls = {"check": quick, "classify": none | {"latency_s": {}}, "filter": slow, "generate": of_an_older_version}
    assert books(calls=calls)[3:] == [
        "seconds per call, p50 / p95 / p99: check 1 / 2.5 / 30.2, filter 0.0123 / 99.9 / 86,400",
    ]
    assert len(books(calls={"generate": of_an_older_version})) == 3


def test_the_books_tell_calls_tokens_and_every_answer_that_was_of_no_use() -> None:
    calls = {"answered": 1000, "prompt_tokens": 2000, "cached_tokens": 500, "completion_tokens": 30, "unusable": {}}
    money = {"usd": 1234.567, "usd_by_stage": {"check": 1234.56, "filter": 0.0067}, "usd_per_pair": 0.5}
    lines = books(calls={"check": calls | {"unusable": {"refused": 2}}, "filter": calls}, **money)
    assert lines[2:] == [
        "calls answered: 2,000; tokens: 4,000 in (1,000 cached), 60 out",
        "cost: $1,234.57 (check $1,234.56, filter $0.0067); $0.50 for each pair kept",
        "  check: 1,000 calls, 2,000 in (500 cached), 30 out",
        "answers of no use in check: refused 2",
        "  filter: 1,000 calls, 2,000 in (500 cached), 30 out",
    ]


def test_the_books_say_what_is_missing_when_the_cost_is_unknown() -> None:
    calls = {"answered": 1, "prompt_tokens": 2, "cached_tokens": 0, "completion_tokens": 3, "unusable": {}}
    lines = books(calls={"check": calls}, usd=None, usd_by_stage={"check": None}, usd_per_pair=None)
    assert "unknown" in lines[3]
    assert "`price:`" in lines[3]


@pytest.mark.parametrize(
    ("usd", "told"),
    [(0, "$0.00"), (0.000012345, "$0.0000123"), (0.1, "$0.10"), (0.9999, "$1.00"), (12345.678, "$12,345.68")],
)
def test_small_sums_keep_digits_that_say_something(usd: float, told: str) -> None:
    assert dollars(usd) == told


def test_the_books_say_where_to_look_when_nothing_was_kept() -> None:
    nothing = {"seen": 3, "kept": 0, "dropped": {"filter": 3}, "failed": {}}
    assert books(pairs=nothing)[-1] == "no pair was kept: dropped/ names the reason for each document"


def test_the_books_tell_what_could_not_be_read_and_what_will_be_tried_again() -> None:
    lines = books(unreadable={"corrupt_line": 3}, failures={"check: timeout": 4, "filter: refused": 1})
    assert lines[2].startswith("unreadable records: corrupt_line 3")
    assert lines[3] == "failures: check: timeout 4, filter: refused 1 (failed/ names each); run again to try them again"


def test_difficulty_is_told_with_how_often_and_what_it_cost() -> None:
    counts = {"never": 1, "sometimes": 2, "always": 1, "undecided": 0, "not_measured": 0}
    answers = {"solved": 9, "wrong": 6, "undecided": 0, "cut_off": 1, "refused": 0, "failed": 0}
    told = {"model": "m\x1b[2J", "samples": 4, "mean": 0.6, "answers": answers, "calls": 16, "usd": 0.0123} | counts
    lines = list(difficulty_lines(told | {"failures": {}, "dataset": "runs/x/dataset"}))
    assert "sometimes              2   50 %  what reinforcement learning learns from" in lines
    assert "4 questions, 4 samples each by m[2J; mean rate 0.600" in lines
    assert "samples: 16 = 9 solved + 6 wrong + 0 undecided + 1 cut off + 0 refused + 0 failed" in lines
    assert "calls answered: 16; cost: $0.0123" in lines
    failed = told | {"mean": None, "usd": None, "failures": {"closed_book: timeout": 2}, "dataset": "d"}
    assert any(line.startswith("failures: closed_book: timeout 2;") for line in difficulty_lines(failed))


def test_rationales_are_told_with_what_was_held_out_and_why_some_were_dropped() -> None:
    held_out = {"documents": 3, "asked": 10, "of": 60, "count": 10_000, "share": 0.2, "seed": 0}
    ends = {"kept": 7, "dropped": {"given_answer": 1, "wrong": 2}, "failed": 0, "generator": "openai/m\x1b[2J"}
    paths = {"dataset": "runs/x/rationales/dataset", "held_out": "runs/x/rationales/held_out.parquet"}
    told = held_out | ends | paths | {"calls": 10, "usd": 0.0123, "failures": {}}
    assert list(rationale_lines(told)) == [
        "held out: 3 documents with 10 of 60 pairs (no more than 10,000, nor than 20 %)",
        "rationales: 10 asked = 7 kept + 3 dropped + 0 failed",
        "  wrong                 2",
        "  given_answer          1",
        "written by: openai/m[2J",
        "calls answered: 10; cost: $0.0123",
        "held out: runs/x/rationales/held_out.parquet",
        "dataset: runs/x/rationales/dataset",
    ]
    failed = list(rationale_lines(told | {"usd": None, "failures": {"rationale: timeout": 2}}))
    assert any(line.startswith("failures: rationale: timeout 2;") for line in failed)
    assert any(line.startswith("cost: unknown") for line in failed)
