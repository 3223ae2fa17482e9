"""A training from its data to its model, in a directory of its own that goes on where it stopped.

DIR/training.yaml    the recipe as resolved, what was trained on and with; never a secret
DIR/metrics.jsonl    a line for every logged step, and notes
DIR/model/           the model and its tokenizer
DIR/ledger.json      what it cost; written last: with it the training is finished
DIR/checkpoints/     while it is not
DIR/sampled.jsonl    `reject`: what was sampled, with its verdicts
DIR/judge/           what a judge has answered
DIR/plots/training.png, DIR/stock/    curves; the same training as a command of TRL and of verl
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webscale_rl.files import owned, replace_folder
from webscale_rl.ledger import LEDGER_FILE, Ledger, read_ledger, write_ledger
from webscale_rl.training import loop
from webscale_rl.training.account import account
from webscale_rl.training.books import CHECKPOINTS, METRICS_FILE, Books, Watch
from webscale_rl.training.data import Taken, read_questions, read_texts, read_turns
from webscale_rl.training.directory import Record, claim
from webscale_rl.training.encode import Encoded, encode_questions, encode_texts, encode_turns
from webscale_rl.training.grading import Grader
from webscale_rl.training.plots import draw
from webscale_rl.training.recipe import ContinueRecipe, GrpoRecipe, JudgeOptions, Recipe, RejectRecipe, SftRecipe
from webscale_rl.training.reject import sampled
from webscale_rl.training.stock import write_stock
from webscale_rl.training.stop import Interrupt, interrupts
from webscale_rl.training.watch import WatchedReward

MODEL = "model"


@dataclass(frozen=True)
class Trained:
    """A finished training."""

    folder: Path
    ledger: Ledger

    @property
    def model(self) -> Path:
        """A Hugging Face model folder, with its tokenizer."""
        return self.folder / MODEL

    @property
    def metrics(self) -> Path:
        """A line for every logged step."""
        return self.folder / METRICS_FILE


def train(
    recipe: Recipe,
    model: str | Path,
    data: Path,
    out: Path,
    *,
    device: str = "auto",
    watch: Watch | None = None,
) -> Trained:
    """Train the model on the data. A finished `out` is returned as it is, an unfinished one goes on.

    Raises TrainingError for data or a model that cannot be used, ChangedError if `out` holds another training,
    RunStopped after a signal, with a checkpoint.
    """
    with interrupts() as interrupt:
        taken = read(recipe, data)
        record = Record.of(recipe, model, data, taken)
        if not (out / LEDGER_FILE).exists():
            loop.require(recipe)  # before there is a directory
        out.mkdir(parents=True, exist_ok=True)
        with owned(out):
            claim(out, record)
            if not (out / LEDGER_FILE).exists():
                with loop.quiet():
                    cuda = loop.on_cuda(device)
                    _Session(recipe, str(model), taken, out, cuda, Books(out, watch)).finish(interrupt)
    return Trained(out, read_ledger(out))


def read(recipe: Recipe, data: Path) -> Taken:
    """The rows that the recipe's method learns from. Raises TrainingError."""
    if isinstance(recipe, ContinueRecipe):
        return read_texts(data)
    if isinstance(recipe, SftRecipe):
        return read_turns(data, recipe.system_prompt)
    assert isinstance(recipe, (GrpoRecipe, RejectRecipe))
    return read_questions(data, recipe.system_prompt, recipe.difficulty)


class _Session:
    """One process's share of a training: from the rows to the model, or to a checkpoint."""

    def __init__(self, recipe: Recipe, model: str, taken: Taken, out: Path, cuda: bool, books: Books) -> None:
        self._recipe, self._taken, self._out, self._cuda = recipe, taken, out, cuda
        self._name, self._books = model, books
        self._tokenizer = loop.load_tokenizer(model)

    def finish(self, interrupt: Interrupt) -> None:
        """Train, and write what a finished training has; the ledger last."""
        encoded = self._encoded()
        self._tell(encoded)
        policy = loop.Policy(loop.load_model(self._name, self._recipe, self._cuda), self._tokenizer)
        learned = self._learn(encoded, policy, interrupt)
        write_stock(self._out, self._recipe, self._name, learned, self._tokenizer, self._cuda)
        with replace_folder(self._out / MODEL) as temporary:
            policy.model.save_pretrained(temporary)
            self._tokenizer.save_pretrained(temporary)
        ledger = account(self._recipe, self._taken, encoded, self._tokenizer, self._books)
        if self._recipe.plots:
            draw(self._out, self._books)
        write_ledger(self._out, ledger)
        shutil.rmtree(self._out / CHECKPOINTS, ignore_errors=True)

    def _learn(self, encoded: Encoded, policy: loop.Policy, interrupt: Interrupt) -> Encoded:
        """Sample, if the method does, and learn. Gives what was learned."""
        recipe, counts = self._recipe, self._books.counts
        judge = getattr(recipe, "judge", JudgeOptions())
        with Grader(judge, self._out) as grader:
            reward = None
            if isinstance(recipe, RejectRecipe):
                turns = sampled(recipe, encoded, policy, self._out, self._books, grader, interrupt)
                encoded = encode_turns(turns, self._tokenizer, recipe)
            elif isinstance(recipe, GrpoRecipe):
                reward = WatchedReward(recipe, self._books, grader)
            loop.learn(loop.Job(recipe, policy, encoded, self._out, self._books, interrupt, self._cuda), reward)
            spent = grader.spent()
            counts.judged, counts.usd = spent.judged, spent.usd
        return encoded

    def _encoded(self) -> Encoded:
        recipe, rows = self._recipe, self._taken.rows
        if isinstance(recipe, ContinueRecipe):
            return encode_texts(rows, self._tokenizer, recipe)
        if isinstance(recipe, SftRecipe):
            return encode_turns(rows, self._tokenizer, recipe)
        assert isinstance(recipe, (GrpoRecipe, RejectRecipe))
        return encode_questions(rows, self._tokenizer, recipe)

    def _tell(self, encoded: Encoded) -> None:
        """Say how many rows are used, and why others are not."""
        if self._books.checkpoint is not None:
            self._books.note(f"goes on from step {self._books.counts.step:,}")
            return
        reasons: dict[str, Any] = {**self._taken.left_out, "too_long": encoded.too_long}
        beyond = self._taken.seen - sum(reasons.values()) - len(encoded.rows)
        told = [f"{count:,} {word}" for word, count in (reasons | {"not_needed": beyond}).items() if count]
        self._books.note(
            f"{len(encoded.rows):,} of {self._taken.seen:,} rows are used"
            + (f"; left out: {', '.join(told)}" if told else "")
        )
