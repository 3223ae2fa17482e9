"""SymPy as a last resort, in a process of its own that can be killed. Off unless `enable` is called.

Points decide nearly everything in microseconds; SymPy takes half a second to start and may take seconds for one
expression, which no default of the rule path allows. It is given trees that we parsed and rebuilds them with its own
constructors: it never parses text. No signals, no threads; a lock per process, and a fresh process after a fork.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webscale_rl.reward.maths.tree import Node
    from webscale_rl.reward.verdict import Match

START_S = 20.0
"""What starting Python and importing SymPy may take on a busy machine."""
_MAX_EXPONENT = 1_000
_MEMORY = 4 << 30
"""Bytes of addresses; SymPy itself needs a tenth of it."""


class Worker:
    """SymPy's process, started when it is first needed, killed when it takes too long."""

    def __init__(self) -> None:
        self.limit_s = 0.0
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.missing = False
        self.parents: Worker | None = None

    def ask(self, trees: list[Any]) -> str:
        """ "same", "other", "unknown", "slow" or "no_sympy"."""
        with self.lock:
            if self.missing:
                return "no_sympy"
            if self.process is None or self.process.poll() is not None:
                self.stop()
                self.start()
                if self._line(START_S) != "ready":
                    self.missing = True
                    self.stop()
                    return "no_sympy"
            assert self.process is not None
            assert self.process.stdin is not None
            try:
                self.process.stdin.write(json.dumps(trees).encode() + b"\n")
                self.process.stdin.flush()
            except OSError:
                self.stop()
                return "unknown"
            said = self._line(self.limit_s)
            if said not in ("same", "other", "unknown"):
                self.stop()
                return "slow"
            return said

    def start(self) -> None:
        """A new process."""
        # -P: the folder of this file holds a numbers.py, which must not hide the standard library's
        command = [sys.executable, "-P", str(Path(__file__))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def stop(self) -> None:
        """Kill it and forget it."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def _line(self, limit_s: float) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        stream, read = self.process.stdout.fileno(), b""
        ends = time.monotonic() + limit_s
        with selectors.DefaultSelector() as waiting:  # select() itself takes no number above 1,023
            waiting.register(stream, selectors.EVENT_READ)
            while not read.endswith(b"\n"):
                left = ends - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    return ""
                part = os.read(stream, 64)
                if not part:
                    return ""
                read += part
        return read.decode().strip()


_WORKER = Worker()
_fork = getattr(os, "register_at_fork", None)
if _fork is not None:  # a child must not inherit a lock that another thread holds, nor talk to its parent's process
    _fork(after_in_child=lambda: globals().__setitem__("_WORKER", _inherited()))


def _inherited() -> Worker:
    fresh = Worker()
    fresh.limit_s, fresh.missing = _WORKER.limit_s, _WORKER.missing
    fresh.parents = _WORKER  # kept, for it must not be finalised here: its process is the parent's to reap
    return fresh


def enable(limit_s: float = 2.0) -> None:
    """Let SymPy decide, for `limit_s` seconds each, what points leave open; 0 switches it off and ends its process."""
    _WORKER.limit_s = limit_s
    if limit_s <= 0:
        with _WORKER.lock:
            _WORKER.stop()


def enabled() -> bool:
    """Whether SymPy may be asked."""
    return _WORKER.limit_s > 0


def equal(reference: Node, answer: Node) -> Match:
    """Whether two expressions are identical, as SymPy sees it. Rules: sympy, sympy_slow, no_sympy."""
    from webscale_rl.reward.verdict import Match

    said = _WORKER.ask([_sent(reference), _sent(answer)])
    if said == "no_sympy":
        return Match(None, "no_sympy")
    return Match({"same": True, "other": False}.get(said), "sympy_slow" if said == "slow" else "sympy")


def _sent(node: Node) -> list[Any]:
    value = None if node.value is None else [str(node.value.numerator), str(node.value.denominator)]
    return [node.op, node.name, value, [_sent(arg) for arg in node.args]]


class _Unknown(Exception):
    """A tree with something that SymPy is not asked about."""


_FAILURES = (
    _Unknown, ArithmeticError, ValueError, TypeError, AttributeError, NotImplementedError, RecursionError, MemoryError,
)  # fmt: skip


def _built(sympy: Any, tree: list[Any]) -> Any:
    op, name, value, parts = tree
    args = [_built(sympy, part) for part in parts]
    simple = {
        "add": lambda: sympy.Add(*args),
        "mul": lambda: sympy.Mul(*args),
        "neg": lambda: -args[0],
        "div": lambda: args[0] / args[1],
        "fact": lambda: sympy.factorial(args[0]),
        "deg": lambda: args[0] * sympy.pi / 180,
        "pct": lambda: args[0] / 100,
    }
    if op in simple:
        return simple[op]()
    if op == "num":
        return sympy.Rational(int(value[0]), int(value[1]))
    if op == "sym":
        return sympy.Symbol(name, real=True)
    if op == "const" and name in ("pi", "e", "i", "oo"):
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}[name]
    if op == "pow":
        if args[1].is_number and abs(args[1]) > _MAX_EXPONENT:
            raise _Unknown
        return args[0] ** args[1]
    if op == "fn":
        return _called(sympy, name, args)
    raise _Unknown


def _called(sympy: Any, name: str, args: list[Any]) -> Any:
    names = {
        "arcsin": "asin",
        "arccos": "acos",
        "arctan": "atan",
        "abs": "Abs",
        "ceil": "ceiling",
        "ln": "log",
        "arccot": "acot",
    }
    if name == "logb":
        return sympy.log(args[1], args[0])
    if name == "root":
        return sympy.real_root(args[0], args[1])
    known = "sin cos tan cot sec csc sinh cosh tanh exp log sqrt floor binomial".split()
    picked = names.get(name, {"binom": "binomial"}.get(name, name))
    if picked not in (*known, *names.values()):
        raise _Unknown
    return getattr(sympy, picked)(*args)


def _decided(sympy: Any, trees: list[Any]) -> str:
    try:
        one, other = (_built(sympy, tree) for tree in trees)
        verdict = (one - other).equals(0)
    except _FAILURES:
        return "unknown"
    return "unknown" if verdict is None else "same" if verdict else "other"


def _serve() -> None:
    """The child: a line of JSON in, a word out, until the pipe closes."""
    sympy = importlib.import_module("sympy")  # an optional extra
    with contextlib.suppress(ImportError, ValueError, OSError):
        resource = importlib.import_module("resource")  # not everywhere
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    out = sys.stdout
    out.write("ready\n")
    out.flush()
    for line in sys.stdin:
        out.write(_decided(sympy, json.loads(line)) + "\n")
        out.flush()


if __name__ == "__main__":
    _serve()
