"""What a run directory says of its run, finished or not. Reads only; a run may be working in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from webscale_rl.config import Parts, Run, read_yaml
from webscale_rl.engine.finish import money, summarise, tally_of
from webscale_rl.engine.replies import read_journal
from webscale_rl.engine.rundir import RUN_FILE, SUMMARY_FILE
from webscale_rl.engine.shard import finished_shards
from webscale_rl.errors import ConfigError
from webscale_rl.tally import add_counts


def read_status(directory: Path) -> dict[str, Any]:
    """The books so far, with `state` ("done", "done, with failures" or "not finished") and the number of replies
    that stand in journals, by stage. Raises ConfigError if the directory holds no run."""
    path = directory / RUN_FILE
    if not path.exists():
        raise ConfigError(f"{directory}: holds no run (there is no {RUN_FILE})")
    journals = sorted((directory / "replies").glob("*.journal"))
    unsealed: Counter[str] = Counter()
    endpoints: Counter[str] = Counter()
    for stored in (stored for journal in journals for stored in read_journal(journal)):
        unsealed[stored.stage] += 1
        endpoints.update([stored.endpoint] if stored.endpoint and not stored.moved else [])
    summary_file = directory / SUMMARY_FILE
    if summary_file.exists():
        summary: dict[str, Any] = orjson.loads(summary_file.read_bytes())
        state = "done, with failures" if summary["failures"] else "done"
        return {"state": state, **summary, "in_journals": dict(unsealed)}
    run = Run.make(read_yaml(path)["config"], str(path))
    parts = Parts(run)
    stages = parts.pipeline.stages
    shards = finished_shards(directory)
    units = {stage.name: stage.unit for stage in stages}
    tally = tally_of(directory, shards)
    add_counts(tally.endpoints, endpoints)
    summary = summarise(tally, list(units), units, ()) | money(tally, parts)
    return {"state": "not finished", **summary, "finished_shards": len(shards), "in_journals": dict(unsealed)}
