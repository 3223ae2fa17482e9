"""Servers of the run's own making: started before the first call, watched while it works, stopped when it ends.

Each replica is a process group of its own under a warden (`warden.py`), which stops it when this process lets go of the
warden's stdin, or dies. What it prints goes to DIR/serve/replica-N.log and never to the terminal; when it dies, the end
of that log stands in the error. What the servers are changes no result: only the model's name counts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from webscale_rl import registry
from webscale_rl.backend import Backend, BackendError
from webscale_rl.backends.answers import Transport, plain
from webscale_rl.config import Run, read_yaml
from webscale_rl.engine import launch, warden
from webscale_rl.engine.launch import COMMAND, Launch
from webscale_rl.engine.rundir import RUN_FILE, SERVE_FOLDER
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE, Stop, Stopped
from webscale_rl.errors import ConfigError, RunStopped

GRACE_S = 15.0
"""How long a server may take to end itself."""
PROBE_EVERY_S = 0.25
PROBE_TIMEOUT_S = 3.0
TELL_EVERY_S = 10.0
TAIL_LINES = 20
TAIL_BYTES = 64 << 10
PORTS = range(20_000, 30_000)
"""Below those that systems use for outgoing connections: a server may bind its port minutes after it was chosen."""
KEY_VARIABLE = "OPENAI_API_KEY"

_ESCAPES = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)"
logger = logging.getLogger("webscale_rl.serve")


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    """The body of GET /v1/models, as far as it matters here."""

    data: list[_Model]


class Probe(NamedTuple):
    """What a server said when it was asked for its models: their first one's name, or why it is not ready."""

    ready: bool
    said: str


def prepared(run: Run, backend: Backend | None) -> Run:
    """The run as it can be checked before its server is there, whose model is taken to be that of an earlier run in
    the directory. Raises ConfigError if it asks for a server that cannot be started."""
    options = run.serve
    if options.command is None:
        if options.replicas > 1:
            raise ConfigError(f"{COMMAND}: missing; {options.replicas} replicas of what? (--serve)")
        return run
    if os.name != "posix":
        raise ConfigError(f"{COMMAND}: works on Linux and macOS only; start the server yourself and give --base-url")
    if backend is not None:
        raise ConfigError(f"{COMMAND}: the run was given a backend of its own, which asks no server")
    asked = run.answered_by
    if "base_urls" not in registry.load("backends", str(asked["use"]), "paid").Options.model_fields:
        raise ConfigError(f"{COMMAND}: the {asked['use']} backend asks no server; set backend.use: openai")
    if "base_urls" in asked:
        raise ConfigError(f"{COMMAND}: backend.base_urls names servers already; keep one of the two")
    _plan(run)
    return run.model_copy(update={"backend": {**asked, "model": asked.get("model") or _earlier_model(run)}})


@asynccontextmanager
async def serving(run: Run, folder: Path, stop: Stop) -> AsyncIterator[Run]:
    """The run with the addresses and the model of its servers, which last as long as the context; the run as it is if
    it asks for none. When the last server dies, the run is told to stop.

    Raises ConfigError for a port that is taken; RunStopped if a server dies or the time is up before all are ready.
    """
    if run.serve.command is None:
        yield run
        return
    servers = Servers(run, folder, stop)
    watching: asyncio.Task[None] | None = None
    try:
        await servers.start()
        model = await servers.ready()
        watching = asyncio.create_task(servers.watch())
        yield _with_servers(run, [replica.launch.url for replica in servers.replicas], model)
    finally:
        if watching is not None:
            watching.cancel()
        await servers.stop()
    if not watching.cancelled():
        watching.result()  # raises what was wrong with the watching itself


class Servers:
    """All replicas of a run."""

    def __init__(self, run: Run, folder: Path, stop: Stop) -> None:
        self._options = run.serve
        self._stop = stop
        self._key_variable = str(run.answered_by.get("api_key_env", KEY_VARIABLE))
        self._hidden = launch.secrets(os.environ, self._key_variable)
        plan, environment = _plan(run)
        ports = [plan.port] if plan.port is not None else free_ports(self._options.replicas)
        if plan.port is not None and not is_free(plan.port):
            raise ConfigError(
                f"{COMMAND}: port {plan.port} is taken by another process; name another, or {launch.PORT}"
            )
        found = plan.launches(ports, launch.deal(self._options, environment))
        self.replicas = [Replica(one, folder / SERVE_FOLDER / f"replica-{one.number}.log") for one in found]

    async def start(self) -> None:
        """Start them all. Raises OSError if a log cannot be written."""
        self.replicas[0].log.parent.mkdir(exist_ok=True)
        for replica in self.replicas:
            await replica.start()

    async def ready(self) -> str:
        """Wait until every replica answers; the name of the first one's first model. Raises RunStopped."""
        from webscale_rl.backends.transport import Http

        began = told = time.monotonic()
        models: dict[int, str] = {}
        logger.info("%s: starting, logs in %s", self._told(), self.replicas[0].log.parent)
        async with Http(PROBE_TIMEOUT_S, PROBE_TIMEOUT_S) as network:
            while True:
                waiting = [replica for replica in self.replicas if replica.launch.number not in models]
                probes = await asyncio.gather(*[self._probe(network, replica) for replica in waiting])
                models |= {
                    one.launch.number: probe.said for one, probe in zip(waiting, probes, strict=True) if probe.ready
                }
                self._require_alive()
                now = time.monotonic()
                if len(models) == len(self.replicas):
                    logger.info("%s: ready after %.0f s", self._told(), now - began)
                    return models[1]
                slow, said = next(
                    (one, probe.said) for one, probe in zip(waiting, probes, strict=True) if not probe.ready
                )
                if now - began > self._options.ready_timeout_s:
                    raise self._not_ready(slow, said)
                if now - told >= TELL_EVERY_S:
                    told = now
                    logger.info("%s: not ready after %.0f s (%s)", slow.name, now - began, said)
                await self._pause()

    async def watch(self) -> None:
        """Tell of each replica that dies; stop the run with the last one."""
        living = {asyncio.create_task(replica.ended()): replica for replica in self.replicas}
        try:
            while living:
                done, _ = await asyncio.wait(living, return_when=asyncio.FIRST_COMPLETED)
                for dead in [living.pop(task) for task in done]:
                    what = f"{dead.name} {dead.end}"
                    if living:
                        left = f"{len(living)} of {len(self.replicas)} left"
                        logger.warning("%s; %s (its log: %s)", what, left, dead.log)
                    else:
                        self._stop.request(f"{what}; run again to go on{self._tail(dead)}", RESUMABLE)
        finally:
            for task in living:
                task.cancel()

    async def stop(self) -> None:
        """Stop them all, and wait until they are gone."""
        for replica in self.replicas:
            replica.release()
        await asyncio.gather(*[replica.gone() for replica in self.replicas])

    async def _pause(self) -> None:
        try:
            await self._stop.sleep(PROBE_EVERY_S)
        except Stopped as stopped:
            raise RunStopped(str(stopped), self._stop.code) from None

    async def _probe(self, network: Transport, replica: Replica) -> Probe:
        headers = {}
        if key := os.environ.get(self._key_variable, "").strip():
            headers["Authorization"] = f"Bearer {key}"
        try:
            answer = await network.send("GET", f"{replica.launch.url}/models", headers)
        except BackendError as error:
            return Probe(False, str(error))
        if answer.status in (401, 403):
            raise RunStopped(
                f"{replica.name}: the server wants a key, and refuses what ${self._key_variable} holds;"
                " set backend.api_key_env to the variable that holds its key",
                WRONG_USAGE,
            )
        return probe_of(answer.status, answer.body)

    def _require_alive(self) -> None:
        for replica in self.replicas:
            if replica.end is not None:
                raise RunStopped(f"{replica.name} {replica.end} before it was ready{self._tail(replica)}", WRONG_USAGE)

    def _not_ready(self, replica: Replica, said: str) -> RunStopped:
        return RunStopped(
            f"{replica.name}: GET {replica.launch.url}/models was not answered 200 within"
            f" {self._options.ready_timeout_s:g} s ({said}); raise serve.ready_timeout_s, or mend"
            f" {COMMAND}{self._tail(replica)}",
            WRONG_USAGE,
        )

    def _tail(self, replica: Replica) -> str:
        if not replica.log.exists():  # of a run that takes hours somebody may have tidied it away
            return f"; {replica.log} is gone"
        lines = tail(replica.last_bytes(), self._hidden)
        told = "".join(f"\n  {line}" for line in lines) or "\n  (it is empty)"
        return f"; the end of {replica.log}:{told}"

    def _told(self) -> str:
        count = len(self.replicas)
        return "the server" if count == 1 else f"{count} servers"


class Replica:
    """One server: its process, which is its warden's, and its log."""

    def __init__(self, one: Launch, log: Path) -> None:
        self.launch = one
        self.log = log
        self.name = f"serve: replica {one.number}"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def end(self) -> str | None:
        """How it ended, in words; None while it lives."""
        code = self._process.returncode if self._process is not None else None
        if code is None:
            return None
        number = -code if code < 0 else code - 128
        if number in set(signal.Signals):
            return f"was ended by {signal.Signals(number).name}"
        return f"ended with exit code {code}"

    async def start(self) -> None:
        """Start it. Raises OSError if its log cannot be written."""
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(warden.__file__)), str(GRACE_S), *self.launch.command),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.launch.environment},
                start_new_session=True,
            )

    async def ended(self) -> None:
        """Returns when it has ended."""
        if self._process is not None:
            await self._process.wait()

    def release(self) -> None:
        """Let go of it: its warden stops it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def gone(self) -> None:
        """Returns when it has been stopped, or cannot be."""
        try:
            async with asyncio.timeout(GRACE_S + 2 * warden.KILLED_WITHIN_S):
                await self.ended()
        except TimeoutError:
            assert self._process is not None
            logger.warning("%s (process %d) cannot be stopped; end it yourself", self.name, self._process.pid)

    def last_bytes(self) -> bytes:
        """The end of its log, from the beginning of a line."""
        size = self.log.stat().st_size
        with self.log.open("rb") as file:
            if size > TAIL_BYTES:
                file.seek(size - TAIL_BYTES)
                file.readline()
            return file.read()


def probe_of(status: int, body: bytes) -> Probe:
    """What the answer to GET /v1/models means."""
    if status != 200:
        return Probe(False, f"it answers {status}")
    try:
        models = msgspec.json.decode(body, type=_Models).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Probe(False, "it answers 200 with no list of models")
    if not models or not models[0].id.strip():
        return Probe(False, "it lists no model")
    return Probe(True, models[0].id)


def tail(data: bytes, hidden: Sequence[str], lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a log, safe on a terminal and without secrets. Of a line that was drawn over (a progress bar)
    only what was drawn last."""
    text = re.sub(_ESCAPES, "", data.decode("utf-8", "replace"))
    for secret in hidden:
        text = text.replace(secret, "***")
    drawn = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return [plain(line) for line in drawn if line.strip()][-lines:]


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what an earlier server leaves is no listener
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _plan(run: Run) -> tuple[launch.Plan, Mapping[str, str]]:
    """The plan of the command, whose program there is, and the environment that it runs in. Raises ConfigError."""
    plan = launch.plan(run.serve, os.environ)
    environment = {**os.environ, **plan.variables}
    launch.deal(run.serve, environment)
    if shutil.which(plan.program, path=environment.get("PATH")) is None:
        raise ConfigError(f"{COMMAND}: there is no program {plan.program!r}; install it, or write its whole path")
    return plan, environment


def _with_servers(run: Run, urls: list[str], model: str) -> Run:
    asked = run.answered_by
    return run.model_copy(update={"backend": {**asked, "base_urls": urls, "model": asked.get("model") or model}})


def _earlier_model(run: Run) -> str:
    """The model of the run that lies in the directory already: the one that is served is probably the same."""
    path = Path(run.out or "") / RUN_FILE
    if not run.out or not path.is_file():
        return ""
    config = read_yaml(path).get("config")
    backend = config.get("backend") if isinstance(config, dict) else None
    return str(backend.get("model", "")) if isinstance(backend, dict) else ""
