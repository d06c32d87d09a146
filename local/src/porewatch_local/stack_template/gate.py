"""The template gate: `python -m porewatch_local.stack_template.gate [--quick]`. Says what is
wrong, or `gate: OK`.

Own rules · both linters of the state machine · `sam validate` in both forms · the expansion by the
SAM translator · cfn-lint on the expansion and on the stack that bakes machine images · hadolint on
the Dockerfiles. Each finds what the others miss. `--quick` stops after the own rules and the state
machine. Nothing here needs credentials or a cloud.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from porewatch_local.stack_template import (
    permission_rules,
    rules,
)
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[4]
HERE = Path(__file__).parents[1]
IMAGES = "images/image-builder.yaml"
REGIONS = sorted(set(rules.STAGES.values()))
QUIET = {
    "SAM_CLI_TELEMETRY": "0",
    "AWS_DEFAULT_REGION": REGIONS[0],
    "AWS_EC2_METADATA_DISABLED": "1",
}


class ToolMissing(RuntimeError):
    """A tool of the gate is missing; the message says how to install it."""


def tools(repository: Path) -> Path:
    """Where the environments lie; POREWATCH_TOOLS or `.porewatch`."""
    return Path(os.environ.get("POREWATCH_TOOLS") or repository / ".porewatch")


def own_rules(template: Template) -> Iterator[str]:
    """Breaches of our own rules, with the rule's name as a phrase."""
    for rule in (*rules.RULES, *permission_rules.RULES):
        for breach in rule(template):
            yield f"{rule.__name__.replace('_', ' ')}: {breach}"


def state_machine_linters(template: Template, node: Path) -> Iterator[str]:
    """Findings of asl-validator and of amazon-states-language-service."""
    for properties in template.of_type("AWS::Serverless::StateMachine").values():
        machine = template.root / properties["DefinitionUri"]
        result = _run(
            ["node", str(HERE / "gate_states.cjs"), str(node / "node_modules"), str(machine)]
        )
        yield from result.stdout.splitlines()
        if result.returncode:
            yield result.stderr


def install_linters(repository: Path, into: Path) -> None:
    """Install both linters as package.json pins them, unless they are there. Raises ToolMissing.

    One at a time: tests in two processes need them at once.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with (into.parent / f"{into.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(repository, into)


def _install(repository: Path, into: Path) -> None:
    wanted = repository / "package.json"
    kept = into / "package.json"
    done_before = (into / "node_modules").is_dir() and kept.is_file()
    if done_before and kept.read_text() == wanted.read_text():
        return
    if not shutil.which("npm"):
        raise ToolMissing("node and npm are not on PATH; the state machine cannot be linted.")
    into.mkdir(parents=True, exist_ok=True)
    shutil.copy(wanted, kept)
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    done = _run(["npm", "install", *quiet], folder=into)
    if done.returncode:
        kept.unlink()
        raise ToolMissing(f"npm install failed: {done.stderr.strip()}")


def sam_validate(template: Path, sam: Path, *form: str) -> Iterator[str]:
    """`sam validate` translates and `--lint` does not, but looks closer: both run."""
    command = [str(sam / "bin/sam"), "validate", "--template-file", str(template), *form]
    command += ["--config-file", str(template.parent / "samconfig.toml")]
    done = _run([*command, "--region", REGIONS[0]])
    if done.returncode:
        yield f"sam validate {' '.join(form)}: {done.stdout.strip()} {done.stderr.strip()}"


def expansion(template: Path, sam: Path, into: Path) -> Iterator[str]:
    """Expand the template into the file `into`, as CloudFormation would."""
    script = HERE / "sam_side/expand.py"
    plain = into.with_suffix(".plain.json")
    plain.write_text(json.dumps(Template.load(template).body))
    done = _run(
        [str(sam / "bin/python"), str(script), str(plain), str(template.parent), REGIONS[0]]
    )
    into.write_text(done.stdout)
    if done.returncode:
        yield f"expansion: {done.stderr.strip()}"


def hadolint(repository: Path) -> Iterator[str]:
    """Findings about every Dockerfile, of every weight."""
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        raise ToolMissing("hadolint is not in the product's environment; `make setup` brings it.")
    files = sorted((repository / "worker").glob("Dockerfile*"))
    done = _run([str(program), "--no-color", *map(str, files)])
    yield from done.stdout.splitlines()
    if done.returncode and not done.stdout:
        yield f"hadolint: {done.stderr.strip()}"


def cfn_lint(expanded: Path, sam: Path) -> Iterator[str]:
    """Errors and warnings of cfn-lint in all regions we deploy to."""
    done = _run([str(sam / "bin/cfn-lint"), "--regions", *REGIONS, "--", str(expanded)])
    if done.returncode:
        yield done.stdout.strip() or done.stderr.strip()


def _own_rules(repository: Path) -> Iterator[str]:
    yield from own_rules(Template.load(repository / "template.yaml"))


def _state_machine(repository: Path) -> Iterator[str]:
    node = tools(repository) / "node"
    install_linters(repository, node)
    yield from state_machine_linters(Template.load(repository / "template.yaml"), node)


def _sam(repository: Path) -> Path:
    sam = tools(repository) / "sam"
    if not (sam / "bin/sam").exists():
        raise ToolMissing("no SAM environment; `make setup` makes it.")
    return sam


def _expanded(repository: Path) -> Iterator[str]:
    sam = _sam(repository)
    with tempfile.TemporaryDirectory() as folder:
        expanded = Path(folder) / "expanded.json"
        wrong = list(expansion(repository / "template.yaml", sam, expanded))
        yield from wrong or cfn_lint(expanded, sam)


CHECKS: dict[str, Callable[[Path], Iterator[str]]] = {
    "own rules": _own_rules,
    "state machine": _state_machine,
    "sam validate": lambda root: sam_validate(root / "template.yaml", _sam(root)),
    "sam validate --lint": lambda root: sam_validate(root / "template.yaml", _sam(root), "--lint"),
    "cfn-lint of the expansion": _expanded,
    "cfn-lint of the images": lambda root: cfn_lint(root / IMAGES, _sam(root)),
    "hadolint": hadolint,
}
"""The gate's checks of a repository, by name."""
QUICK = ("own rules", "state machine")


def findings(repository: Path, *, quick: bool = False) -> Iterator[str]:
    """Everything that is wrong. Raises ToolMissing."""
    for name in QUICK if quick else CHECKS:
        yield from CHECKS[name](repository)


def _run(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **QUIET}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="porewatch_local.stack_template.gate", description="The template gate."
    )
    parser.add_argument("--quick", action="store_true", help="own rules and state machine only")
    given = parser.parse_args()
    try:
        wrong = list(findings(REPOSITORY, quick=given.quick))
    except ToolMissing as missing:
        wrong = [str(missing)]
    for line in wrong:
        print(line)
    print(f"gate: {len(wrong)} findings" if wrong else "gate: OK")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
