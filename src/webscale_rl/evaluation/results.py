"""What came of an evaluation, row by row, on the disk: a finished row is written whole, and never asked again.

evaluation.json          what was evaluated and how; another model or other settings need another folder
rows/NAME.json           a finished row, with the score of each question
rows/NAME.samples.jsonl  what the model said, of a local suite
results.json  results.md  results.png  samples.jsonl  ledger.json
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import orjson

from webscale_rl.errors import ChangedError, ConfigError
from webscale_rl.evaluation.local import Graded
from webscale_rl.evaluation.statistics import Mean, average
from webscale_rl.files import replace_whole, write_text
from webscale_rl.ledger import Ledger, together

SETTINGS, ROWS, RESULTS, SAMPLES = "evaluation.json", "rows", "results.json", "samples.jsonl"
FORMAT = 1

Status = Literal["done", "failed", "not_run"]


class RowFailed(Exception):
    """A row that came to nothing, and why: the others still run."""


class Result(msgspec.Struct, frozen=True):
    """A row's result. `score` is in 0..1 and None unless it is done; `why` says what was in the way, or what to know.

    Of a local suite, `decided` is the score without the `undecided` answers, which `score` counts as wrong; `passes`
    holds pass@k by k. `questions` holds each question's score, by which two results are paired.
    """

    name: str
    kind: str
    status: Status
    score: float | None = None
    stderr: float | None = None
    count: int = 0
    why: str = ""
    metric: str = ""
    shots: int | None = None
    undecided: int = 0
    cut: int = 0
    decided: Mean | None = None
    passes: dict[str, Mean] = {}
    published: dict[str, float] = {}
    ledger: Ledger = Ledger()
    identity: str = ""
    questions: dict[str, float] = {}

    @property
    def mean(self) -> Mean | None:
        """The score with its error; None unless the row is done."""
        return None if self.score is None else Mean(self.score, self.stderr, self.count)

    def plain(self) -> dict[str, Any]:
        """As JSON wants it, without the questions and without what does not apply."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        told["ledger"] = self.ledger.plain()
        always = ("name", "kind", "status", "score", "stderr", "count", "ledger")
        return {
            key: value
            for key, value in told.items()
            if key in always or (key != "questions" and value not in ("", {}, None))
        }


class Evaluated(msgspec.Struct, frozen=True):
    """A finished evaluation: its folder, what was evaluated, and the rows in the suite's order."""

    folder: Path
    model: str
    suite: str
    rows: tuple[Result, ...]
    published_as: str = ""

    @property
    def average(self) -> Mean | None:
        """The unweighted mean over the rows that were run."""
        return average([row.mean for row in self.rows if row.mean is not None])

    @property
    def failed(self) -> int:
        """Rows that were asked and came to nothing: running again tries them again."""
        return sum(row.status == "failed" for row in self.rows)

    @property
    def ledger(self) -> Ledger:
        """What all rows took."""
        return together(row.ledger for row in self.rows)

    def plain(self) -> dict[str, Any]:
        """As JSON wants it."""
        return {
            "format": FORMAT,
            "model": self.model,
            "suite": self.suite,
            "published_as": self.published_as,
            "rows": [row.plain() for row in self.rows],
            "average": None if self.average is None else msgspec.to_builtins(self.average),
            "ledger": self.ledger.plain(),
        }


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder this evaluation's. Raises ChangedError if it holds another model's or another setting's, and
    ConfigError if it holds something else."""
    path = folder / SETTINGS
    try:
        before = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        ours = {SETTINGS, ".lock", f".{SETTINGS}.tmp"}
        if folder.exists() and any(entry.name not in ours for entry in folder.iterdir()):
            raise ConfigError(f"{folder}: holds something else than an evaluation; choose another --out") from None
        (folder / ROWS).mkdir(parents=True, exist_ok=True)
        write_text(path, _dumped(settings))
        return
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path}: cannot be read ({error}); choose another --out") from error
    now = orjson.loads(orjson.dumps(settings))
    if not isinstance(before, dict) or (other := [key for key in now if before.get(key) != now[key]]):
        lines = [f"{folder}: holds another evaluation; choose another --out, or delete it"]
        if isinstance(before, dict):
            lines += [f"  {key}: {before.get(key)!r} before, {now[key]!r} now" for key in other]
        raise ChangedError("\n".join(lines))
    (folder / ROWS).mkdir(exist_ok=True)


def read_row(folder: Path, slug: str, identity: str) -> Result | None:
    """The finished row, if there is one of this identity."""
    try:
        found = msgspec.json.decode((folder / ROWS / f"{slug}.json").read_bytes(), type=Result)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return None  # none, or an older version's: it is evaluated anew
    return found if found.identity == identity and found.status == "done" else None


def write_row(folder: Path, slug: str, result: Result) -> None:
    """Keep a finished row."""
    write_text(folder / ROWS / f"{slug}.json", msgspec.json.encode(result).decode() + "\n")


def write_samples(folder: Path, slug: str, name: str, graded: Graded) -> None:
    """Keep what the model said, in ASCII: what it wrote must not reach a terminal as it is."""
    with (
        replace_whole(folder / ROWS / f"{slug}.samples.jsonl") as temporary,
        temporary.open("w", encoding="ascii") as file,
    ):
        each = len(graded.answers) // max(1, len(graded.questions))
        for place, answer in enumerate(graded.answers):
            question = graded.questions[place // each]
            told = {
                "row": name,
                "question": question.question,
                "answer": question.truth,
                "answer_type": question.answer_type,
                **{key: getattr(answer, key) for key in ("sample", "response", "extracted", "score", "how", "cut")},
            }
            file.write(json.dumps(told, ensure_ascii=True) + "\n")


def join_samples(folder: Path, slugs: Iterable[str]) -> None:
    """All rows' samples in one file, in the suite's order; no file if no row has any."""
    parts = [path for slug in slugs if (path := folder / ROWS / f"{slug}.samples.jsonl").exists()]
    if not parts:
        return
    with replace_whole(folder / SAMPLES) as temporary, temporary.open("wb") as file:
        for path in parts:
            with path.open("rb") as part:
                while block := part.read(1 << 20):
                    file.write(block)


def read_evaluated(folder: str | Path) -> Evaluated:
    """An evaluation as it lies in its folder, with the score of each question. Raises ConfigError."""
    home = Path(folder)
    try:
        told = orjson.loads((home / RESULTS).read_bytes())
        rows = []
        for row in told["rows"]:
            ledger = {key: value for key, value in row["ledger"].items() if key != "every"}
            rows.append(msgspec.convert(row | {"ledger": ledger}, Result))
        model, suite, published = told["model"], told["suite"], told["published_as"]
    except FileNotFoundError:
        raise ConfigError(f"{home}: holds no finished evaluation (there is no {RESULTS})") from None
    except (orjson.JSONDecodeError, msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{home / RESULTS}: cannot be read ({error}); evaluate again") from error
    kept = {}
    for path in sorted((home / ROWS).glob("*.json")):
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Result)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        kept[found.name, found.identity] = found.questions
    rows = [msgspec.structs.replace(row, questions=kept.get((row.name, row.identity), {})) for row in rows]
    return Evaluated(home, model, suite, tuple(rows), published)


def write_results(evaluated: Evaluated) -> None:
    """Write results.json."""
    write_text(evaluated.folder / RESULTS, _dumped(evaluated.plain()))


def _dumped(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"
