"""`make load`: people at the embedded AWS of this machine; answers, errors and times by route."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path

from rich.console import Console
from rich.table import Table

from porewatch_local.embedded.clients import client
from porewatch_local.embedded.up import require
from porewatch_local.paths import LocalStack
from tests.load.stage import build
from tests.load.visitor import Answer, Visitor

MOST_WAITING = 12
"""Processes for each core that want to run; beyond, nothing is measured any more."""
FUNCTIONS = ("authorizer", "web", "uploads")
DURATION = re.compile(r"\sDuration: ([0-9.]+) ms")


def main() -> int:
    given = _arguments()
    stack = require(given.home)
    console = Console(width=110)
    stage = build(stack, given.users)
    answers: list[Answer] = []
    console.print(
        f"{given.users} people, pauses of {given.think[0]:g} to {given.think[1]:g} s; "
        f"{given.warm_up:g} s of warm-up, {given.seconds:g} s measured; {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} before, {platform.machine()}, Python "
        f"{platform.python_version()}"
    )
    began = time.monotonic()
    measured = began + given.warm_up
    end = measured + given.seconds
    visitors = [
        Visitor(
            stack.outputs["ApiUrl"], stage, number, think=given.think, seals=given.seals,
            heard=answers.append, over=lambda: time.monotonic() > end or overloaded(),
        )
        for number in range(given.users)
    ]  # fmt: skip
    since = time.time() + given.warm_up
    threads = [threading.Thread(target=visitor.visit) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = [answer for answer in answers if answer.at >= measured]
    errors = show(console, counted, given.seconds)
    show_functions(console, stack, int(since * 1000))
    console.print(f"load {os.getloadavg()[0]:.1f} after")
    if overloaded():
        console.print("stopped: the machine has more to do than it can. Ask with fewer --users.")
    return 1 if errors or not counted or overloaded() else 0


def overloaded() -> bool:
    """Where more and more processes wait, nothing is measured, and everything else on the machine
    waits with them."""
    return os.getloadavg()[0] > MOST_WAITING * (os.cpu_count() or 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--home", type=Path, help="of the embedded AWS (default .porewatch)")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--warm-up", type=float, default=30.0)
    parser.add_argument("--think", type=float, nargs=2, default=(2.0, 5.0), help="pause, seconds")
    parser.add_argument(
        "--seals", type=int, default=0, help="one upload in so many is sealed; 0: none"
    )
    return parser.parse_args()


def show(console: Console, answers: Iterable[Answer], seconds: float) -> int:
    """The table of routes; how many errors there were."""
    routes: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        routes[answer.route].append(answer)
        routes["all"].append(answer)
    table = Table("route", "answers", "a second", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms")
    for route, some in sorted(routes.items(), key=lambda pair: (pair[0] == "all", pair[0])):
        times = [answer.seconds for answer in some]
        bad = Counter(answer.status for answer in some if not 0 < answer.status < 400)
        table.add_row(
            route, str(len(some)), f"{len(some) / seconds:.1f}",
            ", ".join(f"{count} of {status or 'no answer'}" for status, count in bad.items())
            or "0",
            *(f"{quantile(times, q) * 1000:.0f}" for q in (0.5, 0.95, 0.99, 1)),
        )  # fmt: skip
    console.print(table)
    problems = Counter(answer.problem for answer in routes["all"] if answer.problem)
    for problem, count in problems.most_common(5):
        console.print(f"{count} times: {problem}", markup=False)
    return problems.total()


def show_functions(console: Console, stack: LocalStack, since: int) -> None:
    """Durations that the functions report of themselves: without the gateway and the way to it,
    with their own calls of AWS. `since`: milliseconds since 1970."""
    logs, table = client(stack, "logs"), Table("function", "calls", "p50 ms", "p95 ms", "max ms")
    for function in FUNCTIONS:
        times: list[float] = []
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{stack.stack_name}-{function}",
            startTime=since,
            filterPattern="REPORT",
        )
        for page in pages:
            for event in page["events"]:
                if found := DURATION.search(event["message"]):
                    times.append(float(found.group(1)) / 1000)
        if times:
            row = (f"{quantile(times, q) * 1000:.0f}" for q in (0.5, 0.95, 1))
            table.add_row(function, str(len(times)), *row)
    console.print(table)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


if __name__ == "__main__":
    sys.exit(main())
