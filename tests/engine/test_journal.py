"""The journal of one shard: what was appended is read back, whatever a disk took of other appends."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from webscale_rl.backend import Reply
from webscale_rl.engine.replies import ReplyStore, Stored


def stored(name: str) -> Stored:
    return Stored(name.encode() * 16, "filter", Reply(f"the answer {name} " * 20))


def test_an_append_that_the_disk_cut_hides_nothing_that_comes_after_it(tmp_path: Path) -> None:
    store = ReplyStore(tmp_path, 0)
    store.append(stored("a"))
    room = (tmp_path / "00000.journal").stat().st_size + 20  # the next record begins, and does not end
    limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        with pytest.raises(OSError, match="large"):
            store.append(stored("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    store.append(stored("c"))
    assert store.get(stored("c").key) == [stored("c")]
    store.close()
    again = ReplyStore(tmp_path, 0)
    assert list(again.all()) == [stored("a"), stored("c")]
    assert again.get(stored("b").key) == []
    again.close()


def test_replies_are_found_in_the_journal_and_when_it_was_sealed(tmp_path: Path) -> None:
    store = ReplyStore(tmp_path, 0)
    for name in "aba":
        store.append(stored(name))
    assert (store.count(stored("a").key), store.get(stored("a").key)) == (2, [stored("a")] * 2)
    store.seal()
    assert not (tmp_path / "00000.journal").exists()
    again = ReplyStore(tmp_path, 0)
    again.append(stored("c"))
    assert [one.key for one in again.all()] == [stored(name).key for name in "abac"]
    assert again.get(stored("a").key) == [stored("a")] * 2
    again.close()
