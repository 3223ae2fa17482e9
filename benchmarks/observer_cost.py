"""What watching costs per call: in the event loop (observers, an answer's worth), and in the thread of events.jsonl.

python -m benchmarks.observer_cost --calls 200000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from webscale_rl.backend import Reply, Request, Usage
from webscale_rl.config import Parts, Run
from webscale_rl.engine.calls import OK, Call, worth
from webscale_rl.engine.events import EVENTS_FILE, EventLog
from webscale_rl.engine.metrics import CallCounters
from webscale_rl.replies import parse

ANSWERS = {
    "a plain answer": '{"informative": true, "self_contained": true, "reason": "%s"}' % ("It tells facts. " * 5),
    "one after thoughts": "<think>" + "Let me see what {this} is about. " * 600 + '</think> {"informative": true, '
    '"self_contained": true, "reason": "facts"}',
}


def microseconds(calls: int, work: Callable[[], object]) -> float:
    """CPU microseconds of one call of `work`."""
    started = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - started) / calls * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200_000)
    count = parser.parse_args().calls
    usage = Usage(1200, 80, 900, 0)

    def call() -> Call:
        now = time.time()
        return Call(now, "generate", "a-model", "http://10.0.0.7:8000/v1", 1, 0.01234567, 1.23456789, usage, OK)

    stage = next(stage for stage in Parts(Run()).pipeline.stages if stage.name == "filter")
    assert stage.prompt is not None
    assert stage.reply_type is not None
    request = Request(stage.name, stage.prompt, {}, stage.reply_type, "a-model")
    counters = CallCounters()
    with TemporaryDirectory() as folder:
        path = Path(folder) / EVENTS_FILE
        log = EventLog(path)

        def both() -> None:
            made = call()
            counters(made)
            log(made)

        print(f"{'in the event loop':<38} {'us/call':>8}")
        print(f"{'make a Call':<38} {microseconds(count, call):>8.2f}")
        print(f"{'make a Call, count it, keep it':<38} {microseconds(count, both):>8.2f}")
        for name, text in ANSWERS.items():
            replies = cycle([Reply(text, model=model) for model in ("a", "b")])  # never the same one as before

            def read(replies: Iterator[Reply] = replies) -> None:
                parse(next(replies), stage.reply_type)

            def judge_and_read(replies: Iterator[Reply] = replies) -> None:
                reply = next(replies)
                worth(request, reply)
                parse(reply, stage.reply_type)

            alone, both_ways = (microseconds(count // 10, work) for work in (read, judge_and_read))
            print(f"{f'the worth of {name}':<38} {both_ways - alone:>8.2f}  ({alone:.2f} to read)")
        started = time.process_time()
        log.close()
        took = (time.process_time() - started) / count * 1e6
        print(f"\nin the disk's thread: {took:.2f} us/call; a line has {path.stat().st_size / count:.0f} bytes")


if __name__ == "__main__":
    main()
