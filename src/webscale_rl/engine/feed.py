"""Brings documents from the readers, which block, to the event loop, which must not: one batch ahead, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from webscale_rl.corpus import Unreadable
from webscale_rl.types import Document

Item = Document | Unreadable
BATCH_ITEMS = 64
BATCH_CHARS = 1 << 20


async def feed(items: Iterable[Item], limit: int | None) -> AsyncGenerator[Item, None]:
    """The items in their order, no more than `limit`. Whatever the reader raises is raised here."""
    iterator = iter(items if limit is None else islice(items, limit))
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="reader") as thread:
        ahead = loop.run_in_executor(thread, _batch, iterator)
        try:
            while batch := await ahead:
                ahead = loop.run_in_executor(thread, _batch, iterator)
                for item in batch:
                    yield item
        finally:
            await asyncio.wait([ahead])
            if not ahead.cancelled():
                ahead.exception()  # read, so that an unwanted batch's error is not reported as forgotten


def _batch(iterator: Iterator[Item]) -> list[Item]:
    batch: list[Item] = []
    size = 0
    for item in iterator:
        batch.append(item)
        size += len(item.text) if isinstance(item, Document) else 0
        if len(batch) >= BATCH_ITEMS or size >= BATCH_CHARS:
            break
    return batch
