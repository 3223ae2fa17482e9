"""What a Stage is: a prompt, the form of its reply, and two pure functions.

    ask(record)            -> slots of the prompt
    decide(record, reply)  -> the next records, or a Drop

A stage without a prompt is a heuristic: it is asked nothing and decides with `reply=None`. A stage knows nothing of
HTTP, storage or concurrency, and is given one record at a time; a stage that `gathers` is given all records of one
document at once, in order, and answers each.

A new stage is a file in `stages/`, or any importable class named by its dotted path in `pipeline:`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from webscale_rl.backend import Sampling, reply_schema
from webscale_rl.domains import Taxonomy
from webscale_rl.layout import Layout
from webscale_rl.prompt import Prompt
from webscale_rl.types import Document, Drop

In = TypeVar("In")
Answer = TypeVar("Answer")
Out = TypeVar("Out")


class StageOptions(BaseModel):
    """What the configuration can set for every stage. A stage's own Options derive from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="false leaves the stage out")


class PromptedOptions(StageOptions):
    """What the configuration can set for every stage that asks a model."""

    model: str | None = Field(None, description="the model of this stage; default: the backend's model")
    prompt: str | None = Field(None, description="path of a prompt file (.md) to use instead of the packaged one")
    layout: Layout | None = Field(None, description="where the parts of its prompt stand; default: the run's `layout`")
    temperature: float | None = Field(0.0, ge=0, description="sampling temperature; null leaves it to the server")
    top_p: float | None = Field(None, gt=0, le=1, description="nucleus sampling; null leaves it to the server")
    max_tokens: int = Field(4096, ge=1, description="most tokens of one answer (the paper: 4096)")
    max_document_chars: int = Field(
        32_000, ge=200, description="a longer document is cut there, at the end of a paragraph if there is one"
    )


@dataclass(frozen=True)
class Context:
    """What a stage or a backend may know of the run besides its own options. `folder` is the run directory."""

    domains: Taxonomy
    seed: int = 0
    folder: Path | None = None


class Stage(Generic[In, Answer, Out]):
    """Base of all stages. Subclasses set the class variables and override `decide`, and `ask` if they have a prompt.

    `takes` and `gives` are the record types (Document, Brief or Pair); `reasons` is the closed list of its Drops;
    `slots` names what `ask` fills, and `trusted` those of them that are our own words: a prompt must quote the others;
    `reply_type` is the msgspec Struct that an answer must parse into; `reply_schema` says which types it may hold.
    """

    name: ClassVar[str]
    takes: ClassVar[type]
    gives: ClassVar[type]
    reasons: ClassVar[frozenset[str]] = frozenset()
    slots: ClassVar[frozenset[str]] = frozenset()
    trusted: ClassVar[frozenset[str]] = frozenset()
    reply_type: ClassVar[type[msgspec.Struct] | None] = None
    gathers: ClassVar[bool] = False
    Options: ClassVar[type[StageOptions]] = StageOptions

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context
        self.prompt: Prompt | None = None
        if self.reply_type is not None:
            reply_schema(self.reply_type)  # refuses what servers cannot be asked for, before anything is paid
            self.prompt = Prompt.load(options.prompt or self.name)
            self.prompt.require(self.slots, self.trusted)

    @property
    def unit(self) -> str:
        """What its records are counted as: "document" until a document has a persona, "pair" from then on."""
        return "document" if self.takes is Document else "pair"

    @property
    def sampling(self) -> Sampling:
        """How this stage's model samples."""
        return Sampling(self.options.temperature, self.options.max_tokens, self.options.top_p)

    def sampling_of(self, record: In) -> Sampling:
        """How it samples for this record: the same for all, unless records are samples of one question."""
        return self.sampling

    @property
    def fixed(self) -> Mapping[str, str]:
        """Those slots that are filled the same for every record of the run: they may stand in what all calls share."""
        return {}

    def ask(self, record: In) -> Mapping[str, str]:
        """The slots of the prompt for this record. Pure."""
        raise NotImplementedError(f"stage {self.name} has a prompt but no ask()")

    def decide(self, record: In, reply: Answer) -> list[Out] | Drop:
        """The next records, or why there are none. Pure; `reply` is None for a heuristic."""
        raise NotImplementedError(f"stage {self.name} has no decide()")

    def decide_all(self, records: Sequence[In]) -> list[list[Out] | Drop]:
        """For a heuristic that gathers: what becomes of each record of one document, in their order."""
        raise NotImplementedError(f"stage {self.name} gathers but has no decide_all()")

    def drop(self, reason: str, detail: str = "") -> Drop:
        """A Drop by this stage. Raises ValueError for a reason that is not in its list."""
        if reason not in self.reasons:
            raise ValueError(f"stage {self.name}: {reason!r} is not one of its reasons: {sorted(self.reasons)}")
        return Drop(self.name, reason, detail)
