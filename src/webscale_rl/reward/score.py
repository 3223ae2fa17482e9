"""Scores a file: rows with a response and a ground truth become the same rows with a verdict, in their order.

    rows.py -> chunk of rows -> the rules, at once -> the judge, if there is one, for what they cannot tell -> rows.py

A few chunks are open while their rows wait for the judge; nothing else grows with the file but the judge's verdicts.
The output is there whole or not at all. What stops before the end (a cap, Ctrl-C) writes no output; the judge's journal
beside it keeps what was paid, and the same command goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from webscale_rl.backend import BackendError
from webscale_rl.corpus.record import printable
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE, Stop, Stopped, signals
from webscale_rl.errors import RunStopped, UserError
from webscale_rl.files import replace_whole
from webscale_rl.reward import Verdict, reward
from webscale_rl.reward.extract import STYLES
from webscale_rl.reward.reference import references
from webscale_rl.reward.rollout import GROUND_TRUTH, Rollout, last_reply, plain
from webscale_rl.rowfiles import Chunk, Fault, Sink, require_writable, sink, source
from webscale_rl.tally import add_counts

if TYPE_CHECKING:
    from webscale_rl.reward.judge import Judge

COLUMNS = {"score": "int64", "how": "string", "extracted": "string"}
OPEN_BYTES = 32 << 20
"""Rows that wait for the judge, in bytes of their file."""
CALLS_AHEAD = 4
"""Rows that wait for the judge, in calls: so many times the calls in flight."""
TOLD_EVERY_S = 10.0
MOST_TOLD = 20
"""So many bad rows are named one by one."""


class Fields(NamedTuple):
    """Which columns hold what; None: the first that there is of the usual names."""

    response: str | None = None
    ground_truth: str | None = None
    question: str | None = None
    answer_type: str | None = None


USUAL = Fields()


class Tally(msgspec.Struct):
    """Rows of one kind, by their verdict."""

    right: int = 0
    wrong: int = 0
    undecided: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.right + self.wrong + self.undecided

    @property
    def mean(self) -> float | None:
        """The mean score of those that have one; None if none has."""
        decided = self.right + self.wrong
        return self.right / decided if decided else None

    def plain(self) -> dict[str, Any]:
        """As JSON wants it."""
        return {"rows": self.rows, **msgspec.structs.asdict(self), "mean": self.mean}


class Summary(msgspec.Struct):
    """The books of a scored file: rows in all, by the reference's type, by the rule that decided. `bad` counts rows
    that cannot be graded, by why not, `failed` those for which the judge gave no usable answer: no verdicts."""

    total: Tally = msgspec.field(default_factory=Tally)
    by_type: dict[str, Tally] = {}
    by_rule: dict[str, Tally] = {}
    bad: dict[str, int] = {}
    failed: dict[str, int] = {}
    judge: dict[str, Any] | None = None

    def count(self, kind: str, verdict: Verdict) -> None:
        """Put one verdict into the books."""
        word = {1: "right", 0: "wrong", None: "undecided"}[verdict.score]
        for tally in (
            self.total,
            self.by_type.setdefault(kind, Tally()),
            self.by_rule.setdefault(verdict.how, Tally()),
        ):
            setattr(tally, word, getattr(tally, word) + 1)
        part, _, rule = verdict.how.partition("/")
        if part == "judge" and verdict.score is None and rule != "cannot_tell":
            add_counts(self.failed, {rule: 1})

    def plain(self) -> dict[str, Any]:
        """As JSON wants it; the largest kinds first."""

        def tallies(kinds: Mapping[str, Tally]) -> dict[str, Any]:
            return {name: kinds[name].plain() for name in sorted(kinds, key=lambda name: (-kinds[name].rows, name))}

        told = {
            **self.total.plain(),
            "bad": dict(sorted(self.bad.items())),
            "failed": dict(sorted(self.failed.items())),
        }
        told |= {"by_type": tallies(self.by_type), "by_rule": tallies(self.by_rule)}
        return told if self.judge is None else told | {"judge": self.judge}


class _Open(NamedTuple):
    """A chunk whose verdicts come."""

    chunk: Chunk
    verdicts: list[Verdict | asyncio.Task[Verdict]]
    kinds: list[str]

    @property
    def waiting(self) -> int:
        return sum(isinstance(verdict, asyncio.Task) and not verdict.done() for verdict in self.verdicts)


class Scoring:
    """One file, once. `tell` is told a line for people now and then: bad rows, and how far it is."""

    def __init__(
        self,
        path: str,
        out: Path | None = None,
        *,
        fields: Fields = USUAL,
        style: str | None = None,
        prefix: str = "",
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        if style is not None and style not in STYLES:
            raise UserError(f"style: there is no {style!r}; known: {', '.join(STYLES)}")
        self._rows = source(path)
        self._out = out
        self._style = style
        self._tell = tell
        self.columns = {prefix + name: kind for name, kind in COLUMNS.items()}
        present = self._rows.columns()
        self._fields = _found(fields, present, self._rows.shown)
        if out is not None:
            require_writable(out)
            if Path(path).exists() and out.exists() and out.samefile(path):
                raise UserError(f"{out}: is the input; write to another file")
            if taken := [name for name in self.columns if name in present]:
                raise UserError(f"{self._rows.shown}: has a column {taken[0]!r} already; say --prefix PREFIX for ours")
        self.summary = Summary()
        self._told_at = self._began = time.monotonic()

    def run(self, judge: Callable[[Stop], Judge] | None = None, calls_ahead: int = 256) -> Summary:
        """Score all rows. `judge` makes the judge. Raises UserError, BackendError, and RunStopped if it stopped."""
        return asyncio.run(self.run_async(judge, calls_ahead))

    async def run_async(self, judge: Callable[[Stop], Judge] | None = None, calls_ahead: int = 256) -> Summary:
        """The same as `run`, as a coroutine."""
        stop = Stop()
        try:
            async with AsyncExitStack() as opened:
                opened.enter_context(signals(stop, "nothing was written, run it again to go on"))
                asked = await opened.enter_async_context(judge(stop)) if judge is not None else None
                try:
                    await self._stream(stop, asked, calls_ahead)
                except BaseException as error:
                    stop.request(str(error))  # calls in flight come home, others are not begun
                    raise
                if asked is not None:
                    self.summary.judge = _books(asked)
        except Stopped:
            raise RunStopped(stop.reason or "stopped", stop.code) from None
        except BackendError as error:  # before the first call: the backend could not be opened
            raise RunStopped(str(error), RESUMABLE if error.resumable else WRONG_USAGE) from error
        except OSError as error:
            raise UserError(f"{error.filename or self._out}: {error.strerror or error}") from error
        return self.summary

    async def _stream(self, stop: Stop, judge: Judge | None, calls_ahead: int) -> None:
        waiting: deque[_Open] = deque()
        with self._sink() as out:
            for chunk in self._rows.chunks([name for name in self._fields if name]):
                waiting.append(await self._graded(chunk, stop, judge))
                while waiting and (waiting[0].waiting == 0 or _is_full(waiting, calls_ahead)):
                    await self._finish(waiting.popleft(), out, stop)
            while waiting:
                await self._finish(waiting.popleft(), out, stop)

    @contextmanager
    def _sink(self) -> Iterator[Sink | None]:
        if self._out is None:
            yield None
            return
        with replace_whole(self._out) as temporary, sink(self._out.name, temporary, self._rows, self.columns) as out:
            yield out

    async def _graded(self, chunk: Chunk, stop: Stop, judge: Judge | None) -> _Open:
        """The chunk with the rules' verdicts, and the judge at work on the others."""
        verdicts: list[Verdict | asyncio.Task[Verdict]] = []
        kinds: list[str] = []
        for place, (number, value) in enumerate(zip(chunk.numbers, chunk.values, strict=True)):
            if place % 32 == 0:  # answers of the judge are taken, and signals
                await asyncio.sleep(0)
                stop.check()
            found = value if isinstance(value, Fault) else read(value, self._fields)
            if isinstance(found, Fault):
                verdicts.append(self._bad(number, found))
                kinds.append("")
                continue
            rollout, kind = found
            kinds.append(kind)
            verdict = reward(*rollout, style=self._style)
            if judge is None or verdict.score is not None:
                verdicts.append(verdict)
            else:
                second = judge.second(verdict, rollout.ground_truth, rollout.question)
                verdicts.append(asyncio.create_task(second))
        return _Open(chunk, verdicts, kinds)

    async def _finish(self, open_: _Open, out: Sink | None, stop: Stop) -> None:
        """Wait for the chunk's verdicts, put them into the books and write the rows."""
        verdicts = [await each if isinstance(each, asyncio.Task) else each for each in open_.verdicts]
        stop.check()
        for kind, verdict in zip(open_.kinds, verdicts, strict=True):
            if kind:
                self.summary.count(kind, verdict)
        if out is not None:
            names = zip(self.columns, COLUMNS, strict=True)
            out.write(open_.chunk, {ours: [getattr(each, name) for each in verdicts] for ours, name in names})
        now = time.monotonic()
        if now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            rows = self.summary.total.rows
            self._tell(f"{rows:,} rows, {rows / (now - self._began):,.0f} a second")

    def _bad(self, number: int, fault: Fault) -> Verdict:
        """A row that cannot be graded; the first ones are told."""
        add_counts(self.summary.bad, {fault.word: 1})
        told = sum(self.summary.bad.values())
        if told <= MOST_TOLD:
            detail = f" ({fault.detail})" if fault.detail else ""
            self._tell(f"{self._rows.shown}:{self._rows.unit} {number}: {fault.word}{detail}")
        elif told == MOST_TOLD + 1:
            self._tell("more bad rows are not told one by one; their `how` begins with row/")
        return Verdict(None, f"row/{fault.word}")


def read(row: Mapping[str, Any], fields: Fields) -> tuple[Rollout, str] | Fault:
    """What is to be graded in a row, with its reference's type, or why it cannot be. A response may be chat messages,
    of which the last one by the assistant counts; a number as ground truth is its text."""
    response, truth, question, kind = (row.get(name) if name else None for name in fields)
    if isinstance(response, list):
        response = last_reply(response)
    if response is None:
        return Fault("no_response")
    if not isinstance(response, str):
        return Fault("response_type", f"{fields.response} is a {type(response).__name__}")
    truth = [_stored(one) for one in truth] if isinstance(truth, list) else _stored(truth)
    several = truth if isinstance(truth, list) else [] if truth is None else [truth]
    if not any(one.strip() if isinstance(one, str) else one for one in several):
        return Fault("no_ground_truth")
    if not all(isinstance(one, str | dict) for one in several):
        return Fault("ground_truth_type", f"{fields.ground_truth} is neither text nor a list of texts")
    if question is not None and not isinstance(question, str):
        return Fault("question_type", f"{fields.question} is a {type(question).__name__}")
    if kind is not None and not isinstance(kind, str):
        return Fault("answer_type", f"{fields.answer_type} is a {type(kind).__name__}")
    rollout = Rollout(response, truth, question, kind or None)
    try:
        return rollout, references(truth, question or "", rollout.answer_type)[0].type
    except ValueError as error:
        return Fault("ground_truth_type", printable(error))


def _stored(truth: Any) -> Any:
    """A number's text; a Reference's stored form without the fields that a column of structs fills with null."""
    if isinstance(truth, dict):
        return {name: value for name, value in truth.items() if value is not None}
    return plain(truth)


def _is_full(waiting: Sequence[_Open], calls_ahead: int) -> bool:
    return sum(each.waiting for each in waiting) > calls_ahead or sum(each.chunk.size for each in waiting) > OPEN_BYTES


def _found(fields: Fields, present: Sequence[str], where: str) -> Fields:
    """The columns that are there. Raises UserError if one that is needed, or was named, is not."""
    usual = (("response",), GROUND_TRUTH, ("question",), ("answer_type",))
    found: list[str | None] = []
    for what, named, names in zip(Fields._fields, fields, usual, strict=True):
        looked = names if named is None else (named,)
        column = next((name for name in looked if name in present), None)
        needed = what in ("response", "ground_truth") or named is not None
        if column is None and needed:
            flag = f"--{what.replace('_', '-')}-field"
            there = printable(", ".join(present)) or "none"
            raise UserError(f"{where}: no column {' or '.join(looked)} ({flag} NAME); the columns are: {there}")
        found.append(column)
    return Fields(*found)


def _books(judge: Judge) -> dict[str, Any]:
    """What the judge has cost, as JSON wants it."""
    calls, spent = judge.calls, judge.spent
    told = {"model": judge.model, "calls": calls.answered, "reused": judge.reused, "refused": judge.refused}
    told |= {"prompt_tokens": calls.prompt_tokens, "completion_tokens": calls.completion_tokens}
    known = not spent.unpriced and spent.answered > 0
    told |= {"usd": calls.usd if known else None, "usd_in_all": spent.usd if known else None}
    return told | {"unusable": dict(calls.unusable), "retried": dict(calls.retried)}
