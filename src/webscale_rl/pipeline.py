"""Carries one document through the stages, depth first, and says what became of it and of each of its pairs.

    Document -> ... -> Brief per persona -> Pair -> ... -> kept
         every step may end in a Drop or a Failure

Between stages that gather, each record goes on alone: a persona does not wait for its neighbours. What comes out is in
the order of the records, never in the order of the answers. How a question reaches a model is the caller's: `ask`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from webscale_rl.errors import ConfigError
from webscale_rl.stage import Stage
from webscale_rl.types import Brief, Document, Drop, Failure, Pair

AnyStage = Stage[Any, Any, Any]
Record = Document | Brief | Pair
Ask = Callable[[AnyStage, Any], Awaitable[Any]]
"""Asks a prompted stage's question of a record: its parsed reply, or the Drop or Failure that came instead."""

_ENDS = (Drop, Failure)
UNASSIGNED_DOMAIN = "Other"
UNASSIGNED_PERSONA = "a curious reader"


@dataclass(frozen=True)
class Outcome:
    """The end of one record. A document that reaches the pairs is "kept" and is followed by the outcomes of its pairs.

    `unit` is "document" until a document has a persona and "pair" from then on: a persona for whom no pair came is a
    pair that was dropped or failed.
    """

    unit: Literal["document", "pair"]
    record: Record
    end: Drop | Failure | None


class Pipeline:
    """The stages of a run in their order. Raises ConfigError if one does not take what the one before gives."""

    def __init__(self, stages: Sequence[AnyStage]) -> None:
        self.stages = tuple(stages)
        if not any(stage.gives is Pair and stage.takes is not Pair for stage in self.stages):
            raise ConfigError("pipeline: no stage writes questions; keep 'generate' in the list and enabled")
        given: type = Document
        names: set[str] = set()
        for stage in self.stages:
            if stage.name in names:
                raise ConfigError(f"pipeline: {stage.name} stands twice; the books tell stages apart by their names")
            names.add(stage.name)
            if stage.takes is not given and not (stage.takes is Brief and given is Document):
                raise ConfigError(
                    f"pipeline: stage {stage.name} takes a {stage.takes.__name__} but is given a {given.__name__};"
                    " put it elsewhere in the list"
                )
            given = stage.gives
        if given is not Pair:
            raise ConfigError(
                f"pipeline: ends with a {given.__name__}, not with a Pair; mend what its last stage gives"
            )
        self._segments = _segments(self.stages)

    async def carry(self, document: Document, ask: Ask) -> list[Outcome]:
        """All that became of one document: its own outcome first if it ended as a document or was kept, then its pairs.

        Raises whatever `ask` raises to stop the run.
        """
        wave: list[Record] = [document]
        ended: list[Outcome] = []
        for gatherer, segment in self._segments:
            if gatherer is not None:
                wave, stopped = _gather(gatherer, wave)
                ended += stopped
            flows = [self._flow(record, segment, ask) for record in wave]
            outcomes = [outcome for flow in await _all(flows) for outcome in flow]
            ended += [outcome for outcome in outcomes if outcome.end is not None]
            wave = [outcome.record for outcome in outcomes if outcome.end is None]
        if ended and ended[0].unit == "document":
            return ended
        return [Outcome("document", document, None), *ended, *(Outcome("pair", record, None) for record in wave)]

    async def _flow(self, record: Any, stages: tuple[AnyStage, ...], ask: Ask) -> list[Outcome]:
        """One record through stages that do not gather. An outcome without an end is a record that goes on."""
        for place, stage in enumerate(stages):
            record = _fit(stage, record)
            reply = None if stage.prompt is None else await ask(stage, record)
            decision = reply if isinstance(reply, _ENDS) else stage.decide(record, reply)
            if isinstance(decision, _ENDS):
                return [_outcome(record, decision)]
            _require_one(stage, decision)
            if len(decision) != 1:
                rest = stages[place + 1 :]
                results = await _all([self._flow(next_record, rest, ask) for next_record in decision])
                return [outcome for result in results for outcome in result]
            record = decision[0]
        return [_outcome(record, None)]


def _segments(stages: tuple[AnyStage, ...]) -> list[tuple[AnyStage | None, tuple[AnyStage, ...]]]:
    segments: list[tuple[AnyStage | None, list[AnyStage]]] = [(None, [])]
    for stage in stages:
        if stage.gathers:
            segments.append((stage, []))
        else:
            segments[-1][1].append(stage)
    return [(gatherer, tuple(segment)) for gatherer, segment in segments]


def _gather(stage: AnyStage, wave: Sequence[Record]) -> tuple[list[Record], list[Outcome]]:
    going: list[Record] = []
    stopped: list[Outcome] = []
    wave = [_fit(stage, record) for record in wave]
    for record, decision in zip(wave, stage.decide_all(wave), strict=True):
        if isinstance(decision, Drop):
            stopped.append(_outcome(record, decision))
        else:
            _require_one(stage, decision)
            going += decision
    return going, stopped


def _fit(stage: AnyStage, record: Record) -> Record:
    """The record as the stage takes it: where no stage assigned a persona, the document of everyman."""
    if stage.takes is Brief and isinstance(record, Document):
        return Brief(record, UNASSIGNED_DOMAIN, UNASSIGNED_PERSONA)
    return record


def _require_one(stage: AnyStage, decision: Sequence[Record]) -> None:
    """The books count every record once: none may vanish, and a document may not become several."""
    if not decision:
        raise ValueError(f"stage {stage.name}: decided on no record; a record that does not go on is a Drop")
    if stage.gives is Document and len(decision) > 1:
        raise ValueError(f"stage {stage.name}: made {len(decision)} documents of one; cut documents before the run")


def _outcome(record: Record, end: Drop | Failure | None) -> Outcome:
    return Outcome("document" if isinstance(record, Document) else "pair", record, end)


async def _all(flows: Sequence[Awaitable[list[Outcome]]]) -> list[list[Outcome]]:
    """All results in their order. An exception waits until its neighbours are done: what they paid for is then kept."""
    if len(flows) == 1:
        return [await flows[0]]
    results = await asyncio.gather(*flows, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
