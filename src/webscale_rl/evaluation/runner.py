"""A model against a suite: row after row, each kept as soon as it is done, and the table at the end."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import msgspec

from webscale_rl.errors import ConfigError
from webscale_rl.evaluation import evalplus, served
from webscale_rl.evaluation.harness import Harness, Model
from webscale_rl.evaluation.local import Graded, grade, read_questions
from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.plot import plot
from webscale_rl.evaluation.report import markdown
from webscale_rl.evaluation.results import (
    Evaluated,
    Result,
    RowFailed,
    claim,
    join_samples,
    read_row,
    write_results,
    write_row,
    write_samples,
)
from webscale_rl.evaluation.suites import Suite, SuiteRow, identity, load_suite
from webscale_rl.files import owned, write_text
from webscale_rl.ledger import Ledger, write_ledger

REPORT, PICTURE = "results.md", "results.png"


def evaluate(
    model: str | Path,
    suite: str | Path,
    out: Path,
    *,
    limit: int | None = None,
    device: str = "auto",
    samples: int = 1,
    options: Options | None = None,
) -> Evaluated:
    """Evaluate a model: a folder or name that `transformers` loads, or with `options.base_url` what a server calls it.

    A suite is "paper", a YAML file, or a JSON Lines file of {question, answer}. `limit` asks no more questions of each
    row, `samples` asks each of a local suite so often. Rows that are done in `out` are not asked again; rows that come
    to nothing are `failed` in the result, and are tried again by the next call. `options` holds all else; what it says
    of limit, device and samples gives way to the arguments that are set.

    Raises UserError (ChangedError: `out` holds another model's evaluation), RunStopped at a cap.
    """
    given = replace(options or Options(), limit=limit, samples=samples, device=device)
    given.sampler().check()
    rows = load_suite(suite)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be a folder for results ({error.strerror}); choose another --out") from error
    with owned(out):
        claim(out, given.settings(str(model)))
        return _Evaluation(str(model), rows, out, given).run(str(suite))


class _Evaluation:
    """One pass over the rows of a suite."""

    def __init__(self, name: str, suite: Suite, folder: Path, options: Options) -> None:
        self._name = name
        self._suite = suite
        self._folder = folder
        self._options = options
        self._model = Model(name, options.device)
        self._harness = Harness(name, self._model, options, suite.include)

    def run(self, suite_name: str) -> Evaluated:
        results = tuple(self._row(row) for row in self._suite.rows)
        evaluated = Evaluated(self._folder, self._name, suite_name, results, self._suite.published_as)
        join_samples(self._folder, [row.slug for row in self._suite.rows if row.kind == "local"])
        write_text(self._folder / REPORT, markdown(evaluated))
        if find_spec("matplotlib") is not None:
            plot(self._folder / PICTURE, [evaluated])
        write_ledger(self._folder, evaluated.ledger)
        write_results(evaluated)
        return evaluated

    def _row(self, row: SuiteRow) -> Result:
        made_of = identity(row, self._suite.include)
        if (kept := read_row(self._folder, row.slug, made_of)) is not None:
            return msgspec.structs.replace(kept, name=row.name, published=row.published)
        self._options.tell(f"{row.name}: {row.file or row.task or f'EvalPlus {row.evalplus}'}")
        fault = self._folder / "rows" / f"{row.slug}.error.txt"
        fault.unlink(missing_ok=True)
        try:
            result = self._asked(row)
        except RowFailed as failed:
            if failed.__cause__ is not None:
                write_text(fault, "".join(traceback.format_exception(failed.__cause__)))
            self._options.tell(f"{row.name}: failed: {failed}")
            return Result(row.name, row.kind, "failed", why=str(failed), published=row.published, identity=made_of)
        result = msgspec.structs.replace(result, published=row.published, identity=made_of)
        if result.status == "done":
            write_row(self._folder, row.slug, result)
        return result

    def _asked(self, row: SuiteRow) -> Result:
        if row.kind == "lm_eval":
            return self._harness.evaluate(row)
        if row.kind == "evalplus":
            return evalplus.evaluate(row, self._name, self._options, self._folder / "evalplus")
        started = time.monotonic()
        graded, spent = self._local(row)
        write_samples(self._folder, row.slug, row.name, graded)
        seconds = time.monotonic() - started
        return local_result(row, graded, msgspec.structs.replace(spent, seconds=seconds), self._options.samples)

    def _local(self, row: SuiteRow) -> tuple[Graded, Ledger]:
        options = self._options
        questions = read_questions(str(row.file), options.limit)
        sampler = options.sampler(row.max_tokens)
        if options.base_url is not None:
            return served.ask(questions, self._name, options, sampler.max_tokens, self._folder / "served" / row.slug)
        graded = grade(*self._model.loaded, questions, sampler, system=options.system)
        return graded, Ledger(rollout=graded.tokens)


def local_result(row: SuiteRow, graded: Graded, ledger: Ledger, samples: int) -> Result:
    """A local suite's row: the score with undecided answers as wrong, and without them."""
    mean = graded.mean
    assert mean is not None  # a suite without questions was refused
    powers = [2**power for power in range(1, samples.bit_length())] if samples > 1 else []
    passes = {str(k): found for k in powers if k <= samples and (found := graded.pass_at(k)) is not None}
    return Result(
        row.name,
        row.kind,
        "done",
        score=mean.value,
        stderr=mean.stderr,
        count=mean.count,
        metric="reward" if samples == 1 else f"reward, mean of {samples}",
        undecided=graded.undecided,
        cut=sum(answer.cut for answer in graded.answers),
        decided=graded.decided,
        passes=passes,
        ledger=ledger,
        questions=graded.by_question(),
    )
