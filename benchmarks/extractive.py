"""The embedded backend over a corpus: documents a minute, peak memory, and the same at ten times the input.

    python -m benchmarks.extractive CORPUS... [--times 10]

The larger corpus is the same one repeated with new ids.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from benchmarks.measure import measured
from webscale_rl.corpus import CorpusOptions, files, read
from webscale_rl.types import Document


def repeated(sources: list[str], times: int, target: Path) -> int:
    """Writes the corpus so many times over, with new ids; gives the number of documents."""
    options = CorpusOptions()
    found = files(sources, options)
    count = 0
    with target.open("wb") as file:
        for turn in range(times):
            for item in read(found, options):
                if isinstance(item, Document):
                    row = {"id": f"{turn}/{item.id}", "text": item.text, "source": item.source, "url": item.url}
                    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                    count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        for times in args.times:
            path = Path(folder) / f"{times}.jsonl"
            count = repeated(args.corpus, times, path)
            command = [sys.executable, "-m", "webscale_rl.cli", "run", str(path), "--out", f"{folder}/run-{times}"]
            cost = measured(command)
            print(
                f"{times:>3} x: {count:,} documents, {path.stat().st_size / 1e6:,.0f} MB: {cost.wall_s:,.0f} s,"
                f" {60 * count / cost.wall_s:,.0f} documents/minute, peak {cost.peak_mb:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
