"""The free rules drop what is no text, and name the rule and what it measured."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import TAXONOMY, TEXT, document, reason, stage
from webscale_rl.stages.heuristics import Heuristics, HeuristicsOptions
from webscale_rl.types import Drop

PROSE = f"{TEXT} It was drawn by Maurice Koechlin and Émile Nouguier, two engineers of the company, in May 1884."
PYTHON = """# Counts words in a file.
import sys

# A word is what stands between white space.
def count(path):
    # Opened as UTF-8, whatever the locale.
    with open(path, encoding="utf-8") as file:
        total = 0
        for line in file:
            total += len(line.split())  # no regular expression
    return total

# ---------------------------------------------------------------- main
if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(path, count(path))
"""
MATHS = (
    "Let f(x) = x^2 - 3x + 2. To find its roots, factor: x^2 - 3x + 2 = (x - 1)(x - 2), so f(x) = 0 if x = 1 or x = 2."
    " The vertex lies at x = 3/2, halfway between the roots, where f(3/2) = 9/4 - 9/2 + 2 = -1/4. Hence the smallest"
    " value of f on the real line is -1/4, and f has no largest value, because x^2 grows beyond every bound."
)
MARKDOWN = "\n\n".join(
    f"### {title}\n\nThis part of the manual says how to {verb} the pump, and what to do when it stops."
    for title, verb in (("Start", "start"), ("Stop", "stop"), ("Oil", "oil"), ("Clean", "clean"), ("Ship", "ship"))
)
CHINESE = (
    "埃菲尔铁塔是位于法国巴黎战神广场上的铁制镂空塔，世界著名建筑，"
    "法国文化象征之一，巴黎城市地标之一，巴黎最高建筑物，高三百三十米。"
)
THAI = "หอไอเฟลเป็นหอคอยโครงสร้างเหล็กตั้งอยู่บนชองเดอมาร์สในกรุงปารีสประเทศฝรั่งเศสสร้างขึ้นในปีหนึ่งพันแปดร้อยแปดสิบเก้า"
JAVASCRIPT = (
    "JavaScript was designed by Brendan Eich at Netscape in May 1995, in ten days. It is a dynamic language with"
    " first-class functions and prototypes. Its standard is called ECMAScript, and the first edition of that was"
    " published by Ecma International in June 1997, two years after the language had come with a browser."
)
RECIPE = "\n".join(
    f"Step {number}. {step}"
    for number, step in enumerate(
        (
            "Cream 225 g of butter with both sugars until the mixture is pale and soft.",
            "Beat in two eggs, one after the other, then the vanilla.",
            "Sift flour, soda and salt over it and fold them in.",
            "Stir in the chocolate; the cookies spread, so leave room between them.",
            "Bake the cookies at 190 degrees for nine to eleven minutes, until brown at the edge.",
        ),
        1,
    )
)
MENU = """Skip to content
Log in or sign up with your address
Subscribe to our weekly newsletter for free
We use cookies to remember what you looked at
Read more about the people behind these pages
Share on any network that your friends visit
Privacy policy of the shop and its partners
Terms of use, as changed in the spring
Add to cart, or keep it for another day
Back to top
All rights reserved by their owners
"""
POEM = "\n".join(
    "The sea is calm tonight. The tide is full, the moon lies fair upon the straits; on the French coast the light"
    " gleams and is gone; the cliffs of England stand, glimmering and vast, out in the tranquil bay. Come to the"
    " window, sweet is the night-air! Only, from the long line of spray where the sea meets the land.".split("; ")
)


@pytest.mark.parametrize(
    "text",
    [PROSE, PYTHON, MATHS, MARKDOWN, CHINESE, THAI, JAVASCRIPT, RECIPE, POEM, f"{PROSE}\n\n" * 1 + PYTHON],
    ids=["prose", "python", "maths", "markdown", "chinese", "thai", "javascript", "recipe", "poem", "mixed"],
)
def test_text_of_every_kind_stays(text: str) -> None:
    assert stage("heuristics").decide(document(text), None) == [document(text)]


@pytest.mark.parametrize(
    ("rule", "text", "detail"),
    [
        ("min_tokens", "Only five words stand here.", "5, limit 50"),
        ("min_tokens", "", "0, limit 50"),
        ("min_mean_word_length", "a b c d e f g h i k " * 10, "1, limit 2"),
        ("max_mean_word_length", " ".join(f"{number:03d}{'abcdefghij' * 3}" for number in range(60)), "33, limit 14"),
        ("max_symbol_ratio", " ".join(f"#tag{chr(97 + n % 26)}{n}" for n in range(60)), "1, limit 0.2"),
        ("max_symbol_ratio", " ".join(f"word{chr(97 + n % 26)}{n}…" for n in range(60)), "1, limit 0.2"),
        (
            "max_bullet_lines",
            "\n".join(f"- item {chr(97 + n % 26)}{n} of the list" for n in range(20)),
            "1, limit 0.95",
        ),
        (
            "max_ellipsis_lines",
            "\n".join(f"Headline number {n} that leads you on..." for n in range(12)),
            "1, limit 0.3",
        ),
        (
            "min_alphabetic_words",
            " ".join(f"{n * 37 % 1000}.5 -- value{chr(97 + n % 26)}" for n in range(40)),
            "0.3333, limit 0.5",
        ),
        ("max_duplicate_lines", (PROSE + "\n") * 3, "0.6667, limit 0.3"),
        ("max_top_bigram", "buy cheap " * 20 + PROSE, None),
        ("max_digits", " ".join(f"a{n * 7919:06d}" for n in range(60)), "0.8571, limit 0.35"),
        ("max_noise", PROSE + "\x01\ufffd\x02", None),
        (
            "max_boilerplate_lines",
            MENU,
            "1, limit 0.5",
        ),
        ("forbid_lorem_ipsum", PROSE + " Lorem  ipsum".replace("  ", " "), ""),
    ],
)
def test_each_rule_drops_what_it_is_for_and_says_what_it_measured(rule: str, text: str, detail: str | None) -> None:
    decision = stage("heuristics").decide(document(text), None)
    assert isinstance(decision, Drop)
    assert decision.reason == rule
    if detail is not None:
        assert decision.detail == detail
    elif rule != "forbid_lorem_ipsum":
        assert re.fullmatch(r"[\d.e-]+, limit [\d.]+", decision.detail)
    off: Any = False if rule == "forbid_lorem_ipsum" else None
    assert reason(stage("heuristics", **{rule: off}).decide(document(text), None)) != rule


def test_every_rule_is_a_reason_and_an_option() -> None:
    assert Heuristics.reasons == set(HeuristicsOptions.model_fields) - {"enabled", "preset", "pii_kinds"}


def test_with_every_rule_off_everything_stays() -> None:
    off = {rule: False if rule.startswith("forbid_") else None for rule in Heuristics.reasons}
    for preset in ("paper", "default", "strict"):
        for text in ("", " ", "\0", "lorem ipsum {a}.", "1 1 1 1", "me@example.com"):
            assert stage("heuristics", preset=preset, **off).decide(document(text), None) == [document(text)]


def test_the_paper_drops_what_is_short_and_nothing_else() -> None:
    paper = stage("heuristics", preset="paper")
    assert paper.decide(document("word " * 49), None) == Drop("heuristics", "min_tokens", "49, limit 50")
    for junk in ("word " * 50, "1 " * 60, "lorem ipsum {} me@example.com\n" * 30, "\x01 " * 50):
        assert reason(paper.decide(document(junk), None)) == "kept"


def test_what_is_set_overrides_the_preset() -> None:
    given = HeuristicsOptions(preset="strict", max_digits=0.1, min_stop_words=None, max_top_bigram=0.3)
    assert (given.max_digits, given.min_stop_words, given.max_top_bigram) == (0.1, None, 0.3)
    assert given.min_alphabetic_words == 0.8, "and nothing else"
    assert HeuristicsOptions(preset="paper", max_digits=0.1).max_digits == 0.1
    assert HeuristicsOptions() == HeuristicsOptions(preset="default")


def test_strict_has_what_was_published() -> None:
    strict = HeuristicsOptions(preset="strict")
    gopher = (strict.min_tokens, strict.max_tokens, strict.min_mean_word_length, strict.max_mean_word_length)
    assert gopher == (50, 100_000, 3, 10)
    assert (strict.max_symbol_ratio, strict.max_bullet_lines, strict.max_ellipsis_lines) == (0.1, 0.9, 0.3)
    assert (strict.min_alphabetic_words, strict.min_stop_words) == (0.8, 2)
    assert (strict.max_top_bigram, strict.max_top_trigram, strict.max_top_4gram) == (0.2, 0.18, 0.16)
    runs = [getattr(strict, f"max_duplicate_{size}grams") for size in range(5, 11)]
    assert runs == [0.15, 0.14, 0.13, 0.12, 0.11, 0.1]
    fineweb = (strict.min_punctuated_lines, strict.max_short_lines, strict.max_duplicate_lines, strict.max_newlines)
    assert fineweb == (0.12, 0.67, 0.01, 0.3)
    assert (strict.min_sentences, strict.forbid_curly_braces, strict.forbid_lorem_ipsum) == (5, True, True)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "min_stop_words",
            PROSE.replace("the", "ze").replace("of", "uv").replace("and", "und").replace(" to ", " tu "),
        ),
        ("max_duplicate_lines", f"{PROSE}\n{RECIPE}" + "\nOne line again." * 3),
        ("max_top_trigram", " ".join(f"as we say word{n}" for n in range(30))),
        ("max_top_4gram", " ".join(f"as we do say {'abcde'[n % 5]}word{n} and thing{n}" for n in range(30))),
        ("max_duplicate_5grams", f"{PROSE} So it was. {PROSE[:80]} as said, {PROSE[80:200]}, and {PROSE[200:280]}."),
        ("min_sentences", f"{PROSE[:-1]}, and more"),
        (
            "min_punctuated_lines",
            f"{PROSE}\n" + "\n".join(f"A line of menu number {n} that has no end" for n in range(9)),
        ),
        ("max_short_lines", f"{PROSE}\n" + "\n".join(f"Short is {n}." for n in range(9))),
        ("max_newlines", f"{PROSE}" + "\n" * 30),
        ("forbid_curly_braces", f"{PROSE}\nAnd so we write {{x}} for it."),
    ],
)
def test_each_published_rule_drops_what_it_is_for(rule: str, text: str) -> None:
    limits = {rule: getattr(HeuristicsOptions(preset="strict"), rule)}
    decision = stage("heuristics", preset="paper", **limits).decide(document(text), None)
    assert reason(decision) == rule
    strict = (
        {"pii": None, "credentials": None, "max_duplicate_lines": None}
        | limits
        | {rule: False if limits[rule] is True else None}
    )
    assert reason(stage("heuristics", preset="strict", **strict).decide(document(text), None)) != rule
    assert reason(stage("heuristics", preset="paper", **limits).decide(document(PROSE + "\n" + RECIPE), None)) == "kept"


def test_nothing_is_repeated_where_nothing_is() -> None:
    rule = stage("heuristics", preset="paper", min_tokens=0, max_duplicate_lines=0.3, max_duplicate_line_count=0.3)
    assert rule.decide(document(""), None) == [document("")]


def test_a_masked_document_is_a_new_one_with_all_else_as_it_was() -> None:
    before = document(f"{PROSE} Ask jane.doe@example.com.", source="web", metadata={"n": 1})
    assert stage("heuristics").decide(before, None) == [before]
    (after,) = stage("heuristics", pii="mask").decide(before, None)
    assert after.text == f"{PROSE} Ask [EMAIL]."
    assert (after.id, after.source, after.metadata) == (before.id, before.source, before.metadata)
    (same,) = stage("heuristics", pii="mask", pii_kinds=("ip",)).decide(before, None)
    assert same is before


def test_a_guard_drops_and_tells_what_kind_but_never_what() -> None:
    key = "AKIA" + "Q3ZK7YEXAMPLE234"
    text = document(f"{PROSE} Ask jane.doe@example.com or joe@example.org, +49 30 1234567. Key {key}.")
    decision = stage("heuristics", pii="drop", credentials="mask").decide(text, None)
    assert decision == Drop("heuristics", "pii", "email 2, phone 1")
    assert stage("heuristics", credentials="drop").decide(text, None) == Drop(
        "heuristics", "credentials", "credential 1"
    )
    (after,) = stage("heuristics", credentials="mask").decide(text, None)
    assert key not in after.text
    assert after.text.endswith("Key [CREDENTIAL].")


def test_a_limit_is_what_is_still_allowed() -> None:
    words = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(50))
    assert reason(stage("heuristics").decide(document(words), None)) == "kept"
    assert reason(stage("heuristics", min_tokens=51).decide(document(words), None)) == "min_tokens"
    assert reason(stage("heuristics", max_tokens=50).decide(document(words), None)) == "kept"
    assert reason(stage("heuristics", max_tokens=49).decide(document(words), None)) == "max_tokens"


def test_a_pair_of_words_that_stands_once_is_no_repetition() -> None:
    assert reason(stage("heuristics", min_tokens=0).decide(document("Hello world"), None)) == "kept"
    assert (
        reason(stage("heuristics", min_tokens=0).decide(document("Buy now buy now buy now"), None)) == "max_top_bigram"
    )


def test_a_menu_is_dropped_and_an_article_under_a_menu_is_not() -> None:
    menu = "Skip to content\nLog in\nSubscribe\nShare on social media\nPrivacy policy\nTerms of use\n"
    article = "\n".join(PROSE.split(". "))
    rule = stage("heuristics", min_tokens=0)
    assert reason(rule.decide(document(menu), None)) == "max_boilerplate_lines"
    assert reason(rule.decide(document(menu[:35] + article + "\n" + article.replace("e", "i")), None)) == "kept"


def test_words_that_merely_contain_a_menus_words_are_no_menu() -> None:
    lines = [
        "Downloading the design in parts",
        "He was assigned in March",
        "Logging of oak",
        "The catalog index",
        "Preloading",
    ]
    assert reason(stage("heuristics", min_tokens=0).decide(document("\n".join(lines)), None)) == "kept"


def test_each_character_of_a_script_without_spaces_counts_as_a_token() -> None:
    assert reason(stage("heuristics", min_tokens=55).decide(document(CHINESE), None)) == "kept"
    assert reason(stage("heuristics").decide(document(CHINESE[:40]), None)) == "min_tokens"


@given(st.text(max_size=300))
def test_the_rules_never_fail_and_change_nothing(text: str) -> None:
    decision = stage("heuristics", min_tokens=0).decide(document(text), None)
    assert isinstance(decision, Drop) or decision == [document(text)]


def test_no_worked_examples_document_breaks_a_rule_but_length() -> None:
    rule = stage("heuristics", min_tokens=30)
    dropped = [
        (domain.name, decision)
        for domain in TAXONOMY.domains
        for example in domain.examples
        if isinstance(decision := rule.decide(document(example.document), None), Drop)
    ]
    assert dropped == []
