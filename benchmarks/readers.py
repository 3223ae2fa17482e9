"""How fast the readers bring Documents: MB of JSON Lines per second and core, beside a bare loop over the lines.

python -m benchmarks.readers CORPUS... [--times 10]
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from benchmarks.extractive import repeated
from webscale_rl.corpus import CorpusOptions, files, read


def seconds(work: Callable[[], object]) -> float:
    """CPU time of one core."""
    before = time.process_time()
    work()
    return time.process_time() - before


def read_all(path: Path) -> int:
    """The number of Documents in a file."""
    options = CorpusOptions()
    return sum(1 for _ in read(files([str(path)], options), options))


def bare_loop(path: Path) -> int:
    """The limit: every line parsed, nothing made of it."""
    with path.open("rb") as file:
        return sum(1 for line in file if orjson.loads(line))


def bare_gzip(path: Path) -> None:
    """Decompression alone."""
    with gzip.open(path) as file:
        while file.read(1 << 18):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--times", type=int, default=10)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        plain = Path(folder) / "corpus.jsonl"
        repeated(args.corpus, args.times, plain)
        megabytes = plain.stat().st_size / 1e6
        zipped, zst, parquet = (plain.with_name(f"corpus.{ending}") for ending in ("jsonl.gz", "jsonl.zst", "parquet"))
        data = plain.read_bytes()
        zipped.write_bytes(gzip.compress(data, 6))
        zst.write_bytes(zstandard.compress(data, 3))
        rows = [orjson.loads(line) for line in data.splitlines()]
        pq.write_table(pa.Table.from_pylist(rows), parquet, compression="zstd", row_group_size=1000)
        del data, rows
        for path in (plain, zst, zipped, parquet):
            print(f"{path.suffixes[-1]:<9} {megabytes / seconds(lambda path=path: read_all(path)):>6,.0f} MB/s")
        print(f"limit: orjson.loads over plain lines {megabytes / seconds(lambda: bare_loop(plain)):,.0f} MB/s")
        print(f"limit: gzip.open, no parsing         {megabytes / seconds(lambda: bare_gzip(zipped)):,.0f} MB/s")


if __name__ == "__main__":
    main()
