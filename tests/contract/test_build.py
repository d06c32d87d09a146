"""`sam build` as for AWS: arm64 and python3.13 on any machine, with byte code, without boto3."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from porewatch_local.built_functions import (
    Artefact,
    built_functions,
)
from porewatch_local.stack_template import gate

pytestmark = pytest.mark.xdist_group("build")  # built once
REPOSITORY = Path(__file__).parents[2]
UNZIPPED_LIMIT = 250 * 2**20
UNCHECKED_HASH = 1
FROM_RUNTIME = {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam") / "build"
    sam = gate.tools(REPOSITORY) / "sam/bin/sam"
    kept = {n: v for n, v in os.environ.items() if not n.startswith("POREWATCH_LAYER")}
    template = str(REPOSITORY / "template.yaml")
    done = subprocess.run(
        [
            *(str(sam), "build", "--template-file", template, "--build-dir", str(folder)),
            *(
                "--config-file",
                str(REPOSITORY / "samconfig.toml"),
            ),  # as a person who types `sam build`
        ],
        cwd=folder.parent,
        env={**kept, **gate.QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def functions(built: Path) -> dict[str, Artefact]:
    return built_functions(built)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_every_function_is_built_and_holds_its_own_folder_only(
    functions: dict[str, Artefact],
) -> None:
    for name, artefact in functions.items():
        found = {p.relative_to(artefact.code).as_posix() for p in artefact.code.rglob("*.py")}
        source = REPOSITORY / "functions" / artefact.deployed_name.replace("-", "_")
        assert found == {p.relative_to(source).as_posix() for p in source.rglob("*.py")}, name


def test_compiled_modules_are_for_arm64(built: Path) -> None:
    modules = [path.name for path in built.rglob("*.cpython-*.so")]
    assert modules
    assert {name.split(".cpython-")[1] for name in modules} == {"313-aarch64-linux-gnu.so"}


def test_what_the_runtime_brings_is_in_no_layer(functions: dict[str, Artefact]) -> None:
    for layer in {layer for artefact in functions.values() for layer in artefact.layers}:
        assert not FROM_RUNTIME & {path.name for path in (layer / "python").iterdir()}


def test_the_package_is_in_the_layer_with_its_data(built: Path) -> None:
    source = REPOSITORY / "layers/common/python/porewatch"
    there = built / "CommonLayer/python/porewatch"
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert (there / path.relative_to(source)).read_bytes() == path.read_bytes()


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="byte code needs the runtime's Python")
def test_byte_code_is_there_and_is_never_checked_against_times(built: Path) -> None:
    for source in (built / "Api/app.py", built / "CommonLayer/python/porewatch/settings.py"):
        code = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert code[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(code[4:8], "little") == UNCHECKED_HASH


def test_a_function_with_its_layers_fits_into_lambda(functions: dict[str, Artefact]) -> None:
    for artefact in functions.values():
        assert size(artefact.code) + sum(size(layer) for layer in artefact.layers) < UNZIPPED_LIMIT
