from __future__ import annotations

import pytest

from tests.reward.report import cases, files
from webscale_rl.reward.reference import ORDER, Reference, infer, kind
from webscale_rl.reward.shape import candidates

REFERENCES = sorted(
    {
        (truth, case.question)
        for path in files()
        for case in cases(path)
        for truth in ([case.ground_truth] if isinstance(case.ground_truth, str) else case.ground_truth)
    }
)
FORMS = (
    *"yes B (b) twelve noon May spring NaCl x camelCase print JSON π ½ α Thursday e i Fe CO abs".split(),
    *("No, it is not.", "half past two", "Late Renaissance", "sin x", "p - q", "git commit", "GROUP BY", "x = y"),
    *("salt and pepper", "red\nblue", "a then b", "Jean-Luc Picard", "of Mice and Men", "3.5 kg", "five dollars"),
    *("ten percent", "at least two", "carbon dioxide (CO2)", "the nineteenth century", "a dozen eggs", "early 1900s"),
    *("all real numbers", "A, B", "1) red 2) blue", ""),
)
QUESTIONS = (
    *("", "Is it so?", "Which Python function prints?", "What is the formula of salt?", "Which? A) x B) y", "Who?"),
)


@pytest.mark.parametrize("name", ORDER)
def test_a_gate_shuts_out_only_what_its_kind_would_not_take(name) -> None:  # type: ignore[no-untyped-def]
    pairs = [*REFERENCES, *((form, question) for form in FORMS for question in QUESTIONS)]
    shut = [(answer, question) for answer, question in pairs if name not in candidates(ORDER, answer, question)]
    assert [pair for pair in shut if kind(name).infer(*pair) is not None] == []


def test_gates_spare_most_kinds_a_plain_phrase() -> None:
    assert candidates(ORDER, "the gravitational pull of the moon", "What causes tides?") == ["phrase"]


def test_what_is_inferred_does_not_depend_on_the_gates() -> None:
    for answer, question in REFERENCES:
        found = infer(answer, question)
        slow = next((one for name in ORDER if (one := kind(name).infer(answer, question)) is not None), None)
        assert found in (slow or Reference(answer, "phrase"), Reference(answer, "formula")), answer
