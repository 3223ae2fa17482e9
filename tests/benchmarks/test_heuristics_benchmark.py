"""What is said of two sides' decisions is counted right, and our side stands for the published filters."""

from __future__ import annotations

from benchmarks.heuristics import OURS, agreement, decide, differences, stage
from tests.stages.test_heuristics import PROSE
from webscale_rl.stages.heuristics import RULES, HeuristicsOptions


def test_two_drops_agree_whatever_their_reasons() -> None:
    assert agreement(["", "a", "", "b"], ["", "x", "y", ""]) == 0.5


def test_a_difference_names_the_side_that_drops() -> None:
    assert differences(["", "a", "", "b"], ["x", "y", "x", ""]) == "`x` there only 2, `b` here only 1"


def test_every_published_rule_is_compared_with_its_published_threshold() -> None:
    strict = HeuristicsOptions(preset="strict")
    named = {name for rules in OURS.values() for name in rules}
    ours = {"max_digits", "max_noise", "max_boilerplate_lines", "languages"}
    assert named == set(RULES) - ours
    for filter_name, rules in OURS.items():
        for name, limit in rules.items():
            if (filter_name, name) != ("Gopher repetition", "max_duplicate_lines"):  # FineWeb's is the stricter one
                assert getattr(strict, name) == limit, name


def test_our_decisions_are_the_stages() -> None:
    found = decide(stage(min_tokens=50), [PROSE, "short"], repeats=1)
    assert list(found.reasons) == ["", "min_tokens"]
    assert found.kept == 0.5
    assert found.per_second > 0
