"""`sam build` and `sam deploy` of the unchanged template into the embedded AWS.

Order: digest of everything that goes into the build; build unless one with this digest exists;
deploy unless the stack already carries it. Builds are kept by digest beside the environments,
so that a second home (a test session) does not build again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel

from porewatch_local.embedded.clients import (
    client,
    environment,
)
from porewatch_local.embedded.identity_parameters import (
    identity_parameters,
    parameter_overrides,
    stripe_parameters,
)
from porewatch_local.paths import (
    LOOPBACK,
    Home,
    LocalProblem,
    LocalStack,
    locked,
    write_private,
)
from porewatch_local.processes import log_end

CONFIG = "local"
"""The table of samconfig.toml that describes the embedded stage."""
_SOURCES = (
    *("template.yaml", "samconfig.toml", "statemachine", "functions", "layers"),
    *("requirements/layer.txt", "requirements/reads_layer.txt"),
    *("requirements/sign_in_layer.txt", "requirements/billing_layer.txt"),
    *("requirements/typesetting_layer.txt", "requirements/screening_layer.txt"),
    *("requirements/compiled_layer.txt", "worker/src/porewatch_worker"),
)
_SKIP = {"__pycache__", ".mypy_cache", ".ruff_cache"}
_BUILDS_KEPT = 3
_API_ADDRESS = re.compile(
    r"https://(?P<id>\w+)\.execute-api\.[\w.-]+\.amazonaws\.com/(?P<stage>\w+)(?P<path>.*)"
)


class Source(BaseModel):
    """What is built: a folder with a template, and the names that go with it."""

    folder: Path
    template: str = "template.yaml"
    parts: tuple[str, ...] = _SOURCES
    stack_name: str | None = None
    """None: the value of samconfig.toml."""


class Deployed(BaseModel):
    """`deployed.json`: what the last deploy put there."""

    digest: str
    stack_name: str
    parameters: dict[str, str] = {}
    """Those that no file holds."""


def deploy_stack(
    home: Home,
    stack: LocalStack,
    *,
    source: Source | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> LocalStack:
    """Build and deploy what changed; returns `stack` with its name and outputs.

    Raises LocalProblem with the end of SAM's log.
    """
    source = source or Source(folder=home.repository)
    name = source.stack_name or _stack_name(source.folder)
    digest = source_digest(home, source)
    template = source.folder / source.template
    parameters = identity_parameters(stack, template) | stripe_parameters(home, stack, template)
    done = Deployed(digest=digest, stack_name=name, parameters=parameters)
    if not _current(home, stack, done):
        built = build(home, source, digest, progress)
        progress("deploying the stack")
        _clear_failed(stack, name)
        _deploy(home, stack, source, done, built)
        write_private(_record(home, name), done.model_dump_json())
    outputs = _outputs(stack, name)
    return stack.model_copy(update={"stack_name": name, "outputs": outputs})


def _stack_name(folder: Path) -> str:
    path = folder / "samconfig.toml"
    table = tomllib.loads(path.read_text()).get(CONFIG, {}) if path.exists() else {}
    for part in ("deploy", "global"):
        found = table.get(part, {}).get("parameters", {}).get("stack_name")
        if found:
            return str(found)
    return "porewatch"


def source_digest(home: Home, source: Source) -> str:
    """SHA-256 over the content of every source file and over the layer's target."""
    digest = hashlib.sha256(json.dumps(layer_target(home), sort_keys=True).encode())
    for part in sorted({*source.parts, source.template}):
        for path in _files(source.folder / part):
            digest.update(str(path.relative_to(source.folder)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for found in sorted(path.rglob("*")):
            if found.is_file() and not _SKIP & set(found.parts) and found.suffix != ".pyc":
                yield found


def layer_target(home: Home) -> dict[str, str]:
    """The interpreter and platform that functions run on here: the engine's own."""
    command = [str(home.engine_python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    system = "apple-darwin" if platform.system() == "Darwin" else "unknown-linux-gnu"
    return {
        "POREWATCH_LAYER_PLATFORM": f"{machine}-{system}",
        "POREWATCH_LAYER_PYTHON": version,
        "POREWATCH_LAYER_INTERPRETER": str(home.engine_python),
    }


def build(home: Home, source: Source, digest: str, progress: Callable[[str], None]) -> Path:
    """The folder of the build with this digest; made now unless it exists."""
    builds = home.tools / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    target = builds / digest[:16]
    with locked(builds / "lock"):
        if not (target / "template.yaml").exists():
            progress("building functions and layers")
            draft = builds / f"draft-{digest[:16]}"
            shutil.rmtree(draft, ignore_errors=True)
            _sam(
                home,
                [
                    *("build", "--template-file", source.template, "--build-dir", str(draft)),
                    *_known(source),
                ],
                folder=source.folder,
                extra=layer_target(home),
            )
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        os.utime(target)
        _forget_old(builds)
    return target


def _forget_old(builds: Path) -> None:
    folders = [f for f in builds.iterdir() if f.is_dir()]
    for old in sorted(folders, key=lambda f: f.stat().st_mtime, reverse=True)[_BUILDS_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _current(home: Home, stack: LocalStack, wanted: Deployed) -> bool:
    try:
        known = Deployed.model_validate_json(_record(home, wanted.stack_name).read_text())
    except (FileNotFoundError, ValueError):
        return False
    return known == wanted and _status(stack, wanted.stack_name) in (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
    )


def _record(home: Home, name: str) -> Path:
    return home.state / f"deployed-{name}.json"


def _describe(stack: LocalStack, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client(stack, "cloudformation").describe_stacks(StackName=name)
    except ClientError:
        return None
    return found["Stacks"][0] if found["Stacks"] else None


def _status(stack: LocalStack, name: str) -> str | None:
    found = _describe(stack, name)
    return str(found["StackStatus"]) if found else None


def _outputs(stack: LocalStack, name: str) -> dict[str, str]:
    found = _describe(stack, name) or {}
    outputs = {o["OutputKey"]: str(o["OutputValue"]) for o in found.get("Outputs", [])}
    return {key: _local_address(stack, value) for key, value in outputs.items()}


def _local_address(stack: LocalStack, value: str) -> str:
    """An API's address as it is reached here; anything else as it is."""
    api = _API_ADDRESS.fullmatch(value)
    if not api:
        return value
    # Pages by this name of the loopback address, because browsers keep secure cookies there.
    page = api["path"].startswith("/web")
    endpoint = stack.endpoint.replace(LOOPBACK, "localhost") if page else stack.endpoint
    return f"{endpoint}/restapis/{api['id']}/{api['stage']}/_user_request_{api['path']}"


def _clear_failed(stack: LocalStack, name: str) -> None:
    """A stack whose first creation failed cannot be updated: it is deleted."""
    if _status(stack, name) in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
        cloud = client(stack, "cloudformation")
        cloud.delete_stack(StackName=name)
        cloud.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def _known(source: Source) -> list[str]:
    """The stage's table of samconfig.toml, if the source has one."""
    config = source.folder / "samconfig.toml"
    return ["--config-file", str(config), "--config-env", CONFIG] if config.exists() else []


def _deploy(home: Home, stack: LocalStack, source: Source, what: Deployed, built: Path) -> None:
    _sam(
        home,
        [
            *("deploy", "--template-file", str(built / "template.yaml"), *_known(source)),
            *("--stack-name", what.stack_name, "--region", stack.region, "--resolve-s3"),
            *parameter_overrides(source.folder / "samconfig.toml", CONFIG, what.parameters),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        ],
        folder=source.folder,
        extra=environment(stack),
    )


def _sam(home: Home, command: list[str], *, folder: Path, extra: Mapping[str, str]) -> None:
    if not home.sam_python.exists():
        raise LocalProblem(f"no SAM environment at {home.sam_python}. Remedy: `make setup`.")
    log = home.state / f"sam-{command[0]}.log"
    own_home = home.state / "nobody"
    own_home.mkdir(parents=True, exist_ok=True)
    programs = [home.tools / "boot/bin", home.sam_python.parent]
    kept = {n: os.environ[n] for n in ("LANG", "LC_ALL", "SSL_CERT_FILE") if n in os.environ}
    with log.open("w") as output:
        done = subprocess.run(
            [str(home.sam_python), "-m", "samcli", *command],
            cwd=folder,
            env={
                **kept,
                **_index_settings(),
                "PATH": os.pathsep.join([*map(str, programs), os.environ.get("PATH", "")]),
                "HOME": str(own_home),
                "SAM_CLI_TELEMETRY": "0",
                **extra,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise LocalProblem(f"sam {command[0]} failed. {log_end(log, 40)}")


def _index_settings() -> dict[str, str]:
    """Where packages come from is the user's business: passed on to the layer's build."""
    home = Path.home()
    found = {
        "UV_CACHE_DIR": str(Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "uv"),
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME") or str(home / ".config"),
    }
    prefixes = ("UV_", "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy")
    found.update({n: value for n, value in os.environ.items() if n.startswith(prefixes)})
    return found
