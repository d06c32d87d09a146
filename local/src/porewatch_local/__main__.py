"""`python -m porewatch_local up|down|status|demo`. With `--json` progress goes to stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from porewatch_local.embedded.down import down
from porewatch_local.embedded.up import (
    Progress,
    status,
    up,
)
from porewatch_local.paths import (
    LocalProblem,
    LocalStack,
)

NOWHERE = dict.fromkeys(("file", "record", "line", "column", "remedy"))
"""Fields of every error, as `porewatch` prints them."""
_SECRET = {"credentials", "control", "database", "identity"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="porewatch_local", description="The embedded AWS.")
    parser.add_argument("action", choices=["up", "down", "status", "demo"])
    parser.add_argument("--home", type=Path, help="its folder (default .porewatch)")
    parser.add_argument("--no-stack", action="store_true", help="up: do not deploy the stack")
    parser.add_argument("--forget", action="store_true", help="down: remove its state as well")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    given = parser.parse_args()
    if given.action == "demo":
        from porewatch_local.demo import main as demo  # noqa: PLC0415 - brings all of the product

        return demo(given.home)
    try:
        {"up": _up, "down": _down, "status": _status}[given.action](given)
    except LocalProblem as problem:
        if given.json:
            code = {"error": "LocalProblem", "code": "local_problem", "values": {}}
            print(json.dumps({**NOWHERE, **code, "problem": str(problem)}))
        else:
            print(f"porewatch_local: {problem}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _spinner() -> Iterator[None]:
    """A sign of life while nothing is printed, on a terminal."""
    from porewatch_cli.terminal import silence  # noqa: PLC0415

    silence.begin("working")
    try:
        yield
    finally:
        silence.end()


def _up(given: argparse.Namespace) -> None:
    with _spinner():
        stack = up(given.home, deploy=not given.no_stack, progress=_progress(given.json))
    if given.json:
        _print(stack)
    elif not given.no_stack:
        print("next: porewatch references list, then porewatch submit FOLDER --bundle NAME@VERSION")
        if page := stack.outputs.get("WebUrl"):
            print(f"pages: {page}")


def _down(given: argparse.Namespace) -> None:
    report = _progress(given.json)
    with _spinner():
        stopped = down(given.home, forget=given.forget, progress=report)
    if given.json:
        print(json.dumps({"stopped": stopped}))
    elif not stopped:
        report("nothing was running")


def _status(given: argparse.Namespace) -> None:
    _print(status(given.home))


def _print(stack: LocalStack) -> None:
    print(stack.model_dump_json(indent=2, exclude=_SECRET))


def _progress(quiet_stdout: bool) -> Progress:
    from porewatch_cli.terminal import console, errors  # noqa: PLC0415 - status needs neither

    shown = errors if quiet_stdout else console
    return lambda line: shown.print(line, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
