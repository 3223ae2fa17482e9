"""Asks a stage's question: from the books if it was paid for already, else over the wire, until an answer is usable.

An answer is written down before anyone acts on it. An answer of no use (refused, cut off, not what was asked for) is
kept, counted, and asked for again a few times; then it is a Failure, which the next run tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from webscale_rl.backend import BackendError, ContextTooLong, Reply, Request
from webscale_rl.config import Parts
from webscale_rl.engine.moved import MovedReplies
from webscale_rl.engine.replies import Stored
from webscale_rl.engine.shard import Shard
from webscale_rl.engine.stop import Stop, Stopped
from webscale_rl.engine.traffic import Traffic
from webscale_rl.pipeline import AnyStage
from webscale_rl.replies import Unusable, parse
from webscale_rl.stages.document_text import excerpt
from webscale_rl.tally import Calls, add_counts
from webscale_rl.types import Brief, Document, Drop, Failure, Pair

SHORTENINGS = 4
"""How often a document that does not fit the model's context is halved before it is dropped."""
TOO_LONG = "context_length"


class Asker:
    """Asks on behalf of the documents of a run. One per run; every shard brings its own books."""

    def __init__(self, parts: Parts, traffic: Traffic, stop: Stop, attempts: int) -> None:
        self._parts = parts
        self._traffic = traffic
        self._stop = stop
        self._attempts = attempts
        self._depth = {stage.name: place for place, stage in enumerate(parts.pipeline.stages)}
        self._asking: dict[tuple[int, bytes], asyncio.Event | None] = {}
        """Requests that are being asked, and what others wait for who would ask the same."""
        self.moved: MovedReplies | None = None
        self.elsewhere: MovedReplies | None = None
        self.used: Callable[[int, Stored], None] = lambda ordinal, stored: None
        self.watch: Callable[[Reply, float | None], None] = lambda reply, usd: None

    async def ask(self, shard: Shard, ordinal: int, stage: AnyStage, record: Any) -> Any:
        """The parsed reply to the stage's question of this record, or the Drop or Failure that came instead."""
        slots: Mapping[str, str] = stage.ask(record)
        for _ in range(SHORTENINGS + 1):
            request = self._request(shard, stage, record, slots)
            try:
                return await self._usable(shard, ordinal, stage, request)
            except ContextTooLong as error:
                if "document" not in slots or len(slots["document"]) < 400:
                    return Drop(stage.name, TOO_LONG, str(error)[:300])
                slots = {**slots, "document": excerpt(slots["document"], len(slots["document"]) // 2)}
                too_long = Drop(stage.name, TOO_LONG, str(error)[:300])
            except BackendError as error:
                return Failure(stage.name, error.kind, str(error)[:300])
        return too_long

    def _request(self, shard: Shard, stage: AnyStage, record: Any, slots: Mapping[str, str]) -> Request:
        assert stage.prompt is not None  # the pipeline asks only for stages that have a prompt
        assert stage.reply_type is not None
        document = _document(record)
        model = self._parts.model(stage)
        return Request(
            stage=stage.name,
            prompt=stage.prompt,
            slots=slots,
            reply_type=stage.reply_type,
            model=model,
            sampling=stage.sampling_of(record),
            variant=self._parts.variant,
            affinity=document.id,
            group=shard.group,
        )

    async def _usable(self, shard: Shard, ordinal: int, stage: AnyStage, request: Request) -> Any:
        if shard.replies is None:
            reply, _, _ = await self._traffic.reply(request, (-self._depth[stage.name], ordinal))
            try:
                return parse(reply, request.reply_type)
            except Unusable as error:  # what is free is not asked for again: it would answer the same
                return Failure(stage.name, error.kind, str(error)[:300])
        # two documents of the same text ask the same question: the second waits for the first one's answer
        place = (shard.index, request.key)
        while place in self._asking:
            ended = self._asking[place] or asyncio.Event()
            self._asking[place] = ended
            await ended.wait()
        self._asking[place] = None
        try:
            return await self._paid(shard, ordinal, stage, request)
        finally:
            if (waited_for := self._asking.pop(place)) is not None:
                waited_for.set()

    async def _paid(self, shard: Shard, ordinal: int, stage: AnyStage, request: Request) -> Any:
        assert shard.replies is not None
        allowed = self._attempts * (shard.round + 1)
        useless: Unusable | None = None
        for attempt in range(allowed):
            known = shard.replies.get(request.key) or self._bring(shard, request)
            if attempt < len(known):
                stored = known[attempt]
            else:
                again = msgspec.structs.replace(request, attempt=attempt) if attempt else request
                stored = await self._buy(shard, ordinal, stage, again)
            self.used(ordinal, stored)
            reply = stored.reply
            if reply.finish == TOO_LONG:
                raise ContextTooLong(reply.text)
            try:
                return parse(reply, request.reply_type)
            except Unusable as error:
                useless = error
                add_counts(shard.tally.calls.setdefault(stage.name, Calls()).unusable, {error.kind: 1})
        assert useless is not None
        return Failure(stage.name, useless.kind, str(useless)[:300])

    def _bring(self, shard: Shard, request: Request) -> list[Stored]:
        """What was paid for this request when its document stood in another shard, or in the run's pilot, copied into
        this shard's books."""
        assert shard.replies is not None
        found: list[Stored] = []
        if self.moved is not None:
            found = self.moved.find(request.key, besides=shard.index)
        if not found and self.elsewhere is not None:
            found = self.elsewhere.find(request.key)
        for stored in found:
            self._write(shard, msgspec.structs.replace(stored, moved=True))
        return shard.replies.get(request.key)

    def _write(self, shard: Shard, stored: Stored) -> None:
        assert shard.replies is not None
        try:
            shard.replies.append(stored)
        except OSError as error:
            self._stop.request(f"cannot write to the run directory ({error.strerror}); make room and run again")
            raise Stopped(str(error)) from error

    async def _buy(self, shard: Shard, ordinal: int, stage: AnyStage, request: Request) -> Stored:
        latency, endpoint = 0.0, ""
        request.messages()  # rendered while it waits for a slot, not while it holds one

        def retried(kind: str) -> None:
            add_counts(shard.tally.calls.setdefault(stage.name, Calls()).retried, {kind: 1})

        try:
            reply, latency, endpoint = await self._traffic.reply(request, (-self._depth[stage.name], ordinal), retried)
        except ContextTooLong as error:
            reply = Reply(text=str(error)[:300], finish=TOO_LONG)
        usd = self._parts.prices.usd(request.model, reply.usage)
        stored = Stored(request.key, stage.name, reply, latency, endpoint=endpoint, usd=usd)
        self._write(shard, stored)
        if reply.finish != TOO_LONG:
            self.watch(reply, usd)
        await asyncio.sleep(0)  # the request that got the slot goes out before this answer is read and decided on
        return stored


def _document(record: Document | Brief | Pair) -> Document:
    if isinstance(record, Pair):
        return record.brief.document
    return record.document if isinstance(record, Brief) else record
