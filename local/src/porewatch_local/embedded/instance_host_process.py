"""Starts the instance host under an IAM user of its own, and calls its control address."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

from porewatch_local import processes
from porewatch_local.instance_host.config import HostConfig
from porewatch_local.instance_host.server import CONTROL_TOKEN
from porewatch_local.paths import (
    LOOPBACK,
    Control,
    Credentials,
    Home,
    LocalProblem,
    LocalStack,
    free_port,
    remembered,
    write_private,
)


def start_host(home: Home, stack: LocalStack, key: Credentials, **settings: Any) -> Control:
    """Start the instance host under `key` unless it runs. `settings` replace HostConfig fields."""
    record = home.state / "host.json"
    token = remembered(home.state / "secrets.json", "control_token")
    running = processes.read_record(record)
    if running:
        return _control(running.port, token)
    port = free_port(processes.last_port(record))
    config = HostConfig(
        **{
            "endpoint": stack.endpoint,
            "region": stack.region,
            "credentials": key,
            "port": port,
            "token": token,
            "metadata_key": remembered(home.state / "secrets.json", "metadata_key"),
            "instances": home.instances,
            "references": home.references,
            "programs": [home.repository / ".venv/bin"],
            **settings,
        }
    )
    path = home.state / "host-config.json"
    write_private(path, config.model_dump_json(indent=2))
    log = home.state / "host.log"
    process, _ = processes.start(
        [sys.executable, "-m", "porewatch_local.instance_host", path],
        record=record,
        log=log,
        environment=_environment(),
        port=port,
    )
    control = _control(port, token)
    processes.wait_ready(
        process, lambda: _answers(control), name="the instance host", log=log, seconds=30
    )
    return control


def stop_host(home: Home) -> bool:
    """Stop the host, which ends every instance first. True when it was running."""
    return processes.stop(home.state / "host.json", seconds=20)


def _control(port: int, token: str) -> Control:
    return Control(url=f"http://{LOOPBACK}:{port}", token=token)


def _environment() -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def control(control: Control, method: str, path: str) -> Any:
    """One request to the control address; returns its JSON. Raises LocalProblem with the reason."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{control.url}/control/{path}", method=method, headers={CONTROL_TOKEN: control.token}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        raise LocalProblem(refused.read().decode()) from refused
    except OSError as gone:
        raise LocalProblem("the instance host does not answer. Remedy: `porewatch up`.") from gone


def instances(address: Control) -> list[dict[str, Any]]:
    """The instances that run here, as the host's records."""
    found: list[dict[str, Any]] = control(address, "GET", "instances")
    return found


def interrupt(address: Control, instance_id: str, after_s: float | None = None) -> dict[str, Any]:
    """Give the two-minute notice; the end comes after `after_s` seconds (default 120)."""
    query = "" if after_s is None else f"?seconds={after_s}"
    answer: dict[str, Any] = control(address, "POST", f"interrupt/{instance_id}{query}")
    return answer


def rebalance(address: Control, instance_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = control(address, "POST", f"rebalance/{instance_id}")
    return answer


def kill(address: Control, instance_id: str) -> dict[str, Any]:
    """Cut the power of one instance: no notice, no event before."""
    answer: dict[str, Any] = control(address, "POST", f"kill/{instance_id}")
    return answer


def _answers(address: Control) -> bool:
    try:
        instances(address)
    except LocalProblem:
        return False
    return True
