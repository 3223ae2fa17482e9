"""Where an export goes: a folder with a file for each split and a card, or one file. Whole or not at all.

A folder is replaced as a whole: a file of an earlier export left in it could be loaded as a split of this one, and hold
documents of the other. So it must be one that we have written, or an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from webscale_rl.dataset.exporter import JSON_LINES, PARQUET, Exporter, Files, wrapped
from webscale_rl.errors import ExportError
from webscale_rl.files import replace_folder, replace_whole

CARD = "README.md"
_MARK = "Written by `webscale-rl export`"


@dataclass(frozen=True)
class Target:
    """A folder for files of these names and this ending; or, if `file` is set, that file for the one name."""

    names: tuple[str, ...]
    ending: str
    folder: Path
    file: Path | None = None

    def prepare(self) -> Path:
        """Make the folder that holds what is written; gives a place for scratch in it. Raises ExportError."""
        home = self.folder if self.file else self.folder.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(f"{home}: cannot be written to ({error.strerror})") from error
        return home / f".{(self.file or self.folder).name}.scratch"

    def open(self, stack: ExitStack) -> dict[str, Path]:
        """Paths to write the splits to; they take their places when the stack is closed without an error."""
        if self.file:
            return {self.names[0]: stack.enter_context(replace_whole(self.file))}
        temporary = stack.enter_context(replace_folder(self.folder))
        return {name: temporary / f"{name}{self.ending}" for name in self.names}

    def files(self, rows: Mapping[str, int]) -> Files:
        """The files under their names."""
        if self.file:
            return Files({self.names[0]: self.file}, rows, None)
        return Files({name: self.folder / f"{name}{self.ending}" for name in self.names}, rows, self.folder)


def target(directory: Path, exporter: Exporter, out: Path | None, names: Sequence[str], split: bool) -> Target:
    """Where to write. Raises ExportError for a place that is not free."""
    ending = exporter.ending
    if out is None:
        if not directory.is_dir():
            raise ExportError(f"{directory}: is a file; say with --out where to write")
        folder = directory / "export" / exporter.form
        _require_ours(folder, by_place=True)
        return Target(tuple(names), ending, folder)
    if out.suffix.lower() in (PARQUET, JSON_LINES) and not out.is_dir():
        if out.suffix.lower() != ending:
            raise ExportError(f"--out {out}: {exporter.form} is written as {ending}")
        if split:
            raise ExportError(f"--out {out}: is one file; with --split, name a folder")
        return Target(tuple(names), ending, out.resolve().parent, out)
    if out.exists() and not out.is_dir():
        raise ExportError(f"--out {out}: is a file; name a folder, or a file that ends in {ending}")
    if Path.cwd().is_relative_to(out.resolve()):
        raise ExportError(
            f"--out {out}: holds the folder that you are in, and an export replaces it; name one within it"
        )
    _require_ours(out, by_place=False)
    return Target(tuple(names), ending, out)


def _require_ours(folder: Path, by_place: bool) -> None:
    found = list(folder.iterdir()) if folder.is_dir() else []
    if not found:
        return
    card = folder / CARD
    ours = by_place or (card.is_file() and _MARK in card.read_text(encoding="utf-8", errors="replace"))
    foreign = [p.name for p in found if p.name != CARD and p.suffix not in (PARQUET, JSON_LINES)]
    if not ours or foreign:
        held = f"holds {min(foreign)}" if foreign else "holds files that no export wrote"
        raise ExportError(f"{folder}: {held}, and an export replaces the whole folder; name a new one with --out")


def card(form: str, files: Files, documents: Mapping[str, int], seed: int, following: Sequence[str]) -> str:
    """The folder's card: its head tells `datasets` which file is which split."""
    head = ["---", "configs:", "- config_name: default", "  data_files:"]
    for name, path in files.paths.items():
        head += [f"  - split: {name}", f"    path: {path.name}"]
    table = ["| split | rows | documents |", "|---|---|---|"]
    table += [f"| {name} | {files.rows[name]} | {documents[name]} |" for name in files.paths]
    told = [f"# {form}", "", f"{_MARK}, with seed {seed}.", "", *table]
    lines = [*head, "---", "", *told]
    if following:
        lines += ["", "```bash", *(part for line in following for part in wrapped(line)), "```"]
    return "\n".join(lines) + "\n"
