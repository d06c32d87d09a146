"""Runs a built function without docker: `python -m porewatch_local.invoke Api EVENT.json`.

The artefact of `sam build` runs under AWS's own runtime interface emulator, which comes inside the
SAM wheel, and the real Python runtime client, so that loading, timeout, error names and sizes are
those of Lambda. `-S` keeps the environment's packages out: what the layers lack is really missing.
While an embedded AWS runs, the function gets the environment of its deployed twin and works on
that cloud; without one its calls to AWS go to a closed port.

Order: what stands in for Lambda's own folder, the emulator, the environment, the command.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import psutil

from porewatch_local.built_functions import (
    Artefact,
    built_functions,
    foreign_binaries,
)
from porewatch_local.embedded.clients import (
    client,
    environment,
)
from porewatch_local.embedded.deploy import (
    Source,
    build,
    source_digest,
)
from porewatch_local.embedded.up import require
from porewatch_local.paths import (
    LOOPBACK,
    Home,
    LocalProblem,
    find_home,
    free_port,
)

FROM_RUNTIME = (
    *("awslambdaric", "simplejson", "snapshot-restore-py", "boto3", "botocore", "s3transfer"),
    *("jmespath", "python-dateutil", "six", "urllib3"),
)
"""What Lambda's runtime brings along, beside the standard library."""
NOWHERE = f"http://{LOOPBACK}:9"
START_S = 15.0
INVOKE = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True)
class Answer:
    """What the function returned, or the error it ended with."""

    payload: Any
    seconds: float

    @property
    def error(self) -> str | None:
        """The class name of the error, as Step Functions would see it."""
        if isinstance(self.payload, dict) and "errorMessage" in self.payload:
            return str(self.payload.get("errorType", "Unknown"))
        return None


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder with what Lambda's runtime brings, linked from this environment."""
    with tempfile.TemporaryDirectory(prefix="porewatch-runtime-") as made:
        folder = Path(made)
        for name in FROM_RUNTIME:
            there = distribution(name)
            tops = {Path(str(file)).parts[0] for file in there.files or ()}
            for top in tops - {"..", "__pycache__"}:
                link = folder / top
                if not link.exists():
                    link.symlink_to(Path(str(there.locate_file(top))).resolve())
        yield folder


def emulator(home: Home) -> Path:
    """AWS's runtime interface emulator for this machine, inside the SAM environment."""
    kind = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    found = sorted(
        home.sam_python.parent.parent.glob(f"lib/*/site-packages/**/aws-lambda-rie-{kind}")
    )
    if not found:
        raise LocalProblem("no runtime interface emulator. Remedy: `make setup`.")
    return found[0]


@contextmanager
def running(artefact: Artefact, home: Home, variables: Mapping[str, str]) -> Iterator[int]:
    """The function behind the emulator; the port it answers on. Stopped at the end."""
    port, inner = free_port(), free_port()
    with runtime_folder() as runtime, tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "emulator"
        shutil.copy(emulator(home), program)
        program.chmod(0o700)
        command = [
            *(str(program), "--runtime-interface-emulator-address", f"{LOOPBACK}:{port}"),
            *("--runtime-api-address", f"{LOOPBACK}:{inner}", "--log-level", "error"),
            *(sys.executable, "-S", "-m", "awslambdaric", artefact.handler),
        ]
        folders = [artefact.code, *(layer / "python" for layer in artefact.layers), runtime]
        process = subprocess.Popen(
            command,
            cwd=artefact.code,
            env={**_lambda_environment(artefact), **variables, "PYTHONPATH": _path(folders)},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
        )
        try:
            yield port
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the emulator, its runtime first: that one would complain about an emulator gone."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()


def _path(folders: list[Path]) -> str:
    return os.pathsep.join(str(folder) for folder in folders)


def _lambda_environment(artefact: Artefact) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_LAMBDA_FUNCTION_NAME": artefact.deployed_name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(artefact.timeout_s),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(artefact.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(artefact.code),
        "_HANDLER": artefact.handler,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def send_event(port: int, event: Any, timeout_s: float) -> Answer:
    """Send one event. Raises LocalProblem when the emulator does not come up."""
    started = time.monotonic()
    connection = _connected(port, timeout_s)
    try:
        connection.request("POST", INVOKE, body=json.dumps(event))
        body = connection.getresponse().read().decode()
    finally:
        connection.close()
    try:
        payload = json.loads(body) if body else None
    except ValueError:  # a timeout is answered in plain text
        payload = {"errorType": "Sandbox.Timedout", "errorMessage": body}
    return Answer(payload, time.monotonic() - started)


def _connected(port: int, timeout_s: float) -> http.client.HTTPConnection:
    deadline = time.monotonic() + START_S
    while True:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
        try:
            connection.connect()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise LocalProblem("the runtime interface emulator does not answer.") from None
            time.sleep(0.02)
        else:
            return connection


def variables_for(artefact: Artefact, home: Home) -> dict[str, str]:
    """What the function finds in its environment: its deployed twin's, or nothing that works."""
    try:
        stack = require(home.root)
    except LocalProblem:
        print("no embedded AWS is running: calls to AWS go nowhere.", file=sys.stderr)
        return {**artefact.environment, **_nobody()}
    name = f"{stack.stack_name}-{artefact.deployed_name}"
    configuration = client(stack, "lambda").get_function_configuration(FunctionName=name)
    twin: dict[str, str] = configuration["Environment"]["Variables"]
    return {**twin, **environment(stack)}


def _nobody() -> dict[str, str]:
    key = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody"}
    return {
        **key,
        "AWS_ENDPOINT_URL": NOWHERE,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def invoke(
    logical_id: str, event: Any, home: Home, built: Path, more: Mapping[str, str] | None = None
) -> Answer:
    """Run a built function once with `event`. `more` are variables that win over all others.

    Raises LocalProblem when it is not built, or built for another kind of machine.
    """
    functions = built_functions(built)
    if logical_id not in functions:
        raise LocalProblem(f"no function {logical_id}. There are: {', '.join(sorted(functions))}.")
    artefact = functions[logical_id]
    for foreign in foreign_binaries(artefact):
        raise LocalProblem(
            f"{built} is built for another kind of machine ({foreign.name}). "
            "Remedy: leave out --built, then it is built for this one."
        )
    variables = {**variables_for(artefact, home), **(more or {})}
    with running(artefact, home, variables) as port:
        return send_event(port, event, artefact.timeout_s + START_S)


def built_for_here(home: Home) -> Path:
    """The build of the repository as it is now, for this machine; made if it is not there."""
    home.state.mkdir(parents=True, exist_ok=True)
    source = Source(folder=home.repository)
    return build(
        home, source, source_digest(home, source), lambda line: print(line, file=sys.stderr)
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="porewatch_local.invoke", description="Run a built function."
    )
    parser.add_argument("function", help="logical id in template.yaml, as FastqValidator")
    parser.add_argument("event", type=Path, help="a JSON file, as events/functions/api.json")
    parser.add_argument("--built", type=Path, help="a folder of `sam build` (default: build now)")
    parser.add_argument("--home", type=Path, help="the embedded AWS's folder (default .porewatch)")
    given = parser.parse_args()
    try:
        home = find_home(given.home)
        built = given.built or built_for_here(home)
        answer = invoke(given.function, json.loads(given.event.read_text()), home, built.absolute())
    except LocalProblem as problem:
        print(f"invoke: {problem}", file=sys.stderr)
        return 2
    print(json.dumps(answer.payload, indent=2))
    return 1 if answer.error else 0


if __name__ == "__main__":
    sys.exit(main())
