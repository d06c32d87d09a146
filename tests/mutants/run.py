"""Mutation testing: a copy of the tree is changed one operator at a time, and the tests that run
the changed function must fail. What survives is killed by a test, or stays with a reason.

Order: the targets, what is accepted, the copy, one run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from porewatch_local.stack_template.gate import (
    QUIET,
    ToolMissing,
    tools,
)

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
PACKAGES = {
    "porewatch": "layers/common/python/porewatch",
    "porewatch_worker": "worker/src/porewatch_worker",
    "porewatch_local": "local/src/porewatch_local",
}
BESIDE = (
    "tests",
    "simulator",
    "validation",
    "functions",
    "events",
    "statemachine",
    "docs",
    "template.yaml",
    "samconfig.toml",
    "layers/common/python/porewatch/edge/wiring.py",
    "pyproject.toml",
)
"""What tests read besides the packages; the rules of the template read `wiring.py` as a text."""
LOGS = r"_log\."
"""Lines that are not mutated: what is logged decides nothing."""


class Target(NamedTuple):
    """`modules` are below the folder of their package's parent, as they are imported. `minutes`:
    what a run took; 0 while it was never run to its end. `tests`: files, or single tests of one as
    pytest names them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    minutes: int = 0


class Survivor(NamedTuple):
    """A mutant that no test noticed. `place`: module and function; `change`: the lines that differ,
    `- ` before and `+ ` after. No number in it: it stays when other functions change."""

    place: str
    change: str
    how: str = "survived"


class Accepted(NamedTuple):
    """A survivor that stays."""

    place: str
    change: str
    why: str


def targets(path: Path = HERE / "targets.toml") -> dict[str, Target]:
    """By their names."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Target(tuple(t["modules"]), tuple(t["tests"]), t.get("minutes", 0))
        for name, t in told.items()
    }


def accepted(path: Path = HERE / "accepted.toml") -> list[Accepted]:
    """What stays of the survivors, with its reason."""
    told = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return [Accepted(one["place"], one["change"].strip(), one["why"]) for one in told]


def unexpected(found: Iterable[Survivor], known: Iterable[Accepted]) -> list[Survivor]:
    """The survivors that nobody has accepted, without those that change a sentence only: no
    decision reads one, and a test of each sentence would be the sentence once more."""
    stay = {(one.place, one.change) for one in known}
    return [one for one in found if (one.place, one.change) not in stay and not _rewords(one)]


STRING = re.compile(r"""[frb]?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_WORD = r"[A-Za-z]?[a-z']+"
SENTENCE = re.compile(rf"\b{_WORD}(?:[,:]? {_WORD}){{2}}\b|\b{_WORD} {_WORD}\.")
"""Three words in a row, or two and a full stop: no key, code or expression looks like that."""


def _rewords(one: Survivor) -> bool:
    """Whether the lines are the same but for sentences that are still there, in capitals or
    between XX: so mutmut changes a text."""
    before, _, after = one.change.partition("\n")
    if STRING.sub("…", before[2:]) != STRING.sub("…", after[2:]):
        return False
    pairs = zip(STRING.findall(before), STRING.findall(after), strict=True)
    return all(old == new or _reworded(old[1:-1], new[1:-1]) for old, new in pairs)


def _reworded(old: str, new: str) -> bool:
    same = new.lower() in (old.lower(), f"xx{old.lower()}xx")
    return same and SENTENCE.search(old) is not None


def mutated(target: Target, work: Path, children: int = 2) -> tuple[int, list[Survivor]]:
    """How many mutants there were, and which ones survived. Raises ToolMissing without mutmut, and
    CalledProcessError when the tests fail on the code as it is."""
    site = next((tools(REPOSITORY) / "mutants").glob("lib/python*/site-packages"), None)
    if site is None:
        raise ToolMissing("mutmut is not there: make mutants")
    lay_out(target, work)
    side = HERE / "mutmut_side.py"
    environment = {**os.environ, **QUIET, "PYTHONPATH": ""}
    with (work / "log").open("w") as log:
        subprocess.run(
            [sys.executable, str(side), str(site), str(children)],
            cwd=work, env=environment, stdout=log, stderr=log, check=True,
        )  # fmt: skip
    told = json.loads((work / "survivors.json").read_text(encoding="utf-8"))
    return told["tried"], sorted(map(_survivor, told["survivors"]))


def lay_out(target: Target, work: Path) -> None:
    """The tree as mutmut wants it: packages below `src`, and its settings."""
    shutil.rmtree(work, ignore_errors=True)
    for package, folder in PACKAGES.items():
        for name in kept_files(folder):
            put_copy(name, work / "src" / package / Path(name).relative_to(folder))
    for name in kept_files(*BESIDE):
        put_copy(name, work / name)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/{module}" for module in target.modules],
        "do_not_mutate_patterns": [LOGS],
        "also_copy": sorted({Path(name).parts[0] for name in BESIDE[1:-1]}),
        "pytest_add_cli_args": ["-p", "no:xdist", "-m", "not slow"],
        "pytest_add_cli_args_test_selection": list(target.tests),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    with (work / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def kept_files(*paths: str) -> Iterator[str]:
    """Files of the repository below these paths, those not committed yet among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *paths],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    yield from listed.stdout.splitlines()


def put_copy(name: str, to: Path) -> None:
    """A file of the repository, at another place."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / name, to)


def _survivor(told: dict[str, str]) -> Survivor:
    module, _, function = told["name"].rpartition(".")
    function = function.rpartition("__mutmut_")[0].removeprefix("x_")
    function = function.replace("xǁ", "").replace("ǁ", ".")
    lines = told["diff"].splitlines()
    changed = [x for x in lines if x[:1] in "+-" and x[:3] not in ("+++", "---")]
    change = "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)
    return Survivor(f"{module}.{function}", change, told["how"])
