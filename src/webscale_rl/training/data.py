"""Rows to train on, from whatever holds them: a run directory, a file of rows, or a folder of such files.

    run directory     its dataset; `continue` takes the documents' texts, if the run kept them
    file              Parquet or JSON Lines
    folder            the files in it, or in its `dataset/`; with a split by name, only `train*`

    continue          `text` (or `pretrain_text`)
    sft               `messages`; else `prompt` and `completion`; else `question` and `answer`
    grpo, reject      `question` (or `prompt`) and a ground truth: `reference`, `ground_truth`, `answer`, `solution`,
                      `expected_answer`

A row that cannot be used is left out and counted by its reason; if none is left, that is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from webscale_rl.dataset.held_out import HELD_OUT
from webscale_rl.engine.rundir import RUN_FILE
from webscale_rl.errors import TrainingError
from webscale_rl.reward.rollout import GROUND_TRUTH, content, plain
from webscale_rl.rowfiles import ENDINGS, Fault, source
from webscale_rl.training.prompting import messages

_TEXTS = ("text", "pretrain_text")
_TRUTHS = ("reference", *GROUND_TRUTH)


class Text(NamedTuple):
    """One document to continue."""

    text: str
    document: str


class Turn(NamedTuple):
    """A conversation and what the model is to say next."""

    asked: Sequence[Mapping[str, str]]
    answer: str
    document: str


class Question(NamedTuple):
    """A question, the messages that ask it, and what its answers are graded against."""

    question: str
    asked: Sequence[Mapping[str, str]]
    truth: Any
    answer_type: str | None
    document: str


class Place(NamedTuple):
    """Where rows lie: the files, and the run directory if it is one."""

    files: tuple[Path, ...]
    run: Path | None


class Taken(NamedTuple):
    """The rows that are used, how many there were, and why others are not."""

    rows: list[Any]
    seen: int
    left_out: dict[str, int]
    place: Place


def find(data: Path) -> Place:
    """The files of rows at this path. Raises TrainingError if there are none."""
    if data.is_file():
        return Place((data,), None)
    if not data.is_dir():
        raise TrainingError(f"{data}: no such file or folder")
    run = data if (data / RUN_FILE).exists() else None
    for folder in (data / "dataset", data):
        files = sorted(path for path in folder.glob("*") if path.name.lower().endswith(ENDINGS) and _shown(path))
        split = [path for path in files if path.name.startswith("train")]
        if files and (folder != data or run is None):
            return Place(tuple(split or files), run)
    if run is not None:
        raise TrainingError(f"{data}: the run has no dataset yet; finish it (webscale-rl status {data})")
    raise TrainingError(f"{data}: no run directory, and no file of rows in it ({', '.join(ENDINGS)})")


def read_texts(data: Path) -> Taken:
    """Documents, each once. Raises TrainingError."""
    place = find(data)
    column = _first(place, _TEXTS, "continue learns documents; a run keeps theirs with dataset.pretrain_text: true")
    found: dict[str, Text] = {}
    left: Counter[str] = Counter()
    seen = 0
    for row in _rows(place, (column, "document_id", "id")):
        text = row.get(column)
        if not isinstance(text, str) or not text.strip():
            left["no_text"] += 1
            seen += 1
            continue
        name = _text(row, "document_id") if column == "pretrain_text" else _text(row, "id")
        key = name or text
        seen += key not in found
        found.setdefault(key, Text(text, key))
    return _taken(list(found.values()), seen, left, place)


def read_turns(data: Path, system_prompt: str | None) -> Taken:
    """What SFT learns. Raises TrainingError."""
    place = find(data)
    columns = _columns(place)
    shape = next(
        (
            need
            for need in (("messages",), ("prompt", "completion"), ("question", "answer"))
            if columns.issuperset(need)
        ),
        None,
    )
    if shape is None:
        raise TrainingError(
            f"{place.files[0]}: sft needs the column messages, or prompt and completion, or question and answer;"
            f" it has {', '.join(sorted(columns))}"
        )
    rows: list[Turn] = []
    left: Counter[str] = Counter()
    seen = 0
    for row in _rows(place, (*shape, "document_id")):
        seen += 1
        turn = _turn(row, shape, system_prompt)
        if isinstance(turn, str):
            left[turn] += 1
        else:
            rows.append(turn)
    return _taken(rows, seen, left, place)


def read_questions(data: Path, system_prompt: str | None, difficulty: tuple[float, float] | None) -> Taken:
    """What is asked and graded. Raises TrainingError."""
    place = find(data)
    columns = _columns(place)
    asks = _first(place, ("question", "prompt"), "a question is what is asked")
    truths = [name for name in _TRUTHS if name in columns]
    if not truths:
        raise TrainingError(
            f"{place.files[0]}: no ground truth: it needs one of the columns {', '.join(_TRUTHS)};"
            f" it has {', '.join(sorted(columns))}"
        )
    if difficulty is not None and "difficulty" not in columns:
        raise TrainingError(f"{place.files[0]}: difficulty: no such column; a run directory has it")
    held_out = _held_out(place)
    rows: list[Question] = []
    left: Counter[str] = Counter()
    seen = 0
    for row in _rows(place, (asks, "prompt", *truths, "answer_type", "document_id", "difficulty")):
        seen += 1
        found = _question(row, truths, system_prompt)
        why = found if isinstance(found, str) else _unwanted(row, difficulty, held_out)
        if why:
            left[why] += 1
        else:
            rows.append(found)  # type: ignore[arg-type]  # it is no reason
    if difficulty is not None and left["difficulty_not_measured"] == seen:
        raise TrainingError(f"{data}: difficulty: was never measured; run `webscale-rl difficulty {data} --model M`")
    return _taken(rows, seen, left, place)


def source_texts(taken: Taken, batch: int = 256) -> Iterator[list[str]]:
    """The texts of the documents behind the rows, each document once; nothing if the files do not hold them."""
    if "pretrain_text" not in _columns(taken.place):
        return
    wanted = {row.document for row in taken.rows}
    done: set[str] = set()
    held: list[str] = []
    for row in _rows(taken.place, ("pretrain_text", "document_id")):
        document, text = _text(row, "document_id"), _text(row, "pretrain_text")
        if document and text and document in wanted and document not in done:
            done.add(document)
            held.append(text)
            if len(held) == batch:
                yield held
                held = []
    if held:
        yield held


def _turn(row: Mapping[str, Any], shape: tuple[str, ...], system_prompt: str | None) -> Turn | str:
    """The turn of a row, or why there is none."""
    document = _text(row, "document_id") or ""
    if shape[0] == "question":
        question, answer = _text(row, "question"), plain(row.get("answer"))
        if not question or not isinstance(answer, str) or not answer.strip():
            return "no_question" if not question else "no_answer"
        return Turn(messages(question, system_prompt), answer, document)
    if shape[0] == "messages":
        talk = _talk(row.get("messages"))
    else:
        asked, said = row.get("prompt"), row.get("completion")
        before = messages(asked, system_prompt) if isinstance(asked, str) else _talk(asked)
        talk = [*before, *([{"role": "assistant", "content": said}] if isinstance(said, str) else _talk(said))]
    if len(talk) < 2 or talk[-1]["role"] != "assistant" or not talk[-1]["content"].strip():
        return "no_answer"
    before = talk[:-1]
    if system_prompt and before[0]["role"] != "system":
        before = [{"role": "system", "content": system_prompt}, *before]
    return Turn(before, talk[-1]["content"], document)


def _question(row: Mapping[str, Any], truths: Sequence[str], system_prompt: str | None) -> Question | str:
    """The question of a row, or why there is none."""
    given = row.get("prompt")
    talk = [] if isinstance(given, str) or given is None else _talk(given)
    last = next((turn["content"] for turn in reversed(talk) if turn["role"] == "user"), "")
    question = _text(row, "question") or last or _text(row, "prompt")
    if not question or not question.strip():
        return "no_question"
    truth = next((found for name in truths if _says(found := plain(row.get(name)))), None)
    if truth is None:
        return "no_ground_truth"
    asked = talk if talk and talk[-1]["role"] == "user" else messages(question, system_prompt)
    if system_prompt and asked[0]["role"] != "system":
        asked = [{"role": "system", "content": system_prompt}, *asked]
    return Question(question, asked, truth, _text(row, "answer_type"), _text(row, "document_id") or "")


def _unwanted(row: Mapping[str, Any], difficulty: tuple[float, float] | None, held_out: frozenset[str]) -> str:
    """Why a good row is not used; empty if it is."""
    if _text(row, "document_id") in held_out:
        return "held_out"
    if difficulty is None:
        return ""
    rate = row.get("difficulty")
    if not isinstance(rate, (int, float)):
        return "difficulty_not_measured"
    return "" if difficulty[0] <= rate <= difficulty[1] else "difficulty"


def _talk(value: Any) -> list[dict[str, str]]:
    """Chat messages as plain roles and texts."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    turns = [turn for turn in value if isinstance(turn, Mapping)]
    return [{"role": str(turn.get("role")), "content": content(turn.get("content"))} for turn in turns]


def _says(truth: Any) -> bool:
    return bool(truth.strip()) if isinstance(truth, str) else truth is not None and truth != []


def _held_out(place: Place) -> frozenset[str]:
    """The documents that the warm-up learns."""
    path = place.run / HELD_OUT if place.run is not None else None
    if path is None or not path.exists():
        return frozenset()
    rows = _rows(Place((path,), None), ("document_id",))
    return frozenset(name for row in rows if (name := _text(row, "document_id")))


def _taken(rows: list[Any], seen: int, left: Counter[str], place: Place) -> Taken:
    told = dict(sorted(left.items()))
    if not rows:
        why = ", ".join(f"{word} {count:,}" for word, count in told.items())
        raise TrainingError(f"{place.files[0]}: nothing to train on, of {seen:,} rows" + (f": {why}" if why else ""))
    return Taken(rows, seen, told, place)


def _rows(place: Place, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of all files, with those of the columns that there are. Raises UserError for a row that is none."""
    for path in place.files:
        file = source(str(path))
        there = set(file.columns())
        for chunk in file.chunks([name for name in dict.fromkeys(columns) if name in there]):
            for number, value in zip(chunk.numbers, chunk.values, strict=True):
                if isinstance(value, Fault):
                    raise TrainingError(
                        f"{file.shown}:{file.unit} {number}: {value.word} ({value.detail}); mend the file"
                    )
                yield value


def _columns(place: Place) -> set[str]:
    """The columns that the files have, as far as their beginnings tell."""
    return {name for path in place.files for name in source(str(path)).columns()}


def _first(place: Place, names: Sequence[str], why: str) -> str:
    columns = _columns(place)
    found = next((name for name in names if name in columns), None)
    if found is None:
        raise TrainingError(
            f"{place.files[0]}: no column {' or '.join(names)}: {why}; it has {', '.join(sorted(columns)) or 'none'}"
        )
    return found


def _shown(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "_"))


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None
