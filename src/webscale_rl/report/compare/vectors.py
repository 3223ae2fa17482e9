"""A vector for each question: by hashing, which needs nothing, or from an embeddings endpoint that the user named.

Hashed vectors hold words and pairs of words, each added to or taken from one of 1,024 places (K. Weinberger et al.
2009, Feature Hashing for Large Scale Multitask Learning): questions are alike that share words. An endpoint's are alike
by meaning. Neither kind can be compared with the other, so both runs get the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

import msgspec
import numpy as np

from webscale_rl.backend import BackendError
from webscale_rl.backends.answers import Transport, refusal
from webscale_rl.errors import UserError
from webscale_rl.normalise import tokens
from webscale_rl.report.compare.diversity import Vectors
from webscale_rl.sieves.fingerprints import digest

PLACES = 1024
BATCH = 64
ATTEMPTS = 5
TIMEOUT_S, CONNECT_S = 300.0, 10.0


class _Embedding(msgspec.Struct):
    index: int
    embedding: list[float]


class _Reply(msgspec.Struct):
    data: list[_Embedding]


def hashed(texts: Sequence[str]) -> Vectors:
    """Vectors of length one, by words and pairs of words; a text without words is its own kind."""
    found = np.zeros((len(texts), PLACES), np.float32)
    for at, text in enumerate(texts):
        words = tokens(text)
        for feature in (*words, *(" ".join(pair) for pair in pairwise(words))) or (text,):
            number = digest(feature)
            found[at, number % PLACES] += 1.0 if number >> 63 else -1.0
        if not found[at].any():  # all features met and took each other away
            found[at, digest(text) % PLACES] = 1.0
    return _unit(found)


class Endpoint:
    """An OpenAI-compatible `/embeddings`. Its key comes from the environment and is sent nowhere else.

    Raises UserError for a URL that is none.
    """

    def __init__(self, url: str, model: str, key_env: str = "OPENAI_API_KEY", *, pause_s: float = 1.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise UserError("--embeddings-url: begins with http:// or https:// and a host, and holds no user")
        self._base = url.rstrip("/").removesuffix("/embeddings")
        self._model = model
        self._key = os.environ.get(key_env, "").strip()
        self._pause_s = pause_s

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length one. Raises UserError if the endpoint does not give them."""
        return asyncio.run(self._all(texts))

    async def _all(self, texts: Sequence[str]) -> Vectors:
        from webscale_rl.backends.transport import Http

        async with Http(TIMEOUT_S, CONNECT_S) as transport:
            parts = [await self._batch(transport, batch) for batch in _batches(texts)]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise UserError(f"{self._base}: gives vectors of several lengths: {sorted(widths)}")
        return _unit(np.concatenate(parts))

    async def _batch(self, transport: Transport, texts: Sequence[str]) -> Vectors:
        headers = {"Content-Type": "application/json", "User-Agent": "webscale-rl"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        body = msgspec.json.encode({"model": self._model, "input": [text or " " for text in texts]})
        for attempt in range(ATTEMPTS):
            try:
                answer = await transport.send("POST", f"{self._base}/embeddings", headers, body)
                if 200 <= answer.status < 300:
                    return self._read(answer.body, len(texts))
                raise refusal(answer, url=self._base, model=self._model, secret=self._key)
            except BackendError as error:
                if not error.retry or attempt == ATTEMPTS - 1:
                    raise UserError(f"embeddings: {error}") from error
                await asyncio.sleep(max(self._pause_s * 2.0**attempt, error.retry_after_s or 0.0))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _read(self, body: bytes, count: int) -> Vectors:
        try:
            found = sorted(msgspec.json.decode(body, type=_Reply).data, key=lambda one: one.index)
            vectors = np.array([one.embedding for one in found], np.float32)
        except (msgspec.DecodeError, ValueError) as error:
            raise UserError(f"{self._base}: its answer holds no embeddings ({str(error)[:200]})") from error
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise UserError(f"{self._base}: gave {len(vectors)} vectors for {count} texts, or none of numbers")
        return vectors


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(texts), BATCH):
        yield texts[at : at + BATCH]


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return found
