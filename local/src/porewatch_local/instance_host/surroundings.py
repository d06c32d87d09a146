"""What a program of an instance or a job finds around it here: its path and its environment."""

from __future__ import annotations

import os
from pathlib import Path

from porewatch_local.instance_host.config import HostConfig

HARMLESS = ("shutdown", "poweroff", "halt", "mount", "umount", "systemctl", "dnf", "yum")


def environment(config: HostConfig, metadata: str) -> dict[str, str]:
    """The variables that override those of template and job definition. `metadata`: the address
    of the instance metadata."""
    shims = config.instances.parent / "shims"
    write_harmless_commands(shims)
    system = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    folders = [shims, *config.programs]
    return {
        "PATH": os.pathsep.join([*map(str, folders), system]),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "AWS_ENDPOINT_URL": config.endpoint,
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        # A busy laptop is slower than a hypervisor: boto3's default is one try of a second.
        "AWS_METADATA_SERVICE_TIMEOUT": "5",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3",
        "REFERENCES_PATH": str(config.references),
        **config.environment,
    }


def write_harmless_commands(folder: Path) -> None:
    """Commands of user-data that must not touch this computer: they print so and succeed."""
    for name in HARMLESS:
        shim = folder / name
        if shim.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        shim.write_text(f'#!/bin/sh\necho "[instance host] not done here: {name} $*"\n')
        shim.chmod(0o755)
