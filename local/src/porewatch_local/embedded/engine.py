"""Starts and stops the embedded AWS engine: one process on the loopback address.

Order: settings (only loopback, no fixed port, IAM enforced, state in the home), start with the
launcher that applies our patches, wait until it answers. It writes its state when it is
stopped politely, so `stop` gives it time, and every half minute.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from porewatch_local import processes
from porewatch_local.embedded.postgres import Database
from porewatch_local.paths import (
    ACCOUNT,
    LOOPBACK,
    REGION,
    Credentials,
    Home,
    LocalProblem,
    free_port,
    remembered,
)

_READY_S = 60.0
_STOP_S = 30.0


def root_credentials(home: Home) -> Credentials:
    """The account's root key, made once per home. It makes the local users and nothing else."""
    path = home.state / "secrets.json"
    key = "AKIA" + remembered(path, "root_key")[:16].upper()
    return Credentials(access_key_id=key, secret_access_key=remembered(path, "root_secret"))


def endpoint(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def start_engine(home: Home, database: Database | None = None) -> processes.ProcessRecord:
    """Start the engine unless it runs already. Raises LocalProblem with its log if it fails."""
    record = home.state / "engine.json"
    running = processes.read_record(record)
    if running:
        return running
    if not home.engine_python.exists():
        raise LocalProblem(f"no engine environment at {home.engine_python}. Remedy: `make setup`.")
    port = free_port(processes.last_port(record))
    log = home.state / "engine.log"
    process, made = processes.start(
        [home.engine_python, home.repository / "local/src/porewatch_local/engine_side/launch.py"],
        record=record,
        log=log,
        environment=settings(home, port, database),
        port=port,
        folder=home.state,
    )
    processes.wait_ready(
        process, lambda: answers(port), name="the engine", log=log, seconds=_READY_S
    )
    return made


def stop_engine(home: Home) -> bool:
    """Stop the engine; it writes its state first. True when it was running."""
    return processes.stop(home.state / "engine.json", seconds=_STOP_S)


def answers(port: int) -> bool:
    """Whether an engine with IAM enforced answers on this port."""
    try:
        with urllib.request.urlopen(f"{endpoint(port)}/_ministack/health", timeout=2) as reply:  # noqa: S310
            return bool(json.load(reply).get("auth") == "enabled")
    except (OSError, urllib.error.URLError, ValueError):
        return False


def settings(home: Home, port: int, database: Database | None) -> dict[str, str]:
    """The engine's whole environment: nothing of the caller's but PATH and the locale."""
    root = root_credentials(home)
    folders = {name: home.state / name for name in ("engine", "objects", "tmp", "nobody")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        **_inherited(os.environ),
        "HOME": str(folders["nobody"]),
        "TMPDIR": str(folders["tmp"]),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folders["engine"]),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folders["objects"]),
        # No second listener: MQTT would take port 8883 and SFTP 2222, on every address.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Never a container, also where docker happens to run: one behaviour everywhere.
        "DOCKER_HOST": f"unix://{folders['nobody']}/no-docker.sock",
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        **_mail_settings(home),
        **(_database_settings(database) if database else {}),
    }


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "POREWATCH_SNAPSHOT_S", "LAMBDA_ACCOUNT_CONCURRENCY")
    return {name: environment[name] for name in kept if name in environment}


def _mail_settings(home: Home) -> dict[str, str]:
    """Where SES hands mail over; without a catcher it keeps it to itself."""
    catcher = processes.read_record(home.state / "mail.json")
    return {"SMTP_HOST": f"{LOOPBACK}:{catcher.port}"} if catcher else {}


def _database_settings(database: Database) -> dict[str, str]:
    return {
        "POREWATCH_PG_HOST": database.host,
        "POREWATCH_PG_PORT": str(database.port),
        "POREWATCH_PG_ADMIN": database.admin,
        "POREWATCH_PG_PASSWORD": database.password,
    }
