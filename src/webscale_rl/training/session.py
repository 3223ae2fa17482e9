"""A training from its data to its model, in a directory of its own that goes on where it stopped.

DIR/training.yaml   the recipe as resolved, what was trained on and with; never a secret
DIR/metrics.jsonl   a line for every logged step, and notes
DIR/model/          the model and its tokenizer
DIR/ledger.json     what it cost; written last: with it the training is finished
DIR/checkpoints/    while it is not
DIR/plots/  DIR/stock/   curves; the same training as a command of TRL and of verl
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from webscale_rl.files import owned, replace_folder
from webscale_rl.ledger import LEDGER_FILE, Ledger, read_ledger, write_ledger
from webscale_rl.training import loop
from webscale_rl.training.books import CHECKPOINTS, METRICS_FILE, Books, Watch
from webscale_rl.training.data import Taken, read_questions, read_texts, read_turns
from webscale_rl.training.directory import Record, claim
from webscale_rl.training.encode import Encoded, encode_questions, encode_texts, encode_turns
from webscale_rl.training.recipe import ContinueRecipe, GrpoRecipe, Recipe, RejectRecipe, SftRecipe
from webscale_rl.training.stop import interrupts
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
    taken = read(recipe, data)
    record = Record.of(recipe, model, data, taken)
    out.mkdir(parents=True, exist_ok=True)
    with owned(out):
        claim(out, record)
        if not (out / LEDGER_FILE).exists():
            loop.require()
            with loop.quiet():
                _finish(recipe, str(model), taken, out, loop.on_cuda(device), watch)
    return Trained(out, read_ledger(out))


def read(recipe: Recipe, data: Path) -> Taken:
    """The rows that the recipe's method learns from. Raises TrainingError."""
    if isinstance(recipe, ContinueRecipe):
        return read_texts(data)
    if isinstance(recipe, SftRecipe):
        return read_turns(data, recipe.system_prompt)
    assert isinstance(recipe, (GrpoRecipe, RejectRecipe))
    return read_questions(data, recipe.system_prompt, recipe.difficulty)


def _finish(recipe: Recipe, model: str, taken: Taken, out: Path, cuda: bool, watch: Watch | None) -> None:
    books = Books(out, watch)
    with interrupts() as interrupt:
        tokenizer = loop.load_tokenizer(model)
        encoded = _encode(recipe, taken, tokenizer)
        policy = loop.Policy(loop.load_model(model, recipe, cuda), tokenizer)
        reward = None
        if isinstance(recipe, GrpoRecipe):
            reward = WatchedReward(recipe, books)
        loop.learn(loop.Job(recipe, policy, encoded, out, books, interrupt, cuda), reward)
    with replace_folder(out / MODEL) as temporary:
        policy.model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
    counts = books.counts
    spent = Ledger(rollout=counts.rollout, trained=counts.trained, judged=counts.judged, usd=counts.usd)
    write_ledger(out, msgspec.structs.replace(spent, seconds=counts.seconds))
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)


def _encode(recipe: Recipe, taken: Taken, tokenizer: object) -> Encoded:
    if isinstance(recipe, ContinueRecipe):
        return encode_texts(taken.rows, tokenizer, recipe.max_tokens, recipe.seed)
    if isinstance(recipe, SftRecipe):
        return encode_turns(taken.rows, tokenizer, recipe.max_tokens)
    assert isinstance(recipe, (GrpoRecipe, RejectRecipe))
    return encode_questions(taken.rows, tokenizer, recipe.max_prompt_tokens)
