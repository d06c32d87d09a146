"""Holds what a command printed to the published schema of its `--json`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import typer

from porewatch_cli.json_output import OUTPUTS
from porewatch_cli.main import app
from porewatch_local.generated.json_output import SCHEMA

ON_A_STACK = {
    "list": ("list",),
    "watch": ("watch", "RUN"),
    "logs": ("logs", "RUN"),
    "report": ("report", "RUN"),
    "compare": ("compare", "RUN", "RUN"),
    "audit": ("audit", "RUN"),
    "cost run": ("cost", "RUN"),
    "alerts": ("alerts", "--all", "--run", "RUN"),
    "ack": ("ack", "RUN", "donor-1", "HEV", "--name", "ada"),
    "references list": ("references", "list", "--pushed"),
    "references default": ("references", "default"),
    "references push": ("references", "push", "demo@1", "--references", "BUNDLES"),
    "references register": ("references", "register", "demo@1"),
    "doctor": ("doctor",),
    "web": ("web",),
    "redrive": ("redrive",),
    "reap": ("reap",),
    "registry rebuild": ("registry", "rebuild", "RUN"),
    "delete": ("delete", "RUN", "--dry-run"),
    "hold": ("hold", "RUN", "--reason", "a test"),
    "submit": ("submit", "READS", "--run-id", "OTHER"),
    "chaos interrupt": ("chaos", "interrupt", "OTHER", "--seconds", "60"),
    "chaos kill": ("chaos", "kill", "OTHER"),
    "cancel": ("cancel", "OTHER", "--reason", "a test"),
}
"""Command -> a line that answers; in this order, of one run that has ended and of another one."""


@cache
def published() -> dict[str, Any]:
    return dict(json.loads(SCHEMA.read_text()))


def fits(command: str, printed: str) -> Any:
    """The one document that `command` printed, valid by its schema."""
    return _valid(f"command.{command.replace(' ', '.')}", json.loads(printed))


def lines_fit(printed: str) -> list[Any]:
    """The lines of a stream, each valid by the schema of its kind."""
    told = [json.loads(line) for line in printed.splitlines()]
    return [_valid(f"line.{one['kind']}", one) for one in told]


def error_fits(printed: str) -> Any:
    """The error that a command printed, on a line of its own."""
    (line,) = printed.splitlines()
    return _valid("error", json.loads(line))


def _valid(name: str, told: Any) -> Any:
    assert name in published()["$defs"], name
    jsonschema.validate(told, {"$ref": f"#/$defs/{name}", "$defs": published()["$defs"]})
    return told


def commands() -> dict[str, list[str]]:
    """Every command, as one types it, with its options."""
    found: dict[str, list[str]] = {}

    def walk(group: Any, before: str) -> None:
        for name, command in group.commands.items():
            whole = f"{before} {name}".strip()
            if hasattr(command, "commands"):
                walk(command, whole)
            else:
                found[whole] = [option for one in command.params for option in one.opts]

    walk(typer.main.get_command(app), "")
    return found


def in_the_schema() -> set[str]:
    return set(OUTPUTS)
