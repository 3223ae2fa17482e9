"""The pages of the documentation as the tests see them: their code blocks, and how a block is run.

```bash, ```python     runs, in the page's order and folder; NAME.py as first comment: becomes that file instead
```yaml                becomes the file that its first comment names
```console, ```text    output, a picture: not run
<!-- not run: why -->  on the line before a block: not run, for that reason
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import warm

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROSE = [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
RUN, SHOWN = {"bash", "python"}, {"console", "text"}
DOCUMENTED_SERVER = "http://localhost:8000/v1"

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- not run: *(.*?) *-->\n\Z")
_FILE = re.compile(r"# ([\w./-]+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Block:
    """One fenced block. `not_run` is the reason of its mark, `file` the name that it opens with, or None."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None
    file: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page, in order."""
    content = page.read_text(encoding="utf-8")
    for fence in _FENCE.finditer(content):
        mark = _MARK.search(content, 0, fence.start())
        named = _FILE.match(fence[2])
        yield Block(
            page=page.relative_to(ROOT).as_posix(),
            line=content.count("\n", 0, fence.start()) + 1,
            language=fence[1],
            text=fence[2],
            not_run=mark[1] if mark else None,
            file=named[1] if named else None,
        )


def environment(*, installed: bool = False) -> dict[str, str]:
    """A user's: the virtual environment first on the path, no key, no hub. The command is warm, or as installed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "WEBSCALE_"))}
    command = [] if installed else [str(warm.folder())]
    path = os.pathsep.join([*command, str(Path(sys.executable).parent), inherited.get("PATH", "")])
    return inherited | {"PATH": path, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "100"}


def execute(block: Block, folder: Path, server: str) -> None:
    """Run the block in the folder, or make the file that it is. Raises AssertionError with all that it printed."""
    text = block.text.replace(DOCUMENTED_SERVER, server)
    if block.file is not None:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    command = ["bash", "-euo", "pipefail", "-c", text] if block.language == "bash" else [sys.executable, "-c", text]
    env = environment(installed=block.page == "README.md") | {"HF_HOME": str(folder / ".hf")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (
        f"{block} ended with {done.returncode}\n{text}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    )
