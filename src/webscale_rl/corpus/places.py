"""Where the corpus lies: from what the user wrote to a sorted list of files.

An input is a file, a folder (searched through for known endings; hidden files are passed over), a glob, an fsspec URL
of any of these, or `sample:`, the corpus that comes with the package. A path that exists is that path, whatever glob
characters it has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from webscale_rl.corpus import readers
from webscale_rl.corpus.record import CorpusError, CorpusOptions, File, shown, writable
from webscale_rl.corpus.stream import unreachable

SAMPLE = Path(__file__).parents[1] / "sample"

_GLOB = re.compile(r"[*?\[]")
_EXTRAS = {"s3": "s3", "s3a": "s3", "hf": "hf"}

_Found = tuple[str, int | None, str]  # url, size, name


def resolve(inputs: Sequence[str], options: CorpusOptions) -> list[File]:
    """The files of the inputs, each once: inputs in their order, sorted within each. Raises CorpusError."""
    if not inputs:
        raise CorpusError("no input: name a file, a folder, a glob or a URL (or sample: for the packaged sample)")
    if options.format is not None:
        readers.load(options.format)
    files: dict[str, File] = {}
    names: set[str] = set()
    for given in inputs:
        found = _remote(given, options) if "://" in given else _local(given, options)
        for url, size, name in sorted(found):
            identity = url if "://" in url else str(Path(url).resolve())
            if identity in files:
                continue
            reader = options.format or readers.by_ending(shown(url))
            if reader is None:
                raise CorpusError(f"{shown(url)}: unknown ending; name its format, or use one of {_known()}")
            # Two folders may hold the same names, but no two documents one id.
            unique = writable(name) if writable(name) not in names else shown(url)
            names.add(unique)
            files[identity] = File(url, size, reader, unique)
    for reader in {file.reader for file in files.values()}:
        readers.load(reader)
    if all(file.size == 0 for file in files.values()):
        raise CorpusError(f"{shown_all(inputs)}: empty, no file holds a byte")
    return list(files.values())


def shown_all(inputs: Sequence[str]) -> str:
    """The inputs in one line for people."""
    listed = ", ".join(map(shown, inputs[:3]))
    return f"{listed} and {len(inputs) - 3} more" if len(inputs) > 3 else listed


def _known() -> str:
    plain = sorted(ending for ending in readers.endings() if not ending.endswith((".gz", ".zst")))
    return f"{', '.join(plain)} (text, JSON and WARC also as .gz and .zst)"


def _wanted(name: str, options: CorpusOptions) -> bool:
    """Whether a file found in a folder, at this path within it, is part of the corpus."""
    if any(part.startswith(".") for part in name.split("/")):
        return False
    return options.format is not None or readers.by_ending(name) is not None


def _local(given: str, options: CorpusOptions) -> list[_Found]:
    if given == "sample:":
        files = [*SAMPLE.glob("*.jsonl"), *(SAMPLE / "notes").iterdir()]
        return [_file(path, path.relative_to(SAMPLE)) for path in files if not path.name.startswith(".")]
    path = Path(given)
    try:
        if path.is_dir():
            return _some(_folder(path, path, options), given, options)
        if path.exists():
            if not path.is_file():
                raise CorpusError(f"{given}: not a file; pipes and devices cannot be read again by a resumed run")
            return [_file(path, Path(path.name))]
        if _GLOB.search(given):
            return _some(_glob(path, options), given, options)
    except OSError as error:
        raise unreachable(given, error) from error
    raise CorpusError(f"{given}: no such file or folder")


def _file(path: Path, name: Path) -> _Found:
    return str(path), path.stat().st_size, name.as_posix()


def _folder(folder: Path, base: Path, options: CorpusOptions) -> Iterable[_Found]:
    def fail(error: OSError) -> None:
        raise error

    for root, folders, names in os.walk(folder, onerror=fail):
        if {"run.yaml", "replies", "shards"} <= {*folders, *names}:  # a run directory: our own output is no corpus
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(root, name)
            if _wanted(name, options) and path.is_file():
                yield _file(path, path.relative_to(base))


def _glob(pattern: Path, options: CorpusOptions) -> Iterable[_Found]:
    parts = pattern.parts
    fixed = next(index for index, part in enumerate(parts) if _GLOB.search(part))
    base = Path(*parts[:fixed])
    if not base.is_dir():
        return
    for path in base.glob("/".join(parts[fixed:])):
        name = path.relative_to(base)
        if path.is_dir():
            yield from _folder(path, base, options)
        elif _wanted(name.as_posix(), options) and path.is_file():
            yield _file(path, name)


def _some(found: Iterable[_Found], given: str, options: CorpusOptions) -> list[_Found]:
    files = list(found)
    if not files:
        looked = "any file" if options.format else f"files that end in {_known()}"
        raise CorpusError(f"{shown(given)}: nothing found; looked for {looked}")
    return files


def _remote(given: str, options: CorpusOptions) -> list[_Found]:
    if given.startswith("file://"):
        return _local(given.removeprefix("file://"), options)
    protocol = given.partition("://")[0].rpartition("::")[2]
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(given)
        return _listed(system, path, given, options)
    except ImportError as error:
        if protocol in _EXTRAS:
            raise readers.needs_extra(f"{shown(given)}: {protocol}:// needs an extra", _EXTRAS[protocol]) from error
        raise CorpusError(f"{shown(given)}: {protocol}:// needs a package ({error})") from error
    except CorpusError:
        raise
    except FileNotFoundError as error:
        raise CorpusError(f"{shown(given)}: no such file or folder") from error
    except Exception as error:  # every fsspec file system has exceptions of its own
        raise unreachable(given, error) from error


def _listed(system: Any, path: str, given: str, options: CorpusOptions) -> list[_Found]:
    if "::" in given or not _GLOB.search(path) or given.startswith("http") or system.exists(path):
        about = system.info(path)
        if about["type"] != "directory":
            return [(given, about.get("size"), path.rpartition("/")[2])]
        if "::" in given:
            raise CorpusError(f"{shown(given)}: a chained URL must name one file")
        base, listed = path, system.find(path, detail=True)
    else:
        base = path[: path.rfind("/", 0, _GLOB.search(path).start()) + 1]  # type: ignore[union-attr]
        listed = {}
        for match, about in system.glob(path, detail=True).items():
            listed.update(system.find(match, detail=True) if about["type"] == "directory" else {match: about})
    found = []
    for name, about in listed.items():
        inner = name.removeprefix(base).lstrip("/")
        if _wanted(inner, options):
            found.append((system.unstrip_protocol(name), about.get("size"), inner))
    return _some(found, given, options)
