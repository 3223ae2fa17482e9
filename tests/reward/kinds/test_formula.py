"""Formulas are compared by what they are worth; nothing that a text can hold makes that slow, or an exception."""

from __future__ import annotations

import importlib.util
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from webscale_rl.reward.kinds import formula
from webscale_rl.reward.maths import worker
from webscale_rl.reward.maths.evaluate import exact
from webscale_rl.reward.maths.expression import parse
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.verdict import Match

LIMIT_S = 1.0


def decided(reference: str, answer: str, question: str = "", **fields: bool) -> bool | None:
    return formula.compare(Reference(reference, "formula", **fields), answer, question).same  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        (r"\frac{1}{2}", r"\frac12"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{1}{2}", "½"),
        (r"1\frac{4}{5}", "1.8"),
        (r"0.\overline{3}", r"\frac13"),
        (r"10,\!080", "10080"),
        (r"11\sqrt2", r"\sqrt{242}"),
        (r"\sqrt[3]{-8}", "-2"),
        (r"x^2+2x+1", "(x+1)^2"),
        (r"\sin^2 x", r"1-\cos^2 x"),
        (r"\cot x", r"\frac{1}{\tan x}"),
        (r"\frac{n(n+1)}{2}", r"\binom{n+1}{2}"),
        ("x=5", "5"),
        ("5", r"x = \frac{10}{2} = 5"),
        ("y = 2x + 3", "2x - y + 3 = 0"),
        ("y = 2x + 3", "2x + 3"),
        ("F = ma", "m a = F"),
        ("(2,\\infty)", "x > 2"),
        ("[-2,7]", r"-2 \le x \le 7"),
        (r"(-\infty, 2) \cup (3, \infty)", r"x < 2 \text{ or } x > 3"),
        (r"\mathbb{R} \setminus \{2\}", r"x \neq 2"),
        (r"(-3, 3)", "|x| < 3"),
        (r"x = 2 \text{ or } x = 3", r"\{3, 2\}"),
        (r"1 \pm \sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}"),
        (r"\{1\pm\sqrt{5},-2\}", r"-2, 1+\sqrt5, 1-\sqrt5"),
        ("x = 2, y = -1", "(2, -1)"),
        (r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}", r"\begin{bmatrix} 0.2 \\ -3.6 \end{bmatrix}"),
        (r"90^\circ", "90 degrees"),
        (r"\frac{\pi}{2}", r"90^\circ"),
        ("1011_2", "1011_{2}"),
        ("O(n log n)", r"\mathcal{O}(n \log_2 n)"),
        (r"15\mbox{ cm}^2", "15 square cm"),
        (r"\text{east}", "East."),
        ("H2O", r"\text{H}_2\text{O}"),
        (r"\sqrt{2}", "1.4142"),
        (r"\{ \}", r"\emptyset"),
    ],
)
def test_the_same_value_in_another_form_is_right(reference: str, answer: str) -> None:
    question = "What is the formula?" if reference == "H2O" else ""
    assert decided(reference, answer, question) is True
    assert decided(answer, reference, question) is True


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        (r"\frac{1}{2}", "2"),
        (r"11\sqrt2", r"2\sqrt{11}"),
        ("|x-5|", "5-x"),
        ("|x-100|", "100-x"),
        ("p - q", "q - p"),
        ("x^2 + 1", "y^2 + 1"),
        ("x=5", "y=5"),
        ("5", "x = 5 or x = 6"),
        ("y = 2x + 3", "y = 2x - 3"),
        ("F = ma", "F = m + a"),
        ("(2,\\infty)", r"x \ge 2"),
        ("[-2,7]", "[-2,7)"),
        (r"(-\infty, 2) \cup (3, \infty)", "(2, 3)"),
        ("(3, 4)", "(4, 3)"),
        (r"\{2, 3\}", r"\{2, 3, 5\}"),
        (r"1 \pm \sqrt{19}", r"1 + \sqrt{19}"),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 2 & 1 \end{pmatrix}"),
        (r"90^\circ", r"60^\circ"),
        ("1011_2", "1011_3"),
        ("O(n log n)", "O(n)"),
        (r"15\mbox{ cm}^2", r"15 \text{ m}^2"),
        ("10^{20}", "10^{20} + 1"),
        (r"\sqrt{2}", "1.4143"),
        (r"\frac{1}{3}", "0.3"),
    ],
)
def test_another_value_is_wrong(reference: str, answer: str) -> None:
    assert decided(reference, answer) is False
    assert decided(answer, reference) is False


@pytest.mark.parametrize(
    "answer",
    [
        r"Therefore, $x = \frac{1}{2}$.",
        r"\(x = \dfrac{1}{2}\)",
        r"$$\boxed{\frac12}$$",
        "The solution of the equation is x = 1/2.",
        r"The value of $x$ is $\frac{1}{2}$, which lies between 0 and 1.",
        r"So, $x = \frac{1}{2}$ (approximately 0.5).",
        r"Dividing both sides by 2 gives $x = \frac{1}{2}$.",
    ],
)
def test_a_sentence_says_what_its_formula_says(answer: str) -> None:
    assert decided(r"\frac{1}{2}", answer) is True


@pytest.mark.parametrize(
    "answer",
    [
        r"It is not $\frac{1}{2}$.",
        r"Maybe $\frac{1}{2}$",
        r"$\frac{1}{2}$ if $a > 0$",
        r"either $\frac{1}{2}$ or $\frac{1}{3}$",
        r"$x = \frac{1}{2} = \frac{1}{3}$",
        "half a million",
        r"\frac{1}{2} million",
        "",
    ],
)
def test_what_is_denied_hedged_or_contradicts_itself_is_never_right(answer: str) -> None:
    assert decided(r"\frac{1}{2}", answer) is not True


def test_where_something_happens_is_not_what_it_is() -> None:
    assert decided("2", "The function has no value at $2$.") is not True
    assert decided("(1.5, -13)", r"The vertex is at $\left(\frac{3}{2}, -13\right)$.") is True
    assert decided("O(log n)", "It takes O(log n) time, for it halves the space at each step.") is True
    assert decided("O(log n)", "It takes O(log n) time at best and O(n) at worst.") is not True


def test_a_number_within_an_expression_is_not_what_it_says() -> None:
    for text in (
        "5r^5",
        r"1 \pm \sqrt{19}",
        r"\left(3, \frac{\pi}{2}\right)",
        "5x - 7y + 4 = 0",
        r"2\pi",
        "$5!$",
        "1 - 12i",
    ):
        assert formula.is_expression(text)
    for text in ("5", r"\frac{14}{3}", "5 m", "5k", r"15 \text{ cm}^2", "x = 5", "The year was 1969.", "Paris"):
        assert not formula.is_expression(text)


def test_an_expression_of_the_question_is_no_answer() -> None:
    assert decided("x^2+2x+1", "(x+1)^2", "Expand $(x+1)^2$.") is False
    assert decided("391", r"17 \times 23", "What is 17 × 23?") is not True
    assert decided("m = F/a", "F = ma", "Solve $F = ma$ for m.") is not True
    assert decided(r"\frac{1}{3}", "1/3", "Is 1/3 or 0.3 larger?") is True


def test_expand_and_factor_ask_for_a_form() -> None:
    assert decided("(x-3)(x+3)", "x^2-9", "Factor the difference of squares.") is False
    assert decided("(x-3)(x+3)", "(x+3)(x-3)", "Factor the difference of squares.") is True
    assert decided("x^2+2x+1", "(x+1)(x+1)", "Expand the square.") is False


def test_a_decimal_stands_for_an_exact_value_only_with_digits_enough_and_where_none_is_asked_for() -> None:
    assert decided(r"\frac{2}{3}", "0.6667") is True
    assert decided(r"\frac{2}{3}", "0.667") is None
    assert decided(r"\frac{2}{3}", "0.6667", "What is the exact value?") is None
    assert decided("0.15", r"\frac{2}{13}") is not True


def test_order_counts_only_where_the_reference_says_so() -> None:
    assert decided("3, 5, 7", "7, 5, 3") is True
    assert decided("3, 5, 7", "7, 5, 3", ordered=True) is False
    assert decided("3, 5, 7", "3, 5, 7", ordered=True) is True


def test_two_numbers_with_a_comma_are_one_number_or_two_as_the_other_text_says() -> None:
    assert decided("100,200", "100, 200") is True
    assert decided("100,200", "100200") is True
    assert decided("(100,200)", "100200") is False


@pytest.mark.parametrize(
    "text", ["9^9^9^9", "2^{10^9}", "1000!", r"\binom{10^9}{10^8}", "(2^{8000})^{2}", "7^{-99999}"]
)
def test_what_is_too_large_is_refused_and_not_computed(text: str) -> None:
    began = time.process_time()
    assert exact(parse(text)) is None
    assert time.process_time() - began < LIMIT_S
    assert decided(text, text) is True


HOSTILE = {
    "brackets": "(" * 900 + "x" + ")" * 900,
    "braces": "{" * 900 + "x" + "}" * 900,
    "open braces": "{" * 1900,
    "fractions": r"\frac{" * 200 + "1" + "}{2}" * 200,
    "roots": r"\sqrt[3]{" * 100 + "8" + "}" * 100,
    "written": r"\text{" * 200 + "x 1" + "}" * 200,
    "styled": r"\mathrm{" * 150 + "x1" + "}" * 150,
    "matrices": r"\begin{pmatrix}" * 60 + "1" + r"\end{pmatrix}" * 60,
    "wide": r"\begin{pmatrix}" + "1&" * 250 + r"1\end{pmatrix}",
    "a hundred thousand characters": "x+" * 50_000,
    "tower": "9^" * 500 + "9",
    "factorials": "5" + "!" * 600,
    "sum of powers": "+".join(["9^{999}"] * 200),
    "product of powers": "*".join(["2^{4000}"] * 150),
    "fractions that share nothing": "+".join(f"1/{n}" for n in range(10**6, 10**6 + 140)),
    "quotients": "/".join(["3"] * 300),
    "letters": "x" * 600,
    "signs": "-" * 1900 + "1",
    "primes": "x" + "'" * 1900,
    "bars": "|x" * 900,
    "list": "1," * 900 + "1",
    "set": r"\{" + ",".join(f"\\sqrt{{{n}}}" for n in range(150)) + r"\}",
    "alternatives": "x or " * 400 + "x",
    "chain": "x=" * 900 + "1",
    "intervals": r"(1,2)\cup" * 200 + "(1,2)",
    "digits": "9" * 1999,
    "dollars": "$5" * 900,
    "copulas": " is" * 600,
    "raised": "²" * 1900,
    "surrogates": "\ud800" * 500,
    "nulls": "\x00" * 1000,
    "atoms": "(H" * 900,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_at_once(name: str) -> None:
    text = HOSTILE[name]
    for reference in (r"\frac{x+1}{2}", r"\{1, 2\}", r"(2, \infty)", "y = 2x + 3"):
        began = time.process_time()
        assert decided(reference, text, "What is the formula?") is not True
        assert time.process_time() - began < LIMIT_S
    began = time.process_time()
    formula.infer(text, "What is the formula?")
    formula.compare(Reference(text, "formula"), f"{text} ", "")
    assert time.process_time() - began < 2 * LIMIT_S


PIECES = r"""
\frac \sqrt \sqrt[3] { } ( ) [ ] \{ \} | , ; + - * / ^ _ ! % ° ' = < \le \in \cup \setminus \pm \mp \infty \pi x
y 2 10 0.5 1,000 sin \log_2 \text{ \text{cm} \begin{pmatrix} \end{pmatrix} & \\ \binom \overline : \to or and is
\mathrm{ H2O O( n \circ $ \( \) \boxed{ e i \mathbb{R} ² √ ½ ∪ \emptyset \lfloor \rfloor mod to . the \ldots 8_
floor( min( gcd( \det
""".split()


def test_no_arrangement_of_signs_raises_and_each_is_like_itself() -> None:
    chosen = random.Random(5)
    for _ in range(700):
        text = chosen.choice(["", " "]).join(chosen.choices(PIECES, k=chosen.randint(1, 14)))
        reference = chosen.choice(
            [r"\frac{x+1}{2}", r"\{1, 2\}", r"(2, \infty)", "y = 2x + 3", "|x| < 3", "52_8", "3:4"]
        )
        formula.infer(text, "formula")
        decided(reference, text, "Solve $x$, factor or expand it.")
        decided(text, reference)
        assert decided(text, text) is True


@pytest.mark.parametrize(
    "text",
    [
        r"\frac{14}{3}",
        "p - q",
        "x^2+2x+1",
        "y = 2x - 3",
        r"(3, \frac{\pi}{2})",
        "(3, 4)",
        "6 - 5i",
        r"2\sqrt{3}",
        "10!",
    ],
)
def test_formulas_are_known_as_such(text: str) -> None:
    assert formula.infer(text) == Reference(text, "formula")


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "1,234",
        "Paris",
        "24/7",
        "10-20",
        "T-cell",
        "42 km",
        "yes",
        "C",
        "A, B",
        "AC/DC",
        "COVID-19",
        "3.14",
        "n/a",
    ],
)
def test_words_and_plain_numbers_are_other_kinds(text: str) -> None:
    assert formula.infer(text) is None


def test_an_isomer_is_not_called_wrong_and_case_tells_elements_apart() -> None:
    assert decided("CO", "Co", "Which chemical compound is it?") is False
    assert decided("C2H6O", "C2H5OH", "Which chemical formula is it?") is None


@pytest.fixture
def sympy_on() -> object:
    worker.enable(5.0)
    yield
    worker.enable(0)


def test_without_sympy_the_verdict_is_open_and_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = worker.Worker()
    fresh.limit_s, fresh.missing = 1.0, True
    monkeypatch.setattr(worker, "_WORKER", fresh)
    assert worker.equal(parse("x"), parse("y")) == Match(None, "no_sympy")


@pytest.mark.skipif(importlib.util.find_spec("sympy") is None, reason="the extra [math] is not installed")
@pytest.mark.usefixtures("sympy_on")
def test_sympy_decides_in_a_process_that_may_die_at_any_time() -> None:
    one, other = parse("x^2+2x+1"), parse("(x+1)^2")
    assert worker.equal(one, other) == Match(True, "sympy")
    assert worker.equal(one, parse("x^2+1")) == Match(False, "sympy")
    process = worker._WORKER.process
    assert process is not None
    process.kill()
    process.wait()
    assert worker.equal(one, other) == Match(True, "sympy")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: worker.equal(one, other), range(8))) == {Match(True, "sympy")}
    worker.enable(1e-6)
    assert worker.equal(one, other) == Match(None, "sympy_slow")
    assert worker._WORKER.process is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_after_a_fork_has_a_worker_of_its_own() -> None:
    parent = worker._WORKER
    with parent.lock:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(
                write, b"1" if worker._WORKER is not parent and worker._WORKER.lock.acquire(blocking=False) else b"0"
            )
            os._exit(0)
        os.waitpid(pid, 0)
    assert os.read(read, 1) == b"1"
