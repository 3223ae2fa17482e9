"""The books: kept + dropped + failed = seen, everywhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.backend import Usage
from webscale_rl.engine.finish import summarise
from webscale_rl.histogram import Histogram
from webscale_rl.tally import END_DROPPED, END_FAILED, END_KEPT, Calls, Tally, add_calls

STAGES = ("heuristics", "filter", "classify", "generate", "precheck", "check", "dedup")
UNITS = {name: "document" if place < 3 else "pair" for place, name in enumerate(STAGES)}


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    tally = Tally()
    for unit in ("document", "pair"):
        tally.end(unit, "", END_KEPT, count=draw(st.integers(0, 99)))
    for name in STAGES:
        for word in ("a", "b|c"):
            tally.end(UNITS[name], name, END_DROPPED, word, draw(st.integers(0, 9)))
        if name != "dedup":
            tally.end(UNITS[name], name, END_FAILED, "timeout", draw(st.integers(0, 9)))
    return tally


@given(tallies())
def test_kept_plus_dropped_plus_failed_is_seen_at_every_stage(tally: Tally) -> None:
    books = summarise(tally, STAGES[:-1], UNITS, STAGES[-1:])
    for row in [books["documents"], books["pairs"], *books["funnel"]]:
        assert row["seen"] == row["kept"] + sum(row["dropped"].values()) + sum(row["failed"].values())
    for unit, total in (("document", books["documents"]), ("pair", books["pairs"])):
        rows = [row for row in books["funnel"] if row["unit"] == unit]
        assert rows[0]["seen"] == total["seen"], "the first stage sees all"
        assert rows[-1]["kept"] == total["kept"], "what the last stage keeps is kept"
        for before, after in pairwise(rows):
            assert after["seen"] == before["kept"], "a stage sees what the one before kept"


@given(tallies(), tallies())
def test_the_books_of_two_shards_are_the_sum_of_theirs(one: Tally, other: Tally) -> None:
    both = Tally()
    both.add(one)
    both.add(other)
    for unit in ("document", "pair"):
        assert both.total(unit).seen == one.total(unit).seen + other.total(unit).seen
        for name in STAGES:
            assert both.at(name, (), unit).seen == one.at(name, (), unit).seen + other.at(name, (), unit).seen
    swapped = Tally()
    swapped.add(other)
    swapped.add(one)
    assert {key: n for key, n in both.ends.items() if n} == {key: n for key, n in swapped.ends.items() if n}


def test_every_count_names_its_stage_its_word_and_its_number() -> None:
    tally = Tally()
    tally.end("document", "read", END_DROPPED, "no_text")
    tally.end("document", "filter", END_DROPPED, "not_informative", 2)
    tally.end("document", "filter", END_FAILED, "timeout")
    tally.end("pair", "check", END_DROPPED, "leaks_answer", 3)
    tally.end("pair", "check", END_FAILED, "rate_limited", 4)
    tally.end("pair", "", END_KEPT, count=5)
    assert tally.total("document").plain() == {
        "seen": 4,
        "kept": 0,
        "dropped": {"filter": 2, "read": 1},
        "failed": {"filter": 1},
    }
    assert tally.at("check", (), "pair").plain() == {
        "seen": 12, "kept": 5, "dropped": {"leaks_answer": 3}, "failed": {"rate_limited": 4}
    }  # fmt: skip
    assert tally.at("generate", ("check",), "pair").plain() == {"seen": 12, "kept": 12, "dropped": {}, "failed": {}}
    assert tally.dropped_by("read") == {"no_text": 1}
    assert tally.failures() == {"check: rate_limited": 4, "filter: timeout": 1}


def test_a_word_may_hold_any_character() -> None:
    tally = Tally()
    tally.end("pair", "check", END_DROPPED, "a|b|c")
    assert tally.dropped_by("check") == {"a|b|c": 1}


def test_a_fresh_count_shares_nothing_with_another() -> None:
    Tally().end("pair", "", END_KEPT)
    one, other = Calls(unusable={"refused": 1}), Calls()
    add_calls(other, one)
    add_calls(other, one)
    assert one.unusable == {"refused": 1}
    assert other.unusable == {"refused": 2}
    assert Calls().unusable == {} == Tally().ends


def test_the_calls_of_a_stage_add_up_token_by_token() -> None:
    ours = Calls(1, 2, 3, 4, 5, 6.0, {"empty": 1}, latency=Histogram({7: 1}))
    add_calls(ours, Calls(10, 20, 30, 40, 50, 60.0, {"empty": 1, "refused": 2}, latency=Histogram({7: 2, 8: 3})))
    assert ours == Calls(11, 22, 33, 44, 55, 66.0, {"empty": 2, "refused": 2}, latency=Histogram({7: 3, 8: 3}))
    ours = Calls(usd=0.5, unpriced=1, unpriced_tokens=Usage(1, 2, 3, 4))
    add_calls(ours, Calls(usd=0.25, unpriced=2, unpriced_tokens=Usage(10, 20, 30, 40)))
    assert ours == Calls(usd=0.75, unpriced=3, unpriced_tokens=Usage(11, 22, 33, 44))
    assert set(Usage.__struct_fields__) < set(Calls.__struct_fields__), "no kind of token is left out of the books"
