"""What is asked of a model: a suite is a list of rows, each a task of lm-eval, of EvalPlus, or a file of one's own.

    about: what this measures
    include: tasks                # a folder with your own lm-eval tasks, beside this file
    rows:
      - {name: Facts, file: facts.jsonl}
      - {name: GSM8K, task: gsm8k_cot, shots: 8, metric: "exact_match,flexible-extract", max_tokens: 512}
      - {name: MBPP, evalplus: mbpp, tests: base}

A packaged suite is a file in `suites/`; a JSON Lines file alone is a suite of one row.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from webscale_rl.config import explain, read_yaml
from webscale_rl.errors import TrainingError
from webscale_rl.rowfiles import ENDINGS
from webscale_rl.types import content_id

PACKAGED = Path(__file__).parent / "suites"
_SUITE_ENDINGS = (".yaml", ".yml")


class SuiteRow(BaseModel):
    """One line of the table: exactly one of `file`, `task` and `evalplus` says what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80, description="what the table calls it")
    file: str | None = Field(None, description="questions and answers, JSON Lines or Parquet, beside the suite's file")
    task: str | None = Field(None, description="a task, group or tag of lm-eval")
    evalplus: Literal["humaneval", "mbpp"] | None = Field(None, description="a data set of EvalPlus")
    shots: int | None = Field(None, ge=0, description="worked examples before each question; default: the task's own")
    metric: str | None = Field(None, description="lm-eval's `metric,filter`; needed if the task has several")
    max_tokens: int | None = Field(None, ge=1, description="of one answer; default: the task's own, or --answer-tokens")
    tests: Literal["base", "plus"] = Field("plus", description="EvalPlus: the original tests, or all of them")
    published: dict[str, float] = Field({}, description="what others report, in per cent, by the model's name")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("file", "task", "evalplus") if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ValueError(f"needs one of file, task and evalplus (it has {', '.join(kinds) or 'none'})")
        for name in ("shots", "metric"):
            if getattr(self, name) is not None and self.task is None:
                raise ValueError(f"{name}: goes with a task of lm-eval only")
        return self

    @property
    def kind(self) -> str:
        """local, lm_eval or evalplus: who asks."""
        return "local" if self.file is not None else "lm_eval" if self.task is not None else "evalplus"

    @property
    def slug(self) -> str:
        """The name of its files."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40]
        return f"{words}-{content_id(self.name)[:6]}"


class Suite(BaseModel):
    """Rows in the order of the table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field("", description="one line about it")
    published_as: str = Field("", description="what the published figures are of")
    include: str | None = Field(None, description="a folder with lm-eval tasks of your own, beside the suite's file")
    rows: tuple[SuiteRow, ...] = Field(min_length=1, description="what is asked")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [row.name for row in self.rows]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two rows are named {twice!r}")
        return self


def load_suite(given: str | Path) -> Suite:
    """A packaged suite by its name, a YAML file, or a file of questions; its paths are made absolute. Raises
    UserError."""
    path = Path(given)
    if path.name.lower().endswith(ENDINGS):
        return Suite(rows=(SuiteRow(name=path.name.split(".")[0], file=str(_there(path))),))
    if path.suffix.lower() not in _SUITE_ENDINGS:
        path = _packaged(str(given))
    values = read_yaml(path)
    try:
        suite = Suite.model_validate(values)
    except ValidationError as error:
        raise TrainingError(explain(error, Suite, str(path))) from None
    home = path.parent.resolve()
    rows = tuple(
        row if row.file is None else row.model_copy(update={"file": str(_there(home / row.file))}) for row in suite.rows
    )
    include = None if suite.include is None else str(_there(home / suite.include))
    return suite.model_copy(update={"rows": rows, "include": include})


def identity(row: SuiteRow, include: str | None = None) -> str:
    """A digest of what decides the row's result: what it asks, and the bytes of its file or of the tasks' folder."""
    told: dict[str, Any] = row.model_dump(exclude={"name", "published", "file"})
    parts = [repr(sorted(told.items()))]
    if row.file is not None:
        parts.append(_digest(Path(row.file)))
    if include is not None and row.task is not None:
        files = sorted(path for path in Path(include).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        parts += [f"{path.relative_to(include)} {_digest(path)}" for path in files]
    return content_id(*parts)


def _packaged(name: str) -> Path:
    known = sorted(path.stem for path in PACKAGED.glob("*.yaml"))
    if name in known:
        return PACKAGED / f"{name}.yaml"
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"packaged: {', '.join(known)}"
    raise TrainingError(
        f"suite: there is no {name!r}; {hint}; or name a file: .jsonl with questions and answers, .yaml"
    )


def _there(path: Path) -> Path:
    if not path.exists():
        raise TrainingError(f"{path}: no such file or folder")
    return path.resolve()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
