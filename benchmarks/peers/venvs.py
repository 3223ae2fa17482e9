"""The peers: each with a script of this folder and an environment of its own, of pinned versions."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """`venv` is the folder of its environment, `module` its script, `requires` what pip is asked for."""

    name: str
    venv: str
    module: str
    requires: tuple[str, ...]
    options: tuple[str, ...] = ()

    def command(self, venvs: Path, job: Path, url: str, out: Path, concurrency: int, timeout_s: int) -> list[str]:
        """Its call."""
        python = str(venvs / self.venv / "bin" / "python")
        asked = ["--url", url, "--out", str(out), "--concurrency", str(concurrency), "--timeout", str(timeout_s)]
        return [python, "-m", f"benchmarks.peers.{self.module}", str(job), *asked, *self.options]


_OPENAI = ("openai[aiohttp]==3.54.0", "uvloop==0.22.1")
# datatrove's own extra [inference] brings vllm and sglang, which a run against an endpoint does not need.
_DATATROVE = (
    "datatrove==0.10.1", "aiofiles", "aiosqlite", "datasets>=3.1.0", "httpx", "numpy<2.3", "orjson", "pandas",
    "pyarrow", "pyyaml", "rich", "typer", "xxhash", "zstandard",
)  # fmt: skip
PEERS = (
    Peer("asyncio + openai", "asyncio_openai", "asyncio_openai", _OPENAI),
    Peer("datatrove", "datatrove", "datatrove_runner", _DATATROVE),
    Peer("datatrove, no checkpoints", "datatrove", "datatrove_runner", _DATATROVE, ("--no-checkpoints",)),
    Peer("Curator", "curator", "curator_runner", ("bespokelabs-curator==0.1.31",)),
    # distilabel 1.5.3 imports requests without asking for it
    Peer("distilabel", "distilabel", "distilabel_pipeline", ("distilabel[openai]==1.5.3", "requests")),
    Peer("Data Designer", "data_designer", "data_designer_columns", ("data-designer==0.9.6",)),
)


def make(folder: Path) -> None:
    """Make all environments under the folder. Raises CalledProcessError where pip fails."""
    for venv, requires in {peer.venv: peer.requires for peer in PEERS}.items():
        if not (folder / venv / "made").exists():
            print(f"{venv}: {', '.join(requires)}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", folder / venv], check=True)
            subprocess.run([folder / venv / "bin" / "python", "-m", "pip", "install", "-q", *requires], check=True)
            (folder / venv / "made").touch()
