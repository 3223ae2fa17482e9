"""What refining came to, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from webscale_rl.report.text import books_lines, clean, funnel_lines

if TYPE_CHECKING:
    from webscale_rl.refine.launch import Refined

SHOWN = 3


def refined_lines(done: Refined) -> Iterator[str]:
    """The table of the stages, the books, some documents, and where all of them lie."""
    summary = done.summary
    yield from funnel_lines(summary["funnel"])
    yield ""
    for line in books_lines({**summary, "pairs": {**summary["pairs"], "kept": 1}}):
        if not line.startswith("pairs:"):
            yield line
    tokens = summary["tokens"]
    share = f", {100 * tokens['kept'] / tokens['source']:.0f} %" if tokens["source"] else ""
    refiner = clean(summary["refiner"], 80)
    yield f"tokens (estimated): {tokens['source']:,} in, {tokens['kept']:,} kept{share}; by {refiner}"
    for row in islice(_rows(done), SHOWN):
        score = f"  score {row['score']:.2f}" if "score" in row else ""
        yield f"  {clean(row['id'], 60)}{score}  {clean(row['text'], 80)}"
    yield f"refined: {done.refined}"


def _rows(done: Refined) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for path in sorted(done.refined.glob("part-*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=SHOWN):
                yield from batch.to_pylist()
