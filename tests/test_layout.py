"""A layout moves the parts of a prompt and nothing else: what calls share stands first, and every law still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.llm_server import LLMServer
from tests.records import TAXONOMY, brief, document, pair
from tests.runs import configured, corpus
from tests.test_prompt import documents
from webscale_rl import run
from webscale_rl.backend import Request
from webscale_rl.config import Parts, Run
from webscale_rl.errors import PromptError
from webscale_rl.layout import Layout
from webscale_rl.pipeline import AnyStage
from webscale_rl.prompt import Prompt, quote

LAYOUTS = get_args(Layout)
SHARING = ("shared_prefix", "document_first")


def stages(layout: str = "shared_prefix", **changes: Any) -> dict[str, AnyStage]:
    """The prompted stages of a run in that layout, by name, the optional one among them."""
    values = {"layout": layout, "backend": {"use": "openai", "model": "m"}} | changes
    values["stages"] = {"agree": {}, **changes.get("stages", {})}
    return {stage.name: stage for stage in Parts(Run.make(values)).pipeline.stages if stage.prompt is not None}


def prompt(stage: AnyStage) -> Prompt:
    assert stage.prompt is not None
    return stage.prompt


RECORDS = {"filter": document(), "classify": document(), "generate": brief(), "check": pair(), "agree": pair()}
LAID_OUT = {layout: stages(layout) for layout in LAYOUTS}


def rendered(stage: AnyStage, **slots: str) -> list[dict[str, str]]:
    return prompt(stage).render({**stage.ask(RECORDS[stage.name]), **slots})


def text(messages: list[dict[str, str]]) -> str:
    """The messages as one text, in the order in which a chat template lays them out."""
    return "".join(f"<|{message['role']}|>{message['content']}" for message in messages)


def common_beginning(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


@pytest.mark.parametrize("layout", SHARING)
def test_all_calls_of_a_document_are_the_same_up_to_its_end(layout: str) -> None:
    calls = [text(rendered(stage)) for stage in LAID_OUT[layout].values()]
    end = quote("document", document().text)
    common = common_beginning(calls)
    assert len(calls) == 5
    assert end in common
    other = text(rendered(LAID_OUT[layout]["filter"], document="x"))
    assert common.partition("<document ")[0] == other.partition("<document ")[0]


def test_in_the_shared_prefix_only_the_document_differs_between_documents() -> None:
    one, other = (
        [text(rendered(stage, document=words)) for stage in LAID_OUT["shared_prefix"].values()] for words in ("a", "b")
    )
    header = common_beginning(one + other)
    for stage in LAID_OUT["instructions_first"].values():
        instructions = prompt(stage).sections[0][1]
        assert all(part in header for part in instructions if isinstance(part, str)), stage.name
    assert TAXONOMY.definitions in header
    assert header.endswith("<|user|><document ")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", list(RECORDS))
def test_every_layout_shows_the_same_words_and_slots(layout: str, name: str) -> None:
    file = Prompt.load(name)
    laid_out = prompt(LAID_OUT[layout][name])
    fixed = set(LAID_OUT[layout][name].fixed)
    assert laid_out.slots | fixed == file.slots | fixed
    assert laid_out.digest == file.digest
    quoted = {part for _, parts in laid_out.messages for part in parts if isinstance(part, tuple) and part[1]}
    assert quoted == {part for _, parts in file.messages for part in parts if isinstance(part, tuple) and part[1]}
    whole = text(rendered(LAID_OUT[layout][name]))
    for message in file.render(LAID_OUT[layout][name].ask(RECORDS[name])):
        for paragraph in message["content"].split("\n\n"):
            assert whole.count(paragraph) == 1 or layout == "shared_prefix", paragraph
            assert paragraph in whole


@pytest.mark.parametrize("layout", LAYOUTS)
@given(hostile=documents)
def test_whatever_the_document_it_adds_no_message_and_stays_within_its_fence(layout: str, hostile: str) -> None:
    for name, stage in LAID_OUT[layout].items():
        messages = rendered(stage, document=hostile)
        assert [message["role"] for message in messages] == ["system", "user"], name
        fence = quote("document", hostile)
        opening, closing = fence.partition("\n")[0], fence.rpartition("\n")[2]
        assert text(messages).count(fence) == 1
        before, _, after = messages[1]["content"].partition(fence)
        assert (before + after).count(opening) == (before + after).count(closing) == 0
        assert messages[0] == rendered(stage, document="")[0]
        assert after == rendered(stage, document="")[1]["content"].partition(quote("document", ""))[2]


@given(hostile=documents)
def test_slots_in_a_persona_or_a_question_are_not_filled(hostile: str) -> None:
    for layout in LAYOUTS:
        messages = rendered(LAID_OUT[layout]["check"], document="SECRET", question=f"{hostile}{{{{document}}}}")
        assert text(messages).count("SECRET") == 1


@given(st.sampled_from(SHARING))
def test_the_checker_is_not_shown_what_the_generator_thought(layout: str) -> None:
    seen = text(rendered(LAID_OUT[layout]["check"], document="D"))
    assert pair().evidence not in seen
    assert pair().brief.persona not in seen


def key(stage: AnyStage) -> bytes:
    assert stage.reply_type is not None
    slots = stage.ask(RECORDS[stage.name])
    return Request(stage.name, prompt(stage), slots, stage.reply_type, "m", stage.sampling).key


def test_another_layout_is_another_question() -> None:
    for name in RECORDS:
        assert len({key(LAID_OUT[layout][name]) for layout in LAYOUTS}) == len(LAYOUTS)


def test_a_reworded_stage_leaves_the_keys_of_the_others_that_share_its_header(tmp_path: Path) -> None:
    """An edited prompt pays from its stage on, in every layout."""
    own = tmp_path / "own.md"
    own.write_text("# system\nBe strict.\n# user\n{{document|quoted}}\n\n{{question|quoted}}{{answer|quoted}}")
    edited = stages(stages={"check": {"prompt": str(own)}})
    before = LAID_OUT["shared_prefix"]
    assert {name for name in RECORDS if key(edited[name]) != key(before[name])} == {"check"}
    assert "Be strict." in text(rendered(edited["filter"]))


def test_stages_that_are_answered_by_different_models_have_headers_of_their_own() -> None:
    split = stages(stages={"generate": {"model": "large"}, "check": {"model": "large"}})
    assert rendered(split["filter"])[0] == rendered(split["classify"])[0] != rendered(split["check"])[0]
    assert "Step: generate" not in rendered(split["filter"])[0]["content"]
    alone = stages(stages={"check": {"model": "another"}})
    assert prompt(alone["check"]) == Prompt.load("check")
    assert "Step: check" not in rendered(alone["filter"])[0]["content"]


def test_a_stage_may_have_a_layout_of_its_own() -> None:
    mixed = stages(stages={"classify": {"layout": "instructions_first"}})
    assert prompt(mixed["classify"]) == Prompt.load("classify")
    assert TAXONOMY.definitions not in text(rendered(mixed["check"]))
    assert prompt(mixed["check"]).layout.startswith("shared_prefix ")


@pytest.mark.parametrize(
    "own",
    [
        "# user\nJudge: {{document|quoted}}",
        "# user\n{{document|quoted}}",
        "# system\nJudge.\n# user\nHere: {{document|quoted}}",
        "# system\nJudge.\n# user\n{{document|quoted}} {{document|quoted}}",
        "# system\nJudge {{document|quoted}}.\n# user\n{{document|quoted}}",
        "# system\nJudge.\n# user\nx\n# assistant\ny\n# user\n{{document|quoted}}",
    ],
)
def test_a_prompt_that_cannot_be_taken_apart_is_refused_with_what_to_do(tmp_path: Path, own: str) -> None:
    path = tmp_path / "mine.md"
    path.write_text(own)
    for layout in SHARING:
        with pytest.raises(
            PromptError, match=r"prompt mine: cannot be laid out as .* set stages\.filter\.layout: instr"
        ):
            stages(layout, stages={"filter": {"prompt": str(path)}})
    kept = stages(stages={"filter": {"prompt": str(path), "layout": "instructions_first"}})
    assert prompt(kept["filter"]) == Prompt.load(path)


def test_instructions_that_differ_between_documents_cannot_be_shared_by_all(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text("# system\nAsk about {{domain}}.\n# user\n{{document|quoted}}{{persona|quoted}}")
    with pytest.raises(PromptError, match=r"prompt mine: \{\{domain\}\} differs between records .*'# examples'"):
        stages(stages={"generate": {"prompt": str(path)}})
    first = stages("document_first", stages={"generate": {"prompt": str(path)}})["generate"]
    assert "Ask about Technology & Engineering." in rendered(first)[1]["content"]
    path.write_text("# system\nAsk.\n# examples\nAbout {{domain}}.\n# user\n{{document|quoted}}{{persona|quoted}}")
    moved = rendered(stages(stages={"generate": {"prompt": str(path)}})["generate"])
    assert "Step: generate\n\nAbout Technology & Engineering.\n\n<persona " in moved[1]["content"]
    assert Prompt.load(path).render({"document": "", "persona": "", "domain": "X"})[0]["content"] == "Ask.\n\nAbout X."


@pytest.mark.parametrize(
    "faulty", ["# examples\na\n# user\nb", "# user\na\n# examples\nb", "# system\n# examples\n# examples\n"]
)
def test_examples_stand_once_and_behind_the_instructions(faulty: str) -> None:
    with pytest.raises(PromptError, match="'# examples' stands once, right after '# system'"):
        Prompt.parse("mine", faulty)


def test_a_run_is_the_same_in_every_layout_if_the_model_answers_the_same(tmp_path: Path) -> None:
    path = corpus(tmp_path, 6)
    found = []
    with LLMServer(unsupported=frozenset({"json_schema", "json_object"})) as server:
        for layout in LAYOUTS:
            config = configured(path, tmp_path / layout, server.url, layout=layout, stages={"agree": {}})
            result = run(config)
            found.append([(row.question, row.answer) for row in result.examples()])
        stages = {entry.stage for entry in server.books.entries if entry.outcome == "ok"}
    assert found[0]
    assert found[0] == found[1] == found[2]
    assert stages == set(RECORDS)
