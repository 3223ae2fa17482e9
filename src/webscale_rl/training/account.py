"""What a training cost: its own tokens as they were counted, and its share of what the data cost.

Of a run directory, the calls of the run, in the proportion of the rows that were used to all of its dataset; of a
folder with a ledger (rationales, refined documents), that ledger in the same proportion. Documents are counted each
once, in the model's own tokens, if the rows hold them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from webscale_rl.engine.rundir import SUMMARY_FILE
from webscale_rl.ledger import LEDGER_FILE, Ledger, of_summary, read_ledger
from webscale_rl.training.books import Books
from webscale_rl.training.data import Taken, source_texts
from webscale_rl.training.encode import Encoded, count_tokens
from webscale_rl.training.recipe import ContinueRecipe, Recipe


def account(recipe: Recipe, taken: Taken, encoded: Encoded, tokenizer: Any, books: Books) -> Ledger:
    """The ledger of a training that has ended. What is not known is 0, and a note says so."""
    counts = books.counts
    own = Ledger(
        source=_source(recipe, taken, encoded, tokenizer),
        judged=counts.judged,
        rollout=counts.rollout,
        trained=counts.trained,
        usd=counts.usd,
        seconds=round(counts.seconds, 3),
    )
    if not own.source:
        books.note("ledger: the source's tokens are not known, for the rows do not hold their documents; they count 0")
    made = _made(recipe, taken)
    if made is None:
        if not isinstance(recipe, ContinueRecipe):
            books.note("ledger: what it took to make the data is not known; it counts 0")
        return own
    return own.plus(scaled(made, len(encoded.rows), taken.seen))


def scaled(whole: Ledger, used: int, rows: int) -> Ledger:
    """A share of what the data cost, without its source and its time."""
    share = used / rows

    def part(tokens: int) -> int:
        return round(tokens * share)

    return Ledger(
        generated=part(whole.generated),
        judged=part(whole.judged),
        rollout=part(whole.rollout),
        trained=part(whole.trained),
        usd=None if whole.usd is None else whole.usd * share,
    )


def _source(recipe: Recipe, taken: Taken, encoded: Encoded, tokenizer: Any) -> int:
    if isinstance(recipe, ContinueRecipe):
        return encoded.source
    used = taken._replace(rows=encoded.rows)
    return sum(count_tokens(texts, tokenizer) for texts in source_texts(used))


def _made(recipe: Recipe, taken: Taken) -> Ledger | None:
    """What making all of the data took: by the ledger beside it, else by the summary of its run."""
    folder: Path = taken.place.files[0].parent
    for place in (folder, folder.parent):
        if (place / LEDGER_FILE).exists():
            return read_ledger(place)
    summary = None if taken.place.run is None else taken.place.run / SUMMARY_FILE
    if summary is None or not summary.exists() or isinstance(recipe, ContinueRecipe):
        return None  # a run's documents themselves cost no call
    return of_summary(orjson.loads(summary.read_bytes()))
