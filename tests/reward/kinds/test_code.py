from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import code
from webscale_rl.reward.reference import Reference


def same(reference: str, answer: str, question: str = "") -> bool | None:
    return code.compare(Reference(reference, "code"), answer, question).same


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("git rebase -i", "`git rebase -i`"),
        ("git rebase -i", "Use `git rebase -i`."),
        ("git rebase -i", "```bash\ngit rebase -i\n```"),
        ("std::vector", '"std::vector"'),
        ("__init__", "__init__()"),
        ("len()", "len"),
        ("O(n log n)", "$O(n \\log n)$"),
        ("O(n log n)", "O(n*log(n))"),
        ("H2O", "H₂O"),
        ("H2O", "$\\mathrm{H_2O}$"),
        ("<a>", "The `<a>` tag"),
        ("PATH", "$PATH"),
        ("ls -a", "$ ls -a"),
    ],
)
def test_what_dresses_code_does_not_matter(reference: str, answer: str) -> None:
    assert same(reference, answer) is True


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("git rebase -i", "git rebase -I"),
        ("git rebase -i", "git rebase"),
        ("std::vector", "std::Vector"),
        ("std::vector", "std.vector"),
        ("__init__", "_init_"),
        ("CO", "Co"),
        ("H2O", "H2O2"),
        ("===", "=="),
        (r"\d+", r"\D+"),
        ("package.json", "package-lock.json"),
        ("O(n)", "O(log n)"),
    ],
)
def test_case_and_punctuation_matter(reference: str, answer: str) -> None:
    assert same(reference, answer) is False


@pytest.mark.parametrize(
    "answer",
    [
        "Don't use `git rebase -i`.",
        "`git rebase -i` or `git merge`",
        "Use `git merge` rather than `git rebase -i`.",
        "git rebase -i is slower, take git merge",
    ],
)
def test_code_that_is_denied_or_one_of_several_is_not_right(answer: str) -> None:
    assert same("git rebase -i", answer, "Which command edits commits?") is not True


@pytest.mark.parametrize(
    "answer",
    [
        "`foo`",
        "foo_bar",
        "std::vector",
        "__init__",
        "O(n log n)",
        "H2O",
        "package.json",
        "--force",
        "git rebase -i",
        r"\d+",
    ],
)
def test_the_spelling_of_code_is_recognised(answer: str) -> None:
    assert code.infer(answer) is not None


@pytest.mark.parametrize("answer", ["Paris", "photosynthesis", "Mr. Smith", "3.14", "NASA", "Dec. 5", "well-known"])
def test_a_plain_word_is_no_code(answer: str) -> None:
    assert code.infer(answer, "What is it?") is None


def test_a_keyword_is_code_if_the_question_names_a_language() -> None:
    assert code.infer("def", "Which keyword defines a function in Python?") is not None
    assert code.infer("def", "Which word is meant?") is None


@pytest.mark.parametrize("answer", ["`" * 100_000, "`a" * 50_000, '"' * 100_000, "foo(" * 25_000, "\\" * 100_000])
def test_an_endless_answer_is_never_right(answer: str) -> None:
    assert same("foo", answer) is not True
