"""The refining stages by rule: debris goes, text stays, and a good text is told from a poor one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.refine.judges import corpus, rows
from webscale_rl.api import refine
from webscale_rl.backends.extractive.refining import _fault, debris, edits

PROSE = (
    "The Orle rises at 1,034 metres on the slope of Mount Teval and flows for 40 kilometres to the lake of Sund.[1]\n"
    "It floods in spring, because the snow of the upper valley melts within a few weeks.\n"
    "The bridge at Karsk was built in 1934 by Anna Holm; it is called the Granite Bridge, since its stone is local.\n"
)
MENU = "Skip to content\n\nHome\n\nNews\n\nSport\n\nAbout us\n\nContact\n\nHome > Rivers > Orle\n"
FOOT = "Share this\nWe use cookies. By using this site you accept our privacy policy.\n© 2021 Orle Times\nPage 2 of 7\n"
MESSY = MENU + PROSE.replace(" and ", "&nbsp;and ", 1) + FOOT
SPAM = "CLICK HERE to make money fast!!! 100% free, act now, no obligation! Unsubscribe. Order now! " * 4
BAKED = "A simple recipe for easter cookies.\n\n    print\n    https://example.org/a\n"
CODE = "def f(x):\n    x[1] = 2\n    return x[1]\n\nelse\nend\nend\nend\nend\nend\n"
TABLE = "| a | b |\n|---|---|\n| Not available | 1 |\n| Not available | 2 |\n| Not available | 3 |\n"
RECIPE = "Bread\n\n- 500 g flour\n- Salt\n- Water\n- Yeast\n- Oil\n- Sugar\n\nMix all and bake it at 220 degrees.\n"
WRAPPED = (
    "Some of them have lovely self-made stories and send a newsletter\n"
    "each month, which readers like:\nthe login that it needs is the same as that of the\nsite itself.\n"
)


@pytest.mark.parametrize("method", ["prox", "gdr"])
def test_a_messy_page_loses_its_debris_and_keeps_its_text(tmp_path: Path, method: str) -> None:
    done = refine(corpus(tmp_path, {"messy": MESSY, "spam": SPAM, "clean": PROSE}), tmp_path / "out", method=method)
    kept = {row["id"]: row for row in rows(done.refined)}
    assert set(kept) == {"messy", "clean"}
    expected = PROSE.replace("[1]", "").replace(" and ", " and ", 1)
    assert "".join(kept["messy"]["text"].split()) == "".join(expected.split())
    assert kept["clean"]["text"] == expected
    assert kept["messy"]["refiner"] == "extractive"
    assert json.loads(kept["messy"]["edits"])


@pytest.mark.parametrize(
    "text", [CODE, TABLE, RECIPE, WRAPPED, BAKED], ids=["code", "table", "recipe", "wrapped", "baked"]
)
def test_code_tables_lists_and_wrapped_lines_stay(text: str) -> None:
    assert debris(text.split("\n")) == set()


def test_a_short_statement_is_worth_keeping(tmp_path: Path) -> None:
    texts = {
        "fact": "n12 has 64 beads. n12 lives in r8.",
        "label": "Black Carbon Fiber Skin",
        "ad": "Buy now, it is free!",
    }
    for method in ("prox", "gdr"):
        done = refine(corpus(tmp_path, texts), tmp_path / method, method=method)
        assert [row["id"] for row in rows(done.refined)] == ["fact"]


def test_a_piece_of_formulas_is_not_left_out_of_a_text(tmp_path: Path) -> None:
    proof = "We claim that the map is the composition of both.\n$$E = \\mathcal{O} \\otimes E \\to K$$\n" * 30
    done = refine(
        corpus(tmp_path, {"proof": proof}),
        tmp_path / "out",
        method="gdr",
        settings={"stages": {"chunks": {"max_tokens": 300}}},
    )
    assert [row["text"] for row in rows(done.refined)] == [proof]


@pytest.mark.parametrize("unit", ["a ", "a, ", "a", "a-", "a | ", "Ab\n", "[1]", "&a", "share this "])
def test_a_hostile_text_takes_no_more_time_than_it_is_long(unit: str) -> None:
    text = unit * (60_000 // len(unit))
    started = time.process_time()
    _fault(text)
    list(edits(text.split("\n")))
    assert time.process_time() - started < 1.5


def test_prose_is_better_than_menus_and_spam(tmp_path: Path) -> None:
    texts = {f"prose{at}": PROSE.replace("1,034", str(at)) for at in range(8)}
    texts |= {f"menu{at}": MENU.replace("Sport", f"Sport{at}x") * 3 for at in range(8)}
    texts |= {f"spam{at}": SPAM.replace("fast", f"fast {at}") for at in range(8)}
    settings = {"stages": {"select": {"keep": 0.25}}}
    done = refine(corpus(tmp_path, texts), tmp_path / "q", method="qurating", settings=settings)
    kept = [row["id"] for row in rows(done.refined)]
    assert kept
    assert all(name.startswith("prose") for name in kept)
