"""Builds the packaged indexes of benchmarks: `python -m webscale_rl.sieves.build_index SRC OUT`.

SRC is a folder of JSON Lines files (plain or .gz) with `benchmark`, `question` and `answer`, and a SOURCE.md with a
table that says of each file where it comes from (`file`, `repo@commit`, `path`, `licence`). OUT gets an index for each
benchmark, `common.bin` (the pairs of words that many items have, and how little each tells) and `sources.json`, which
says what each index was made of. No text of an item goes into any of them. The same files give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from webscale_rl.errors import UserError
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.grams import TELLING

COMMON = 9
"""So many items that have a pair make it a common one. Fewer, and it says as much as any."""


def build(source: Path, out: Path) -> dict[str, Any]:
    """Write the indexes. Gives what `sources.json` says. Raises UserError if a file has no line in SOURCE.md."""
    out.mkdir(parents=True, exist_ok=True)
    origins = _origins((source / "SOURCE.md").read_text(encoding="utf-8"))
    made, told = [], {}
    for path in sorted([*source.glob("*.jsonl"), *source.glob("*.jsonl.gz")]):
        if path.name not in origins:
            raise UserError(f"{path.name}: SOURCE.md does not say where it comes from; add a line")
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
        rows = [json.loads(line) for line in lines]
        benchmark = Benchmark.of(rows[0]["benchmark"], ((row["question"], row["answer"]) for row in rows))
        target = out / f"{benchmark.name}.index"
        benchmark.save(target)
        made.append(benchmark)
        told[benchmark.name] = {
            **origins[path.name],
            "rows": len(rows),
            "items": len(benchmark.items),
            "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        }
    (out / "common.bin").write_bytes(common(made))
    told = dict(sorted(told.items()))
    (out / "sources.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return told


def common(benchmarks: Sequence[Benchmark]) -> bytes:
    """The common pairs, sorted, four bytes each, then a byte for each: how many bits it tells."""
    pairs = np.concatenate([one.pairs for one in benchmarks]).astype(np.uint64)
    sizes = np.concatenate([np.maximum(one.items["words"].astype(np.int64) - 1, 0) for one in benchmarks])
    items = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
    joined = np.sort(pairs << np.uint64(32) | items)
    joined = joined[np.diff(joined, prepend=~joined[:1]) != 0]
    found, having = np.unique((joined >> np.uint64(32)).astype(np.uint32), return_counts=True)
    many = (having >= COMMON) & (found & TELLING > 0)
    # Whole numbers, so that no machine's logarithm rounds another way: the bits of the quotient, its square and so on.
    bits = [_log2(len(sizes), int(count)) for count in having[many]]
    return bytes(found[many].astype("<u4").tobytes() + np.array(bits, np.uint8).tobytes())


def _log2(total: int, part: int) -> int:
    """log2(total / part), rounded: how often 2 goes into the square of the quotient, halved."""
    return (total * total // (part * part)).bit_length() // 2


def _origins(text: str) -> dict[str, dict[str, str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    if not rows:
        raise UserError("SOURCE.md: no table of the files")
    head, wanted = rows[0], ("repo@commit", "path", "licence")
    return {row[head.index("file")]: {name: row[head.index(name)] for name in wanted} for row in rows[2:]}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m webscale_rl.sieves.build_index SRC OUT")
    build(Path(sys.argv[1]), Path(sys.argv[2]))
