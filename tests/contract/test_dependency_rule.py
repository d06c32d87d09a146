"""Who may import whom (DESIGN §2), read from the source. Changing the table takes an ADR.

Imports under `if TYPE_CHECKING:` are names for the reader, not dependencies, and are left out.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest

from porewatch_local.generated.import_graph import MODULES, arrows, imported

BOTO = {"boto3", "botocore"}
SCIENCE = {
    "mappy",
    "edlib",
    "sourmash",
    "dnaio",
    "isal",
    "numpy",
    "pysam",
    "pod5",
    "typst",
    "jinja2",
    "markupsafe",
    "scipy",
}
ARROWS: dict[str, set[str]] = {
    # room: what it may import besides the standard library and itself
    "porewatch": set(),
    "porewatch.domain": {"pydantic"},
    "porewatch.reads": {"porewatch.domain", "numpy", "isal", "pysam", "pod5"},
    "porewatch.settings": {"porewatch.domain", "pydantic"},
    "porewatch.usecases": {"porewatch.domain", "pydantic"},
    "porewatch.adapters": {"porewatch.domain", "porewatch", "pydantic", "joserfc", "stripe", *BOTO},
    # Letters are filled from templates, by functions that have jinja2 in a layer (ADR 32).
    "porewatch.adapters.mail": {
        *("porewatch.domain", "porewatch.adapters", "pydantic", "jinja2", *BOTO),
    },
    "porewatch.compute": {"porewatch.domain", "porewatch.adapters", "pydantic", *BOTO},
    "porewatch.edge": {
        *("porewatch.domain", "porewatch.settings", "pydantic"),
        *("aws_lambda_powertools", "aws_xray_sdk"),
    },
    # What functions are wired from: adapters from settings, and contexts of use cases from those.
    "porewatch.edge.wiring": {
        *("porewatch.domain", "porewatch.settings", "porewatch.adapters", "porewatch.usecases"),
        "porewatch.adapters.mail",
    },
    "porewatch.edge.brakes": {
        *("porewatch.domain", "porewatch.settings", "porewatch.adapters", "porewatch.compute"),
        *("porewatch.edge.wiring", "porewatch.edge", "porewatch.usecases"),
    },
    "porewatch.edge.asker": {
        *("porewatch.domain", "porewatch.edge.wiring", "porewatch.edge", "porewatch.usecases"),
        *("aws_lambda_powertools", "pydantic"),
    },
    # Routes of the API, for functions that have many.
    "porewatch.edge.routes": {
        *("porewatch.domain", "porewatch.usecases", "porewatch.settings"),
        *("porewatch.edge", "porewatch.edge.asker", "porewatch.edge.wiring"),
        "aws_lambda_powertools",
    },
    # The pages, which the web function alone serves (jinja2 is in its layer).
    "porewatch.web": {
        *("porewatch.domain", "porewatch.settings", "porewatch.usecases", "porewatch.adapters"),
        *("porewatch.edge", "porewatch.edge.asker", "porewatch.edge.wiring"),
        *("aws_lambda_powertools", "jinja2", "markupsafe"),
    },
    "functions": {
        *("porewatch.edge.wiring", "porewatch.edge.brakes", "porewatch.edge.asker"),
        "porewatch.edge.routes",
        *("porewatch.edge", "porewatch.usecases", "porewatch.domain", "porewatch.settings"),
        *("porewatch.adapters", "porewatch.compute", "porewatch.reads", "porewatch.web"),
        "porewatch.adapters.mail",
    },
    # Its layer has the worker's package, of which it prints pages.
    "functions.signed_printer": {
        *("porewatch.edge.wiring", "porewatch.edge", "porewatch.usecases", "porewatch.domain"),
        *("porewatch.settings", "porewatch_worker"),
    },
    # So does this one's, by whose rules it screens.
    "functions.early_screener": {
        *("porewatch.edge.wiring", "porewatch.edge", "porewatch.usecases", "porewatch.domain"),
        *("porewatch.settings", "porewatch.adapters", "porewatch_worker"),
    },
    "porewatch_worker": {
        *("porewatch", "porewatch.domain", "porewatch.reads", "porewatch.adapters"),
        *("porewatch.usecases", "pydantic", "jsonschema", *BOTO, *SCIENCE),
    },
    "porewatch_cli": {
        *("porewatch", "porewatch.domain", "porewatch.reads", "porewatch.adapters"),
        *(
            "porewatch.compute",
            "porewatch_worker",
            "porewatch_local",
            "porewatch_cli.watch_folder",
            "pydantic",
            "typer",
            "click",
            "rich",
            "yaml",
        ),
        *BOTO,
    },
    # Events of the file system, on the sequencer's PC alone (ADR 35).
    "porewatch_cli.watch_folder": {
        *("porewatch", "porewatch.domain", "porewatch.reads", "porewatch.adapters"),
        *("porewatch.compute", "porewatch_cli", "pydantic", "rich", "watchfiles", *BOTO),
    },
    "porewatch_local": {
        *("porewatch", "porewatch.domain", "porewatch.adapters", "porewatch.compute"),
        *("porewatch.settings", "porewatch_worker", "porewatch_cli"),
        *("pydantic", "rich", "yaml", "psutil", "psycopg", "aiosmtpd", *BOTO),
    },
    # The API's document is made from what its functions ask and answer.
    "porewatch_local.generated.api_routes": {
        *("porewatch.domain", "porewatch.usecases", "pydantic"),
    },
    "porewatch_local.generated.openapi": {
        *("porewatch", "porewatch.edge", "porewatch_local.generated.api_routes", "pydantic"),
    },
}


def room_of(module: str) -> str:
    """The room a module lies in: its longest name in the table; '' when it is none of ours."""
    parts = module.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in ARROWS), "")


def breaches(module: str, source: str, is_package: bool = False) -> list[str]:
    """The imports of a module that the table does not allow."""
    room = room_of(module)
    found = []
    for name in imported(source, module, is_package):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top == "__future__":
            continue
        other = room_of(name) or top
        if other != room and other not in ARROWS[room]:
            found.append(f"{module} imports {name}: {room} may not import {other}")
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_follow_the_arrows(module: str) -> None:
    path = MODULES[module]
    assert breaches(module, path.read_text(), path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("porewatch.domain.runs", "import boto3"),
        ("porewatch.domain.runs", "from porewatch.adapters.table import Table"),
        ("porewatch.domain.runs", "def f():\n    from porewatch import settings"),
        ("porewatch.usecases.intake.seal_run", "from porewatch.adapters import table"),
        ("porewatch.usecases.intake.seal_run", "from ...adapters.table import Table"),
        ("porewatch.adapters.table", "from porewatch.settings import settings"),
        ("porewatch.adapters.table", "import aws_lambda_powertools"),
        ("porewatch.reads.fastq", "import dnaio"),
        ("functions.api.app", "import boto3"),
        ("functions.api.app", "import aws_xray_sdk.core"),
        ("porewatch_worker.main", "from porewatch.edge.queue import on_queue"),
        ("porewatch_worker.main", "import porewatch_local"),
        ("porewatch_cli.main", "from porewatch.usecases.intake.seal_run import seal_run"),
    ],
)
def test_an_arrow_that_points_back_is_seen(module: str, source: str) -> None:
    assert len(breaches(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "porewatch.usecases.intake.seal_run",
            "if TYPE_CHECKING:\n    from porewatch.adapters import runs",
        ),
        ("porewatch.usecases.intake.seal_run", "from porewatch.domain.runs import RunManifest"),
        ("porewatch.compute.ec2_fleet", "from porewatch.adapters import clients"),
        ("functions.api.app", "from porewatch.settings import settings"),
    ],
)
def test_an_arrow_of_the_table_is_not(module: str, source: str) -> None:
    assert breaches(module, source) == []


FOLDERED = {
    *("porewatch.domain", "porewatch.usecases", "porewatch.adapters", "porewatch.reads"),
    *("porewatch_worker", "porewatch_cli", "porewatch_local"),
}
"""Rooms whose folders are held to an order, too. A file at a room's root stands for itself."""


def folder_of(module: str) -> str:
    """The folder of one of these rooms that a module lies in, or the module itself at the root."""
    room = next((room for room in FOLDERED if module.startswith(f"{room}.")), "")
    below = module.removeprefix(f"{room}.").split(".") if room else []
    package = MODULES[module].name == "__init__.py"
    folder = below if package else below[:-1]
    return ".".join([room, *folder]) if folder else module


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """The groups of folders that reach each other, by whatever way round."""

    def reached(start: str) -> set[str]:
        found, ahead = set[str](), [start]
        while ahead:
            for other in arrows.get(ahead.pop(), set()) - found:
                found.add(other)
                ahead.append(other)
        return found

    reach = {folder: reached(folder) for folder in arrows}
    groups = [
        {other for other in reach[folder] if folder in reach.get(other, set())} | {folder}
        for folder in sorted(arrows)
        if folder in reach[folder]
    ]
    return [group for number, group in enumerate(groups) if group not in groups[:number]]


def test_no_two_folders_import_each_other() -> None:
    assert circles(arrows(folder_of)) == []


def test_two_folders_that_do_are_seen() -> None:
    back = "from porewatch.domain.rules import liveness"
    (group,) = circles(arrows(folder_of, {"porewatch.domain.calls.panel": back}))
    assert {"porewatch.domain.calls", "porewatch.domain.rules"} <= group


MOST_FILES = 15


def test_a_folder_has_few_files() -> None:
    """Without its `__init__`; what has more needs folders of its own. (The engine's patches are one
    file a patch, each with when to delete it.)"""
    files = Counter(
        module.rpartition(".")[0] for module, path in MODULES.items() if path.stem != "__init__"
    )
    large = {folder for folder, number in files.items() if number > MOST_FILES}
    assert large == set()


MOST_LINES = 300


def test_a_file_has_few_lines() -> None:
    longer = {
        module for module, path in MODULES.items() if path.read_text().count("\n") > MOST_LINES
    }
    assert longer == set()


def _environment_readers() -> set[str]:
    names = ("os.environ", "os.getenv", "environ", "getenv")
    return {
        module
        for module, path in MODULES.items()
        if module.startswith(("porewatch.", "functions."))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names
    }


def test_only_settings_reads_the_environment_of_a_function() -> None:
    assert _environment_readers() == {"porewatch.settings"}


def _publishers() -> set[str]:
    """Of the product: the embedded AWS publishes what EC2 would."""
    return {
        module
        for module, path in MODULES.items()
        if not module.startswith("porewatch_local.")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "put_events"
    }


def test_facts_leave_the_house_by_one_door() -> None:
    assert _publishers() == {"porewatch.adapters.messages.bus"}


def test_pod5_is_imported_only_where_it_is_used() -> None:
    """It brings pyarrow, which is too large for a layer; functions read the file's frame only."""
    for module, path in MODULES.items():
        if module.startswith("porewatch.reads"):
            top = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import)]
            assert "pod5" not in {alias.name for node in top for alias in node.names}, module


def test_joserfc_is_imported_only_by_what_signs_people_in() -> None:
    """It is in a layer that the web function alone has."""
    users = {
        module
        for module, path in MODULES.items()
        if any(name.split(".")[0] == "joserfc" for name in imported(path.read_text(), module))
    }
    assert users == {
        "porewatch.adapters.people.oidc_client",
        "porewatch.adapters.people.published",
    }


def test_stripe_is_imported_only_by_what_asks_stripe() -> None:
    """It is in a layer that the functions of billing alone have."""
    users = {
        module
        for module, path in MODULES.items()
        if any(name.split(".")[0] == "stripe" for name in imported(path.read_text(), module))
    }
    assert users == {"porewatch.adapters.billing.stripe_api"}


IN_A_BOX = {
    "porewatch.reads.bam",
    "porewatch.reads.fastq",
    "porewatch.reads.pod5",
    "porewatch_worker.phases.called_bam",
    "porewatch_worker.references.building.fasta",
}
"""Modules whose parsing runs in the child of `porewatch.reads.sandbox.parent`."""
WRITERS = {"porewatch_worker.simulate.files", "porewatch_worker.simulate.small_files"}


def test_what_parses_by_c_libraries_does_so_in_the_box() -> None:
    """Whoever comes to need one of them has it called in the child, and lists it here."""
    libraries = {"pysam", "pod5", "isal", "pyarrow", "dnaio"}
    users = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
        if name.split(".")[0] in libraries
    }
    assert users == IN_A_BOX | WRITERS


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]
