"""The reward over HTTP: one process that answers OpenRLHF, NeMo Gym and anyone else (`webscale-rl reward-server`).

    POST /score          {"rows": [{response, ground_truth, question?, answer_type?}]} -> {"verdicts": [...]}
    POST /get_reward     OpenRLHF's remote reward model
    POST /verify         NeMo Gym's resources server; POST /seed_session before it
    GET  /health         {"status": "ok", ...}

The rules run in worker processes (pool.py), so that the event loop stays free. What they cannot tell goes to the judge,
if there is one. A mistake is answered with one line, {"error": ...}; bodies are never logged.

For trainers on this machine or in a closed network: it asks for no key and speaks no TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from aiohttp import web

from webscale_rl.errors import ConfigError
from webscale_rl.reward import openrlhf, protocols
from webscale_rl.reward.pool import BadTruth, Scorer
from webscale_rl.reward.protocols import BodyError

if TYPE_CHECKING:
    from webscale_rl.reward.judge import Judge

MOST_BYTES = 32 * 2**20
"""Of one body: 1,000 responses of 32,000 characters."""
GRACE_S = 10.0
"""How long requests under way are waited for at the end."""

log = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(scorer: Scorer) -> web.Application:
    """The routes."""
    routes = _Routes(scorer)
    app = web.Application(client_max_size=MOST_BYTES, middlewares=[_as_json])
    app.router.add_post("/score", routes.score)
    app.router.add_post("/get_reward", routes.get_reward)
    app.router.add_post("/verify", routes.verify)
    app.router.add_post("/seed_session", routes.seed_session)
    app.router.add_get("/health", routes.health)
    return app


class _Routes:
    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    async def score(self, request: web.Request) -> web.Response:
        body = protocols.read(await request.read(), protocols.ScoreBody)
        return _json(protocols.score_told(await self._scorer.verdicts([row.rollout() for row in body.rows])))

    async def get_reward(self, request: web.Request) -> web.Response:
        rows = protocols.reward_rollouts(protocols.read(await request.read(), protocols.RewardBody))
        decided = iter(await self._scorer.verdicts([row for row in rows if row is not None]))
        verdicts = [openrlhf.NO_PROMPT if row is None else next(decided) for row in rows]
        return _json(protocols.reward_told(verdicts))

    async def verify(self, request: web.Request) -> web.Response:
        body = protocols.read(await request.read(), dict[str, Any])
        try:
            asked = protocols.gym_rollout(body)
        except ValueError as error:
            raise BodyError(str(error)) from None
        (verdict,) = await self._scorer.verdicts([asked])
        return _json(body | protocols.gym_told(verdict))

    async def seed_session(self, request: web.Request) -> web.Response:
        return _json({})  # a row has no state

    async def health(self, request: web.Request) -> web.Response:
        scorer = self._scorer
        told = {"status": "ok", "judge": scorer.judge is not None}
        return _json(told | {"scored": scorer.scored, "undecided": scorer.undecided})


@web.middleware
async def _as_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """The boundary: whatever goes wrong with a request is its own answer, in JSON."""
    try:
        return await handler(request)
    except BodyError as error:
        return _json({"error": str(error)}, 400)
    except BadTruth as error:
        return _json({"error": f"row {error.place}: no ground truth: {error.message}"}, 400)
    except web.HTTPRequestEntityTooLarge:
        return _json({"error": f"the body has more than {MOST_BYTES} bytes; send fewer rows at once"}, 413)
    except web.HTTPException as error:
        return _json({"error": f"{error.reason}: {request.method} {request.path}"}, error.status)
    except BrokenProcessPool:
        return _json({"error": "a scoring process died; nothing was scored, send the rows again"}, 503)
    except Exception:
        log.exception("a bug: %s was not answered", request.path)
        return _json({"error": "a bug in webscale-rl; its traceback is in the server's log"}, 500)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=protocols.written(value), status=status, content_type="application/json")


@contextlib.asynccontextmanager
async def serving(scorer: Scorer, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context lasts, and give the base URL. Raises ConfigError if the address cannot be had."""
    runner = web.AppRunner(application(scorer), access_log=None, handle_signals=False, shutdown_timeout=GRACE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, UnicodeError, OverflowError) as error:  # no such address, host or port
            raise ConfigError(f"cannot serve at {host}:{port} ({error}); choose another --host or --port") from error
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        yield f"http://{shown}:{bound[1]}"
    finally:
        await runner.cleanup()


async def serve(host: str, port: int, workers: int, judge: Judge | None, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way. `ready` is told the base URL.

    Raises ConfigError if the address cannot be had, and what opening the judge raises.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as opened:
        if judge is not None:
            await opened.enter_async_context(judge)
        scorer = await opened.enter_async_context(Scorer(workers, judge))
        url = await opened.enter_async_context(serving(scorer, host, port))
        await scorer.warm()
        ready(url)
        await stopped.wait()
