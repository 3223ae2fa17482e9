"""Documents that belong together when a dataset is split: of one id, one address, or one text.

A page that was crawled twice has two ids and the same facts; with a question of each on either side, the test asks what
was trained on. So such documents form a group, and a group is in one split. A document without twins is a group of its
own, named by its id alone: what it is does not change when others are added.

Not covered: near-duplicates, texts that differ in more than case and white space. `webscale-rl dedup --documents` takes
those out of the corpus beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np

from webscale_rl.dataset.split import digest
from webscale_rl.normalise import wording

MOST_OF_A_PAGE = 50
"""An address with more documents than this is a site's or a corpus's, not a page's: it joins nothing. A page is crawled
a few times; a column that holds one address for all would leave a single group."""

_LINK = np.dtype([("to", "<u8"), ("id", "<u8")])
_BLOCK = 1 << 16


class Twins:
    """Takes every row's document, then says each one's group.

    Links from what documents may share lie in files of `scratch`, 16 bytes each; in memory are only those of documents
    that do have a twin.
    """

    def __init__(self, scratch: Path) -> None:
        self._paths = {"url": scratch / "url.links", "text": scratch / "text.links"}
        self._files = {name: path.open("wb") for name, path in self._paths.items()}
        self._held: dict[str, list[tuple[int, int]]] = {name: [] for name in self._paths}
        self._last: tuple[str, str | None, str | None] | None = None
        self._groups: dict[int, int] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()

    def note(self, document: str, url: str | None, text: str | None) -> None:
        """Take a row's document. Rows of one document that follow one another cost nothing."""
        if (document, url, text) == self._last:
            return
        self._last = (document, url, text)
        name = digest("id", document)
        for kind, shared in (("url", _address(url)), ("text", wording(text) if text else "")):
            if shared:
                self._held[kind].append((digest(kind, shared), name))
                if len(self._held[kind]) >= _BLOCK:
                    self._flush(kind)

    @property
    def joined(self) -> int:
        """How many documents have a twin under another id."""
        return len(self._groups)

    def settle(self) -> None:
        """All rows were taken: find the groups."""
        for kind, file in self._files.items():
            self._flush(kind)
            file.close()
        links = [_shared(self._paths["url"], MOST_OF_A_PAGE), _shared(self._paths["text"], None)]
        self._groups = _joined(np.concatenate(links))

    def group(self, document: str) -> int:
        """The group of a document: 64 bits."""
        name = digest("id", document)
        return self._groups.get(name, name)

    def _flush(self, kind: str) -> None:
        self._files[kind].write(np.array(self._held[kind], _LINK).tobytes())
        self._held[kind].clear()


def _address(url: str | None) -> str:
    """A page's address without what does not tell pages apart: scheme, www., fragment, a last slash."""
    if not url:
        return ""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    host = parts.netloc.lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{parts.query}" if host else url


def _shared(path: Path, most: int | None) -> Any:
    """The links to what several documents share, at most `most` of them; each link once."""
    if path.stat().st_size == 0:
        return np.empty(0, _LINK)
    links = np.memmap(path, _LINK, mode="r+")
    links.sort(order=("to", "id"))
    found = np.unique(np.concatenate([np.empty(0, _LINK), *_neighbours(links)]))
    if most is None or not len(found):
        return found
    _, place, counts = np.unique(found["to"], return_inverse=True, return_counts=True)
    return found[counts[place] <= most]


def _neighbours(links: Any) -> Iterator[Any]:
    """Of sorted links, those beside one from another document to the same, block by block."""
    for start in range(1, len(links), _BLOCK):
        block = np.array(links[start - 1 : start + _BLOCK])
        before, after = block[:-1], block[1:]
        twin = (before["to"] == after["to"]) & (before["id"] != after["id"])
        yield before[twin]
        yield after[twin]


def _joined(links: Any) -> dict[int, int]:
    """The group of each document in the links: the smallest name that can be reached from it."""
    if not len(links):
        return {}
    names, ids = np.unique(links["id"], return_inverse=True)
    shared, to = np.unique(links["to"], return_inverse=True)
    group = np.arange(len(names))
    while True:
        least = np.full(len(shared), len(names))
        np.minimum.at(least, to, group[ids])
        found = group.copy()
        np.minimum.at(found, ids, least[to])
        if (found == group).all():
            return {int(name): int(names[at]) for name, at in zip(names, group, strict=True)}
        group = found
