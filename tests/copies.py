"""Copies of a process that has imported all that the command needs, and who asks for them. Imports little itself.

python -IS copies.py SOCKET ARGUMENTS...    asks for one, and ends as it does
python copies.py SOCKET                     forks them, until its standard input closes
"""

import gc
import json
import os
import select
import signal
import socket
import sys

_LENGTH = 4


def ask(path: str, arguments: list[str]) -> None:
    """Have the command run with this process's files, folder and environment, and end as it does."""
    folder = os.getcwd()  # noqa: PTH109  pathlib takes as long to import as the rest
    told = {"arguments": arguments, "folder": folder, "environment": dict(os.environ)}
    payload = json.dumps(told).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(payload).to_bytes(_LENGTH, "little")], [0, 1, 2])
        connection.sendall(payload)
        ended = int.from_bytes(connection.recv(_LENGTH), "little", signed=True)
    if ended < 0:
        signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    os._exit(ended)


def wait_for_callers(path: str) -> None:
    """Fork a copy for every caller. Returns in the copies, with all that the caller gave them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection:
        _take_over(connection)


def _take_over(connection: socket.socket) -> None:
    """Become what the caller asked for; another copy stays behind and tells the caller of its end."""
    head, files, _, _ = socket.recv_fds(connection, _LENGTH, 3)
    payload = b""
    while len(payload) < int.from_bytes(head, "little") or not head:
        piece = connection.recv(1 << 16)
        if not piece:  # the caller was killed meanwhile
            os._exit(1)
        payload += piece
    told = json.loads(payload)
    if (command := os.fork()) != 0:
        _mind(connection, command)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.path[:0] = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.argv = ["webscale-rl", *told["arguments"]]


def _mind(connection: socket.socket, command: int) -> None:
    told_to_end = False
    while True:
        ended, status = os.waitpid(command, os.WNOHANG)
        if ended:
            if not told_to_end:
                connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(_LENGTH, "little", signed=True))
            os._exit(0)
        watched = [] if told_to_end else [connection]
        if select.select(watched, [], [], 0.005)[0]:  # it says nothing more: it is gone
            os.kill(command, signal.SIGTERM)
            told_to_end = True


def import_everything() -> None:
    """What the command may need, but for extras."""
    import contextlib
    import importlib
    import pkgutil

    import webscale_rl

    own = pkgutil.walk_packages(webscale_rl.__path__, "webscale_rl.")
    for name in ("pyarrow.compute", "pyarrow.parquet", "uvloop", *(module.name for module in own)):
        if not name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # one that an extra or a trainer is needed for
                importlib.import_module(name)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        ask(sys.argv[1], sys.argv[2:])
    del sys.path[0]  # this folder
    from webscale_rl.cli import main

    import_everything()
    gc.freeze()  # a copy that ends looks at no object of these, or it would first have to copy them all
    wait_for_callers(sys.argv[1])
    main()
