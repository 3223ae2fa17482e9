from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.reward.extract import LONGEST_ANSWER, LONGEST_RESPONSE, STYLES, Extracted, NoAnswer, extract
from webscale_rl.reward.reference import TYPES

CAPITAL = "What is the capital of Australia?"


def found(response: str, style: str | None = None, question: str = "", wanted: str = "") -> tuple[str, str]:
    """How, and what."""
    result = extract(response, style, question, wanted)
    return (result.how, result.text) if isinstance(result, Extracted) else (result.how, "")


def test_formats_are_looked_for_in_the_documented_order() -> None:
    parts = ["<answer>a</answer>", "\\boxed{b}", '{"answer": "c"}', "Answer: d", "It is e."]
    for index, how in enumerate(["answer_tag", "boxed", "json", "marker", "sentence"]):
        assert found("\n".join(reversed(parts[index:])))[0] == how


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<answer> 42 </answer>", "42"),
        ("<answer>1</answer> no, <answer>42</answer>", "42"),
        ("<answer><answer>42</answer>", "42"),
        ("<answer>The answer is \\boxed{42}.</answer>", "42"),
        ("Use `<answer>` tags: <answer>42</answer>", "42"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\boxed {42}", "42"),
        ("\\boxed 5", "5"),
        ("$\\boxed 5$", "5"),
        ("\\fbox{42}", "42"),
        ("\\boxed{\\boxed{42}}", "42"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("} \\boxed{42}", "42"),
        ('{"reasoning": "\\"answer\\": 1", "answer": 42}', "42"),
        ('{"answer": 1.50}', "1.50"),
        ('{"final_answer": ["a", "b"]}', "a, b"),
        ('{"answer": true}', "true"),
        ("{'answer': 'it\\'s'}", "it\\'s"),
        ("Answer: 42", "42"),
        ("ANSWER: 42", "42"),
        ("**Answer:** 42", "42"),
        ("**Answer**: 42", "42"),
        ("The final answer is **42**.", "42."),
        ("So the answer is 42. I hope this helps.", "42."),
        ("The correct answer is: 42", "42"),
        ("Final answer (in metres): 42", "42"),
        ("## Answer\n\n42", "42"),
        ("**Final Answer:**\n$$\n42\n$$", "42"),
        ("Answer:\n42", "42"),
        ("...\n#### 42", "42"),
        ("#### 42\n", "42"),
        ("Réponse : 42", "42"),
        ("答案：42", "42"),
        ("Answer: Dr. Smith", "Dr. Smith"),
        ("Answer: Paris. It has been the capital for centuries.", "Paris."),
        ("Answer: Paris. Or London.", "Paris. Or London."),
    ],
)
def test_a_marked_answer_is_what_its_mark_holds(response: str, answer: str) -> None:
    assert found(response)[1] == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Canberra", "Canberra"),
        ("Canberra.", "Canberra."),
        ("The capital is Canberra. I hope this helps!", "The capital is Canberra."),
        ("The capital is Canberra. Let me know if you need anything else.", "The capital is Canberra."),
        ("The capital is Canberra. Is there anything else?", "The capital is Canberra."),
        ("The capital of Australia is Canberra. It was founded in 1913.", "The capital of Australia is Canberra."),
        ("Canberra. It was chosen as a compromise.", "Canberra."),
        ("Canberra\n\nCanberra was chosen as a compromise between Sydney and Melbourne.", "Canberra"),
        ("Sydney is the largest. So the capital is Canberra.", "So the capital is Canberra."),
        ("Sure! Here is the answer:\n\nCanberra", "Canberra"),
        (
            "It has the seat of government. **Canberra** is the capital of Australia.",
            "Canberra is the capital of Australia.",
        ),
        ("Sydney. Melbourne. Canberra.", "Sydney. Melbourne. Canberra."),
        ("- Sydney\n- Canberra", "- Sydney\n- Canberra"),
        ("It may be Sydney. Or it may be Canberra.", "It may be Sydney. Or it may be Canberra."),
        ("The capital of Australia is Sydney. Wait, that is wrong. It is Canberra.", "It is Canberra."),
        (
            "Canberra, A.C.T., pop. 450,000 approx. at last count",
            "Canberra, A.C.T., pop. 450,000 approx. at last count",
        ),
    ],
)
def test_without_a_mark_the_sentence_that_answers_counts(response: str, answer: str) -> None:
    assert found(response, question=CAPITAL)[1] == answer


@pytest.mark.parametrize(
    ("response", "why"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("<|im_end|>", "empty"),
        ("<answer></answer>", "empty"),
        ("\\boxed{ }", "empty"),
        ('{"answer": null}', "empty"),
        ("Answer:", "empty"),
        ("<think>42</think>", "empty"),
        ("<think>The answer is \\boxed{42}.", "unfinished_think"),
        ("<think>a</think> 42 <think> but", "unfinished_think"),
        ("\\boxed{42} and \\boxed{4", "unclosed_box"),
        ("\\boxed{\\frac{1}{2}", "unclosed_box"),
        ("<answer>42", "unclosed_answer"),
        ("<answer>42</answer> or <answer>4", "unclosed_answer"),
        ('{"answer": 42', "unclosed_json"),
        ("What? Why?\nHow?", "no_assertion"),
        ("Let me think. Let us see.", "no_assertion"),
        ("<answer>" + "x" * (LONGEST_ANSWER + 1) + "</answer>", "answer_too_long"),
        ("x" * (LONGEST_RESPONSE + 1), "response_too_long"),
    ],
)
def test_what_was_cut_off_or_says_nothing_has_no_answer(response: str, why: str) -> None:
    assert extract(response) == NoAnswer(why)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<think>It is 1. \\boxed{1} <answer>1</answer></think> 42", "42"),
        ("It is 1.</think>42", "42"),
        ("<think>a</think> 42 <think>b</think>", "42"),
        ("<thinking>1</thinking>42", "42"),
        ("The model writes `<think>` first: 42", "The model writes `<think>` first: 42"),
    ],
)
def test_thoughts_are_never_the_answer(response: str, answer: str) -> None:
    assert found(response)[1] == answer


@pytest.mark.parametrize("style", STYLES)
def test_a_style_takes_its_own_format_alone(style: str) -> None:
    formats = {
        "answer_tag": "<answer>42</answer>",
        "boxed": "\\boxed{42}",
        "json": '{"answer": 42}',
        "marker": "Answer: 42",
    }
    for name, response in formats.items():
        expected = "42" if style in (name, "any") else ""
        assert found(response, style)[1] == expected
    assert found("42", style) == (("sentence", "42") if style == "any" else (f"no_{style}", ""))


def test_an_unknown_style_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="there is no 'latex'; known: any, answer_tag"):
        extract("42", "latex")


@pytest.mark.parametrize(
    "response",
    [
        "<think>x</think> so \\boxed{ 42 } ",
        "é <answer>\n42\n</answer>",
        "Then **Answer:** 42",
        "I say: 42. I say: 42",
        '{"answer": 42}',
    ],
)
def test_the_span_is_where_the_answer_stands_in_the_response(response: str) -> None:
    result = extract(response)
    assert isinstance(result, Extracted)
    assert response[slice(*result.span)].strip() == result.text


@pytest.mark.parametrize(
    ("response", "others"),
    [
        ("\\boxed{1} \\boxed{2}", ("1",)),
        ("\\boxed{2} \\boxed{2}", ()),
        ("\\boxed{$2$} \\boxed{ 2. }", ()),
        ("<answer>1</answer><answer>2</answer>", ("1",)),
        ("<answer>2</answer> \\boxed{1}", ("1",)),
        ("Answer: 1\nAnswer: 2", ("1",)),
        ("Final answer: 1\n\\boxed{2}", ("1",)),
        ("Answer: \\boxed{2}", ()),
        ("\\boxed{1}. Wait, that was a mistake. \\boxed{2}", ()),
        ('{"answer": 1, "answer": 2}', ("1",)),
        ("The answer is A. The answer is B.", ("A.",)),
    ],
)
def test_other_answers_of_the_same_standing_are_told(response: str, others: tuple[str, ...]) -> None:
    result = extract(response)
    assert isinstance(result, Extracted)
    assert result.others == others


def test_several_boxes_and_lines_are_one_answer_if_a_list_is_wanted() -> None:
    assert found("\\boxed{a} and \\boxed{b}", wanted="list")[1] == "a, b"
    assert found("The items are:\n1. a b c\n2. d\n", wanted="list")[1] == "1. a b c\n2. d"
    assert found("Answer:\n- a\n- b", wanted="list")[1] == "- a\n- b"


@given(st.text(max_size=300), st.sampled_from([None, *STYLES]), st.sampled_from(["", *TYPES]))
def test_any_text_has_an_answer_or_a_reason(response: str, style: str | None, wanted: str) -> None:
    result = extract(response, style, CAPITAL, wanted)
    if isinstance(result, Extracted):
        assert 0 <= result.span[0] <= result.span[1] <= len(response)
    else:
        assert result.how


PIECES = st.lists(
    st.sampled_from(
        [
            "<answer>",
            "</answer>",
            "\\boxed{",
            "}",
            "{",
            "\\boxed 5",
            "<think>",
            "</think>",
            "Answer:",
            "####",
            "**",
            "\n",
            " ",
            "a",
            "4",
            '{"answer":',
            '"',
            "'",
            ". ",
            "$$",
            "\\[",
            "```",
            "- ",
            "\\",
            "`",
            "?",
            "Explanation:",
            "Or ",
        ]
    ),
    max_size=40,
).map("".join)


@given(PIECES, st.sampled_from(["", *TYPES]))
def test_marks_in_any_order_break_nothing(response: str, wanted: str) -> None:
    result = extract(response, None, CAPITAL, wanted)
    assert isinstance(result, NoAnswer) or 0 <= result.span[0] <= result.span[1] <= len(response)


@pytest.mark.parametrize(
    "piece",
    [
        "<answer>",
        "</answer>",
        "<answer>1</answer>",
        "\\boxed{",
        "\\boxed{1}",
        "{",
        "}",
        "<think>",
        "</think>",
        '{"answer":',
        '{"answer":1}',
        "Answer: ",
        "Answer: 1\n",
        "#### 1\n",
        "the answer is ",
        "**",
        "** a",
        "__a",
        "\n",
        " ",
        ". ",
        "a. ",
        "- a\n",
        "\\",
        "`<answer>`",
        "a",
        "[",
        "So ",
        "wait ",
        "'",
        "$$",
        "\\[",
        "```\n",
        "Answer:\n",
        "## Answer\n",
        "?",
        "1. ",
        "A.",
        "(",
        "Answer (",
        "{'answer': '",
        "Explanation:\n",
        "<|im_end|>",
    ],
)
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    response = piece * (100_000 // len(piece))
    before = time.process_time()
    extract(response, None, CAPITAL)
    assert time.process_time() - before < 1.5
