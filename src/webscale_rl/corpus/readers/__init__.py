"""The readers, one file per format. The folder is the registry: a new format is a new file with

    ENDINGS   the file endings it reads; compressed forms are listed too
    NEEDS     modules that it imports when used     EXTRA   the extra that installs them
    read(file, stream, options) -> Iterator[Document | Unreadable]

A reader outside the package is named by its dotted path.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast

from webscale_rl.corpus.record import CorpusError, CorpusOptions, File, Unreadable
from webscale_rl.corpus.stream import Stream
from webscale_rl.types import Document


class Reader(Protocol):
    """What the module of a reader has."""

    ENDINGS: tuple[str, ...]
    NEEDS: tuple[str, ...]
    EXTRA: str

    def read(self, file: File, stream: Stream, options: CorpusOptions) -> Iterator[Document | Unreadable]:
        """All there is in the file, in its order. Raises CorpusError only for what the machine failed to read."""
        ...


def names() -> list[str]:
    """The names of the packaged readers."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


@cache
def load(name: str) -> Reader:
    """The reader of that name or dotted path. Raises CorpusError."""
    if "." not in name and name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise CorpusError(f"unknown format {name!r}{hint} (formats: {', '.join(names())})")
    try:
        reader = cast(Reader, importlib.import_module(name if "." in name else f"{__name__}.{name}"))
    except ImportError as error:
        raise CorpusError(f"format {name}: cannot import it ({error})") from error
    missing = [module for module in getattr(reader, "NEEDS", ()) if importlib.util.find_spec(module) is None]
    if missing:
        raise needs_extra(f"format {name} needs {missing[0]}", reader.EXTRA)
    return reader


def needs_extra(what: str, extra: str) -> CorpusError:
    """What to tell people when an optional package is not installed."""
    return CorpusError(f"{what}: pip install 'webscale-rl[{extra}]'")


@cache
def endings() -> dict[str, str]:
    """Which reader reads which ending."""
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names()}
    return {ending: name for name, module in modules.items() for ending in module.ENDINGS}


def by_ending(path: str) -> str | None:
    """The reader for a file of that name, or None."""
    tail = path.lower().rpartition("/")[2]
    matches = [ending for ending in endings() if tail.endswith(ending)]
    return endings()[max(matches, key=len)] if matches else None


def with_compression(*plain: str) -> tuple[str, ...]:
    """The endings, and the same with .gz and .zst."""
    return tuple(ending + compression for ending in plain for compression in ("", ".gz", ".zst"))
