"""What an exporter is: the files of one trainer, and how a row of the dataset becomes a row of theirs. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from webscale_rl.reward import infer, to_json

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET, JSON_LINES = ".parquet", ".jsonl"
NAME = "webscale"
"""What our environments, verifiers and data are called in trainers."""
COLUMNS = ("id", "question", "answer", "answer_type", "reference", "domain", "document_id", "difficulty")
"""The columns of the dataset that a question with its ground truth needs."""
_PLAIN_PATH = re.compile(r"[\w./~-]+")


class Place(NamedTuple):
    """Where a row comes to stand: its split, and its number in that split from 0."""

    split: str
    number: int


@dataclass(frozen=True)
class Files:
    """What was exported: a file for each split, and how many rows it has. `folder` holds these files and no others, or
    is None if one file was asked for by its name."""

    paths: Mapping[str, Path]
    rows: Mapping[str, int]
    folder: Path | None

    @property
    def train(self) -> str:
        """The split to train on: the one of that name, else the first."""
        return "train" if "train" in self.paths else next(iter(self.paths))

    @property
    def held_out(self) -> str | None:
        """The split to evaluate on, if there is one: by its name, else the next one."""
        others = [name for name in self.paths if name != self.train]
        return next((name for name in ("test", "validation", "val", "dev") if name in others), next(iter(others), None))

    @property
    def train_path(self) -> Path:
        """The file to train on."""
        return self.paths[self.train]

    @property
    def held_out_path(self) -> Path | None:
        """The file to evaluate on."""
        return self.paths[self.held_out] if self.held_out else None


class Exporter(Protocol):
    """What a class in `exporters/` has.

    `form` is its name in `--to`, `ending` that of its files, `columns` what it takes of the dataset. `prompts` says
    whether its rows have a prompt, into which a system prompt may go. Rows that have one and take the `reference` are
    rewarded: documents that a warm-up learns are not among them.
    """

    form: ClassVar[str]
    ending: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    prompts: ClassVar[bool]

    def schema(self) -> pa.Schema | None:
        """The exact columns and types of a Parquet file; None for JSON Lines."""
        ...

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """The row of an example. Raises ExportError if the example cannot be one."""
        ...

    def following(self, files: Files) -> list[str]:
        """Commands that train with the files; MODEL stands for a model. A line that is no command begins with #."""
        ...


def ground_truth(example: Mapping[str, Any]) -> str:
    """The reference in its stored form, which every hook takes: as the run stored it, else inferred as the reward would
    infer it."""
    stored: str | None = example["reference"]
    return stored or to_json(infer(example["answer"], example["question"], example["answer_type"]))


def messages(question: str, system: str | None, answer: str | None = None) -> list[dict[str, str]]:
    """A chat: the system prompt, the question, and the answer, as far as they are given."""
    turns = [("system", system), ("user", question), ("assistant", answer)]
    return [{"role": role, "content": content} for role, content in turns if content is not None]


def chat_type() -> pa.DataType:
    """The Arrow type of `messages`."""
    import pyarrow as pa

    return pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def fields(**kinds: pa.DataType | None) -> pa.Schema:
    """A schema of these columns; what has no type is a string."""
    import pyarrow as pa

    return pa.schema([(name, kind or pa.string()) for name, kind in kinds.items()])


def about_type() -> pa.DataType:
    """The Arrow type of `about`."""
    import pyarrow as pa

    strings = ("question", "answer", "answer_type", "id", "document_id", "domain")
    extra = [("split", pa.string()), ("index", pa.int64()), *((name, pa.string()) for name in strings)]
    return pa.struct([*extra, ("difficulty", pa.float64())])


def about(example: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """What verl and SkyRL carry along as `extra_info`; `index` is how they tell rows apart."""
    names = ("question", "answer", "answer_type", "id", "document_id", "domain", "difficulty")
    return {"split": place.split, "index": place.number, **{name: example[name] for name in names}}


def command(*words: str | Path) -> str:
    """A shell command of these words, quoted where they must be."""
    return " ".join(shlex.quote(str(word)) for word in words)


def setting(key: str, path: Path, several: bool = False) -> str:
    """`key=path`, or a list of one, as Hydra and OmegaConf read it: an unusual path is quoted for them, too."""
    text = str(path) if _PLAIN_PATH.fullmatch(str(path)) else json.dumps(str(path), ensure_ascii=False)
    return f"{key}=[{text}]" if several else f"{key}={text}"


def wrapped(line: str, width: int = 110) -> list[str]:
    """A command of `following` as lines that a shell reads as one."""
    if line.startswith("#") or len(line) <= width:
        return [line]
    lines = [""]
    for word in map(shlex.quote, shlex.split(line)):
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
