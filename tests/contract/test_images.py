"""The worker's images, as far as they can be held without building one.

What the Dockerfiles copy is there and let through, their requirements are whole and those that the
tests run with, the linter sees what is planted, and the command of a baked machine hands the right
things to docker (a stand-in records its arguments).
"""

from __future__ import annotations

import fnmatch
import importlib.metadata
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from porewatch_local.stack_template import gate
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[2]
DOCKERFILES = ("worker/Dockerfile", "worker/Dockerfile.gpu")
REQUIREMENTS = ("worker", "wheels")
USER_DATA = Template.load(REPOSITORY / "template.yaml").resources["WorkerTemplate"]["Properties"][
    "LaunchTemplateData"
]["UserData"]["Fn::Base64"]["Fn::Sub"]
each_file = pytest.mark.parametrize("name", DOCKERFILES)
each_list = pytest.mark.parametrize("name", REQUIREMENTS)


def lines_of(name: str, kind: str = "") -> list[str]:
    """The values of a Dockerfile's instructions of one kind, or all as `KIND value`."""
    with (REPOSITORY / name).open("rb") as file:
        found = DockerfileParser(fileobj=file).structure
    shown = [(one["instruction"], one["value"]) for one in found]
    return [value if kind else f"{what} {value}" for what, value in shown if kind in ("", what)]


def copied(name: str) -> Iterator[str]:
    """What a Dockerfile takes out of the repository."""
    for line in lines_of(name, "COPY"):
        *sources, _ = shlex.split(line)
        if not line.startswith("--from="):
            yield from sources


def pins(name: str) -> dict[str, list[Requirement]]:
    """Requirements of a locked list by name; each must have a version and a hash."""
    found: dict[str, list[Requirement]] = {}
    text = (REPOSITORY / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        wanted, *hashes = line.split(" --hash=")
        one = Requirement(wanted)
        assert [s.operator for s in one.specifier] == ["=="], line
        assert hashes, f"{wanted} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h.strip()) for h in hashes), line
        found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def applies(one: Requirement) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": ""})


# the Dockerfiles


def test_everything_that_is_copied_is_there_and_let_through() -> None:
    rules = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert "*" in rules, "the context is what is named, and nothing else"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    wanted = {source for name in DOCKERFILES for source in copied(name)}
    assert all((REPOSITORY / source).exists() for source in wanted)
    assert wanted == allowed


def test_no_key_and_no_run_can_come_into_the_context() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *copied(DOCKERFILES[0])],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    suspect = ("*.pem", "*.key", "*credentials*", "*secret*", "*.env", "*local.json")
    kept = [
        name.lower() for name in listed if not name.endswith(".py")
    ]  # code about secrets is none
    assert kept
    assert not [name for name in kept for rule in suspect if fnmatch.fnmatch(name, rule)]


@each_file
def test_no_variable_of_an_image_holds_a_secret(name: str) -> None:
    variables = " ".join(lines_of(name, "ENV") + lines_of(name, "ARG"))
    assert not re.search(r"TOKEN|SECRET|PASSWORD|ACCESS_KEY", variables)


def test_the_worker_is_not_root_gets_sigterm_and_is_started_without_a_shell() -> None:
    lines = lines_of("worker/Dockerfile")
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 10001"
    assert "STOPSIGNAL SIGTERM" in lines
    assert 'ENTRYPOINT ["/usr/bin/tini", "--"]' in lines
    assert lines[-1] == 'CMD ["porewatch-worker", "run"]'


def test_the_image_with_dorado_changes_nothing_of_how_the_worker_is_started() -> None:
    final = lines_of("worker/Dockerfile.gpu")
    kinds = {line.split()[0] for line in final}
    assert not kinds & {"ENTRYPOINT", "CMD", "USER", "STOPSIGNAL"}


def test_dorado_is_not_taken_without_a_checksum(tmp_path: Path) -> None:
    (fetch,) = (line for line in lines_of("worker/Dockerfile.gpu", "RUN") if "curl -" in line)
    given = {"PATH": os.environ["PATH"], "DORADO_VERSION": "1.4.0"}
    done = subprocess.run(
        ["sh", "-c", fetch], env=given, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "give --build-arg DORADO_SHA256" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_job_definition_that_names_a_command_names_the_images_own() -> None:
    template = Template.load(REPOSITORY / "template.yaml")
    for definition in template.of_type("AWS::Batch::JobDefinition").values():
        container = definition["ContainerProperties"]
        assert container.get("Command", ["porewatch-worker", "run"]) == ["porewatch-worker", "run"]


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("RUN apt-get install curl", "DL3008"),
        ("FROM python:latest", "DL3007"),
        ("CMD porewatch-worker run", "DL3025"),
        ("RUN rm $UNQUOTED", "SC2086"),
    ],
)
def test_the_linter_sees_a_planted_fault(tmp_path: Path, fault: str, rule: str) -> None:
    (tmp_path / "worker").mkdir()
    text = (REPOSITORY / "worker/Dockerfile").read_text()
    (tmp_path / "worker/Dockerfile").write_text(f"{text}{fault}\n")
    assert any(rule in line for line in gate.hadolint(tmp_path))


# the requirements


@each_list
def test_every_requirement_and_all_it_requires_is_pinned_by_hash(name: str) -> None:
    """So that `--require-hashes` finds everything and looks for nothing else."""
    there = pins(name)
    for one in (one for versions in there.values() for one in versions if applies(one)):
        try:
            required = importlib.metadata.requires(one.name) or []
        except importlib.metadata.PackageNotFoundError:
            assert name == "wheels", f"{one.name} is not installed here"
            continue
        missing = [need for need in map(Requirement, required) if applies(need)]
        missing = [need for need in missing if canonicalize_name(need.name) not in there]
        assert not missing, f"{one.name} requires {missing}"


def test_the_worker_gets_the_versions_that_were_tested() -> None:
    tested = pins("dev")
    for name, versions in pins("worker").items():
        assert [v.specifier for v in versions] == [v.specifier for v in tested[name]], name
    for wanted in (REPOSITORY / "requirements/worker.in").read_text().splitlines():
        project = (REPOSITORY / "pyproject.toml").read_text()
        assert f'"{wanted}"' in project


def test_the_tools_that_make_the_wheels_are_those_that_the_sources_require() -> None:
    tools = pins("wheels")
    for room in ("layers/common", "worker"):
        assert 'requires = ["hatchling"]' in (REPOSITORY / room / "pyproject.toml").read_text()
    assert {"hatchling", "setuptools", "wheel", "cython"} <= set(tools)  # the last three for mappy


# the machine's command


STAND_IN = "#!/bin/bash\nprintf '%s\\n' \"$@\" > $CALLS\nexit 7\n"


def docker_arguments(
    home: Path, tools: Mapping[str, str] = MappingProxyType({}), **environment: str
) -> list[str]:
    """All arguments of docker on a machine with this environment. `tools`: more commands that the
    machine has, as scripts."""
    programs, calls = home / "tools", home / "calls"
    programs.mkdir()
    for name, text in {"docker": STAND_IN, "chown": "#!/bin/bash\n", **tools}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (home / "image").write_text("registry/worker@sha256:1\n")
    given = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "CALLS": str(calls),
        "POREWATCH_IMAGE_FILE": str(home / "image"),
        "POREWATCH_SCRATCH": str(home / "scratch"),
        "REFERENCES_PATH": str(home / "references"),
        **environment,
    }
    script = REPOSITORY / "worker/on-machine.sh"
    done = subprocess.run([str(script), "run"], env=given, check=False, capture_output=True)
    assert done.returncode == 7, done.stderr
    return calls.read_text().splitlines()


def test_a_baked_machine_runs_the_image_on_its_own_network(tmp_path: Path) -> None:
    arguments = docker_arguments(tmp_path)
    assert arguments[:4] == ["run", "--rm", "--network", "host"]
    assert arguments[-3:] == ["registry/worker@sha256:1", "porewatch-worker", "run"]
    assert f"{tmp_path}/references:/mnt/references:ro" in arguments
    assert f"{tmp_path}/scratch:/scratch" in arguments


def test_all_that_user_data_exports_reaches_the_worker_by_name_only(tmp_path: Path) -> None:
    variables = dict.fromkeys(re.findall(r"\b([A-Z][A-Z0-9_]+)=", USER_DATA), "a value")
    variables.pop("REFERENCES_PATH", None)  # has its place in the image
    variables.pop("POREWATCH_ALIVE", None)
    arguments = docker_arguments(tmp_path, **variables, UNRELATED="x", POREWATCH_BEAT_SECONDS="5")
    passed = {value for flag, value in pairwise(arguments) if flag == "--env"}
    assert set(variables) | {"POREWATCH_BEAT_SECONDS"} <= passed
    assert not passed & {"UNRELATED", "PATH", "POREWATCH_SCRATCH"}
    assert not [argument for argument in arguments if "a value" in argument]


def test_bundles_that_were_baked_in_are_given_to_the_worker_read_only(tmp_path: Path) -> None:
    """B3: without a file system that must hold them, too."""
    (tmp_path / "references/pig/1").mkdir(parents=True)
    mounted = [argument for argument in docker_arguments(tmp_path) if "/mnt/references" in argument]
    assert mounted == [f"{tmp_path}/references:/mnt/references:ro"]
    baked = yaml.safe_dump(component(), width=10_000)
    default = re.search(r"REFERENCES_PATH:-([^}]+)}", USER_DATA)
    assert default is not None and default[1] in baked


def test_a_gpu_that_never_answers_keeps_the_worker_from_nothing(tmp_path: Path) -> None:
    hangs = {"nvidia-smi": "#!/bin/bash\nexec sleep 30\n"}
    arguments = docker_arguments(tmp_path, tools=hangs, POREWATCH_GPU_SECONDS="0.2")
    assert "--gpus" not in arguments
    assert arguments[-1] == "run"


def test_the_sign_of_life_is_the_machines_own_file(tmp_path: Path) -> None:
    alive = str(tmp_path / "alive")
    arguments = docker_arguments(tmp_path, POREWATCH_ALIVE=alive)
    assert f"{alive}:{alive}" in arguments
    assert Path(alive).exists()


# what bakes the machine


def component() -> dict[str, Any]:
    template = Template.load(REPOSITORY / gate.IMAGES)
    text, _ = template.resources["InstallWorker"]["Properties"]["Data"]["Fn::Sub"]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_component_builds_looks_and_tests_with_scripts_that_bash_can_read() -> None:
    phases = {phase["name"]: phase["steps"] for phase in component()["phases"]}
    assert set(phases) == {"build", "validate", "test"}
    for step in (step for steps in phases.values() for step in steps):
        assert step["action"] == "ExecuteBash"
        script = "\n".join(step["inputs"]["commands"])
        subprocess.run(["bash", "-n"], input=script.encode(), check=True)
        assert "{{" not in script, "the component's own variables are not used"


def test_what_the_machine_is_baked_with_is_what_user_data_calls() -> None:
    built = yaml.safe_dump(component(), width=10_000)
    assert "/usr/local/bin/porewatch-worker" in built
    assert "/usr/local/share/porewatch/on-machine.sh" in built
    assert "porewatch-worker run" in USER_DATA
    assert any(
        line == "worker/on-machine.sh /usr/local/share/porewatch/on-machine.sh"
        for line in lines_of("worker/Dockerfile", "COPY")
    )
