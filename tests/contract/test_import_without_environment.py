"""Nothing happens at import time: every module comes up with no environment, no network, no files.

One fresh interpreter imports them all, with everything that would reach outside refused.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FUNCTIONS = sorted((REPOSITORY / "functions").glob("*/app.py"))

SCRIPT = """
import importlib, os, pkgutil, runpy, sys
LEFT = {"PATH", "LC_CTYPE", "LANG"}
assert set(os.environ) <= LEFT, sorted(os.environ)

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
        raise RuntimeError(f"{event} at import time: {arguments}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise RuntimeError(f"writing {arguments[0]} at import time")

def walk(package):
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        if not found.name.endswith("__main__"):
            yield found.name

sys.dont_write_bytecode = True
sys.addaudithook(refuse)
for package in sys.argv[1].split(","):
    for name in walk(package):
        importlib.import_module(name)
import boto3
assert boto3.DEFAULT_SESSION is None, "a session was made at import time"
if "porewatch.settings" in sys.modules:
    from porewatch.settings import settings
    from porewatch.adapters.clients import client
    assert settings.cache_info().currsize == 0, "settings were read at import time"
    assert client.cache_info().currsize == 0, "a client was made at import time"
for path in sys.argv[2:]:
    runpy.run_path(path, run_name="app")
    assert settings.cache_info().currsize == 0, f"{path} reads settings at import time"
    assert client.cache_info().currsize == 0, f"{path} makes a client at import time"
print("imported", len(sys.modules))
"""


def imported(packages: str, *files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, packages, *map(str, files)],
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_layer_and_all_functions_import_with_nothing_around_them() -> None:
    assert FUNCTIONS
    done = imported("porewatch", *FUNCTIONS)
    assert done.returncode == 0, done.stderr


def test_the_worker_imports_with_nothing_around_it() -> None:
    done = imported("porewatch_worker")
    assert done.returncode == 0, done.stderr


def test_a_module_that_reads_settings_when_imported_is_found(tmp_path: Path) -> None:
    eager = tmp_path / "app.py"
    eager.write_text("from porewatch.settings import settings\nTABLE = settings()\n")
    done = imported("porewatch", eager)
    assert done.returncode != 0
    assert "reads settings at import time" in done.stderr


def test_a_module_that_makes_a_client_when_imported_is_found(tmp_path: Path) -> None:
    eager = tmp_path / "app.py"
    eager.write_text(
        "from unittest.mock import patch\n"
        "from porewatch.adapters import clients\n"
        'with patch("boto3.client"):\n    clients.s3()\n'
    )
    done = imported("porewatch", eager)
    assert done.returncode != 0
    assert "makes a client at import time" in done.stderr
