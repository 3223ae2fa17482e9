"""The pipeline carries one document through the stages and says what became of it and of each of its pairs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from tests.records import TAXONOMY, document, stage
from webscale_rl.domains import WorkedExample
from webscale_rl.errors import ConfigError
from webscale_rl.pipeline import UNASSIGNED_DOMAIN, UNASSIGNED_PERSONA, AnyStage, Outcome, Pipeline
from webscale_rl.stage import Context, Stage, StageOptions
from webscale_rl.stages.check import CheckReply
from webscale_rl.stages.classify import ClassifyReply
from webscale_rl.stages.filter import FilterReply
from webscale_rl.stages.generate import GeneratedPair, GenerateReply
from webscale_rl.tally import END_DROPPED, END_FAILED, END_KEPT, Tally
from webscale_rl.types import Brief, Document, Drop, Failure, Pair

PERSONAS = ("a parent, new to the city", "an architect", "a stamp collector")
ALL = ("heuristics", "filter", "classify", "generate", "precheck", "check")


def pipeline(*names: str, **options: dict[str, Any]) -> Pipeline:
    defaults = {"heuristics": {"min_tokens": 5}, "generate": {"pairs_per_persona": 2}}
    return Pipeline([stage(name, **{**defaults.get(name, {}), **options.get(name, {})}) for name in names or ALL])


def generated(persona: str, number: int) -> GeneratedPair:
    question = f"Question {number} of {persona}: how high is the Eiffel Tower in Paris?"
    return GeneratedPair("It is 330 metres tall, about as high", question, "330 metres", "quantity")


class Model:
    """Answers every stage well, but for the records that `faults` names, and after as long as `delay` says."""

    def __init__(self, delay: Callable[[], float] = lambda: 0.0, **faults: Any) -> None:
        self.delay = delay
        self.faults = faults
        self.asked: list[str] = []
        self.answered: list[str] = []

    async def __call__(self, stage: AnyStage, record: Any) -> Any:
        name = stage.name if isinstance(record, Document) else f"{stage.name} {persona_of(record)}"
        self.asked.append(name)
        stage.ask(record)
        await asyncio.sleep(self.delay())
        self.answered.append(name)
        fault = self.faults.get(stage.name)
        if callable(fault):
            fault = fault(record)
        if isinstance(fault, BaseException):
            raise fault
        return fault or self.good(stage.name, record)

    def good(self, name: str, record: Any) -> Any:
        if name == "filter":
            return FilterReply("an encyclopedia entry", True, True)
        if name == "classify":
            return ClassifyReply("Technology & Engineering", list(PERSONAS))
        if name == "generate":
            return GenerateReply([generated(record.persona, number) for number in (1, 2)])
        return CheckReply("It is 330 metres tall", "330 metres", True, True, False)


def persona_of(record: Brief | Pair) -> str:
    return record.persona if isinstance(record, Brief) else record.brief.persona


def told(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    """Unit, end and the persona of each outcome."""
    lines = []
    for outcome in outcomes:
        end = "kept" if outcome.end is None else f"{outcome.end.stage}:{getattr(outcome.end, 'reason', 'failed')}"
        who = "" if isinstance(outcome.record, Document) else persona_of(outcome.record)
        lines.append((outcome.unit, end, who))
    return lines


async def test_a_good_document_is_kept_and_followed_by_its_pairs() -> None:
    outcomes = await pipeline().carry(document(), Model())
    assert told(outcomes) == [("document", "kept", "")] + [
        ("pair", "kept", persona) for persona in PERSONAS for _ in "ab"
    ]
    last = outcomes[-1].record
    assert isinstance(last, Pair)
    assert last.brief == Brief(document(), "Technology & Engineering", PERSONAS[2])
    assert last.evidence == "It is 330 metres tall", "the checker's evidence"


@pytest.mark.parametrize(
    ("model", "end"),
    [
        (Model(filter=FilterReply("menu", False, False)), Drop("filter", "not_informative", "menu")),
        (Model(filter=Drop("filter", "context_length")), Drop("filter", "context_length")),
        (Model(filter=Failure("filter", "timeout")), Failure("filter", "timeout")),
        (Model(classify=Failure("classify", "unparseable")), Failure("classify", "unparseable")),
        (Model(classify=ClassifyReply("Math", [])), Drop("classify", "no_persona")),
    ],
)
async def test_a_document_that_ends_early_is_one_outcome_and_asks_nothing_more(model: Model, end: Any) -> None:
    outcomes = await pipeline().carry(document(), model)
    assert outcomes == [Outcome("document", document(), end)]
    assert model.asked[-1] == end.stage


async def test_a_heuristic_is_asked_of_nobody() -> None:
    model = Model()
    outcomes = await pipeline().carry(document("too short"), model)
    assert told(outcomes) == [("document", "heuristics:min_tokens", "")]
    assert model.asked == []


async def test_one_personas_failure_does_not_end_its_neighbours() -> None:
    def generate(record: Brief) -> Any:
        return Failure("generate", "timeout") if record.persona == PERSONAS[1] else None

    def check(record: Pair) -> Any:
        return Failure("check", "refused") if record.question.startswith("Question 2 of a parent") else None

    outcomes = await pipeline().carry(document(), Model(generate=generate, check=check))
    assert sorted(told(outcomes)) == sorted(
        [
            ("document", "kept", ""),
            ("pair", "generate:failed", PERSONAS[1]),
            ("pair", "kept", PERSONAS[0]),
            ("pair", "check:failed", PERSONAS[0]),
            ("pair", "kept", PERSONAS[2]),
            ("pair", "kept", PERSONAS[2]),
        ]
    )


async def test_a_persona_for_whom_no_pair_came_is_a_pair_that_was_dropped() -> None:
    outcomes = await pipeline().carry(document(), Model(generate=GenerateReply([])))
    assert told(outcomes) == [("document", "kept", "")] + [("pair", "generate:no_question", who) for who in PERSONAS]
    assert all(isinstance(outcome.record, Brief) for outcome in outcomes[1:])


async def test_the_order_of_answers_does_not_change_the_order_of_outcomes() -> None:
    def faults(record: Any) -> Any:
        return (
            Failure("check", "timeout")
            if record.question.startswith(("Question 1 of an", "Question 2 of a s"))
            else None
        )

    expected = await pipeline().carry(document(), Model(check=faults))
    orders = set()
    for seed in range(20):
        dice = random.Random(seed)
        model = Model(lambda dice=dice: dice.random() / 500, check=faults)  # type: ignore[misc]
        assert await pipeline().carry(document(), model) == expected
        orders.add(tuple(model.answered))
    assert len(orders) > 1, "the answers did come in several orders"


async def test_a_persona_does_not_wait_for_its_neighbours() -> None:
    """Without a stage that gathers, one persona is checked while another is still being written for."""
    checked = asyncio.Event()

    class Slow(Model):
        async def __call__(self, stage: AnyStage, record: Any) -> Any:
            if stage.name == "generate" and record.persona == PERSONAS[0]:
                await checked.wait()
            if stage.name == "check":
                checked.set()
            return await super().__call__(stage, record)

    async with asyncio.timeout(20):
        outcomes = await pipeline("classify", "generate", "check").carry(document(), Slow())
    assert [end for _, end, _ in told(outcomes)] == ["kept"] * 7


async def test_a_stop_waits_for_neighbours_in_flight() -> None:
    class Stopped(Exception):
        pass

    class Stopping(Model):
        async def __call__(self, stage: AnyStage, record: Any) -> Any:
            if stage.name == "generate" and record.persona == PERSONAS[0]:
                raise Stopped
            return await super().__call__(stage, record)

    model = Stopping(lambda: 0.01)
    with pytest.raises(Stopped):
        await pipeline("classify", "generate").carry(document(), model)
    assert model.answered == ["classify", *(f"generate {who}" for who in PERSONAS[1:])]


@pytest.mark.parametrize("without", ["heuristics", "filter", "precheck", "check"])
async def test_a_stage_that_is_left_out_is_neither_asked_nor_counted(without: str) -> None:
    model = Model()
    outcomes = await pipeline(*(name for name in ALL if name != without)).carry(document(), model)
    assert told(outcomes) == told(await pipeline().carry(document(), Model()))
    assert not any(asked.startswith(without) for asked in model.asked)


async def test_without_a_classifier_one_curious_reader_asks() -> None:
    model = Model()
    outcomes = await pipeline("heuristics", "filter", "generate", "precheck", "check").carry(document(), model)
    assert told(outcomes) == [("document", "kept", "")] + [("pair", "kept", UNASSIGNED_PERSONA)] * 2
    record = outcomes[1].record
    assert isinstance(record, Pair)
    assert record.brief.domain == UNASSIGNED_DOMAIN
    assert TAXONOMY.find(UNASSIGNED_DOMAIN) is not None


async def test_the_pairs_of_a_document_are_judged_together_by_a_stage_that_gathers() -> None:
    pair = generated("anyone", 1)
    outcomes = await pipeline().carry(document(), Model(generate=GenerateReply([pair])))
    assert told(outcomes) == [
        ("document", "kept", ""),
        ("pair", "precheck:duplicate_in_document", PERSONAS[1]),
        ("pair", "precheck:duplicate_in_document", PERSONAS[2]),
        ("pair", "kept", PERSONAS[0]),
    ]


async def test_kept_plus_dropped_plus_failed_is_seen_at_every_stage() -> None:
    dice = random.Random(7)
    kinds = {
        "filter": lambda name: dice.choice([None, None, FilterReply("x", False, False), Failure(name, "timeout")]),
        "classify": lambda name: dice.choice([None, None, ClassifyReply("Math", ["a", "b"]), Failure(name, "refused")]),
        "generate": lambda name: dice.choice([None, GenerateReply([]), Failure(name, "timeout")]),
        "check": lambda name: dice.choice([None, CheckReply("x", "y", True, False, False), Failure(name, "timeout")]),
    }
    carrier, tally, words = pipeline(), Tally(), set()
    units = {built.name: built.unit for built in carrier.stages}
    for number in range(200):
        model = Model(**{name: (lambda _, name=name, kind=kind: kind(name)) for name, kind in kinds.items()})
        outcomes = await carrier.carry(document(id=f"d{number}"), model)
        assert sum(outcome.unit == "document" for outcome in outcomes) == 1
        for outcome in outcomes:
            end = outcome.end
            kind = END_KEPT if end is None else END_DROPPED if isinstance(end, Drop) else END_FAILED
            word = "" if end is None else getattr(end, "reason", "") or getattr(end, "error", "")
            tally.end(outcome.unit, end.stage if end else "", kind, word)
            words.add((kind, word))
    assert len(words) >= 6
    assert tally.total("document").seen == 200
    seen = {name: tally.at(name, ALL[place + 1 :], units[name]) for place, name in enumerate(ALL)}
    assert seen["heuristics"].seen == 200
    assert seen["filter"].seen == seen["heuristics"].kept
    assert seen["classify"].seen == seen["filter"].kept
    assert seen["classify"].kept == tally.total("document").kept
    assert seen["precheck"].seen == seen["generate"].kept
    assert seen["check"].seen == seen["precheck"].kept
    assert seen["check"].kept == tally.total("pair").kept > 0


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "no stage writes questions"),
        (("heuristics", "classify"), "no stage writes questions"),
        (("check", "generate"), "stage check takes a Pair but is given a Document"),
        (("generate", "classify", "check"), "stage classify takes a Document but is given a Pair"),
        (("classify", "filter", "generate"), "stage filter takes a Document but is given a Brief"),
        (("generate", "check", "heuristics"), "stage heuristics takes a Document but is given a Pair"),
        (("generate", "precheck", "check", "precheck"), "precheck stands twice"),
    ],
)
def test_a_pipeline_whose_stages_do_not_fit_is_refused(names: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Pipeline([stage(name) for name in names])


def test_a_pipeline_that_ends_with_something_else_than_pairs_is_refused() -> None:
    astray = Odd(Pair, lambda record: [record.brief])
    astray.gives = Brief  # type: ignore[misc]
    with pytest.raises(ConfigError, match="ends with a Brief"):
        Pipeline([stage("generate"), astray])


class Odd(Stage[Any, None, Any]):
    """A stage that gives what a test wants it to give."""

    name: ClassVar[str] = "odd"
    reasons = frozenset({"odd"})

    def __init__(self, kind: type, given: Callable[[Any], Any], *, gathers: bool = False) -> None:
        super().__init__(StageOptions(), Context(TAXONOMY))
        self.takes = self.gives = kind  # type: ignore[misc]
        self.gathers = gathers  # type: ignore[misc]
        self.given = given

    def decide(self, record: Any, reply: None) -> Any:
        return self.given(record)

    def decide_all(self, records: Any) -> Any:
        return [self.given(record) for record in records]


@pytest.mark.parametrize("gathers", [False, True])
@pytest.mark.parametrize("kind", [Document, Brief])
async def test_no_record_may_vanish(kind: type, gathers: bool) -> None:
    odd = Odd(kind, lambda _: [], gathers=gathers)
    with pytest.raises(ValueError, match="stage odd: decided on no record"):
        await Pipeline([odd, stage("generate")]).carry(document(), Model())


@pytest.mark.parametrize("gathers", [False, True])
async def test_a_document_may_not_become_several(gathers: bool) -> None:
    odd = Odd(Document, lambda record: [record, record], gathers=gathers)
    with pytest.raises(ValueError, match="stage odd: made 2 documents of one"):
        await Pipeline([odd, stage("generate")]).carry(document(), Model())


async def test_a_gatherer_must_answer_every_record() -> None:
    class Forgetful(Odd):
        def decide_all(self, records: Any) -> Any:
            return super().decide_all(records[:-1])

    with pytest.raises(ValueError, match="zip"):
        await Pipeline([stage("generate"), Forgetful(Pair, lambda r: [r], gathers=True)]).carry(document(), Model())


@pytest.mark.parametrize("gathers", [False, True])
async def test_a_stage_of_briefs_is_given_briefs_also_when_nothing_classifies(gathers: bool) -> None:
    given = []
    odd = Odd(Brief, lambda record: [given.append(record) or record], gathers=gathers)
    outcomes = await Pipeline([odd, stage("generate")]).carry(document(), Model())
    assert given == [Brief(document(), UNASSIGNED_DOMAIN, UNASSIGNED_PERSONA)]
    assert [outcome.unit for outcome in outcomes] == ["document", "pair"]


def test_an_unknown_drop_reason_is_a_bug() -> None:
    for name in ALL:
        built = stage(name)
        with pytest.raises(ValueError, match=f"stage {name}: 'whim' is not one of its reasons"):
            built.drop("whim")
        for word in built.reasons:
            assert built.drop(word, "x") == Drop(name, word, "x")


def test_a_worked_example_is_what_a_stage_would_keep() -> None:
    """What the prompt shows as right passes our own free checks."""
    precheck = stage("precheck")
    for domain in TAXONOMY.domains:
        for shown in domain.examples:
            assert isinstance(shown, WorkedExample)
            brief = Brief(document(shown.document), domain.name, shown.persona)
            pair = Pair(brief, shown.question, shown.answer, shown.answer_type, shown.evidence)
            assert precheck.decide(pair, None) == [pair]
