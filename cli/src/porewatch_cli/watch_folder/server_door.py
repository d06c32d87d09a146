"""A server's API as the door: the uploads and the seal of `porewatch submit --server`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from porewatch.reads.checked import Check
from porewatch.reads.folder import Folder
from porewatch_cli.remote.server import Server, server_address
from porewatch_cli.remote.submit_run import (
    LocalFile,
    Target,
    register,
    run_in,
    send_and_seal,
    send_one,
)
from porewatch_cli.submit.submission import Submission
from porewatch_cli.watch_folder.places import Watched, machine_and


def server_door(watched: Watched, target: Target) -> ServerDoor:
    """Raises ConfigurationRefused for options that only a stack takes, and without a project."""
    target.refuse()
    name = f"{server_address(target.server)} project {target.project}"
    return ServerDoor(watched.path, name, target, sheet=watched.sheet, lab=watched.lab)


@dataclass
class ServerDoor:
    """`target`: server, project and choices."""

    path: Path
    name: str
    target: Target
    run_id: str | None = None
    sheet: Path | None = None
    lab: Path | None = None

    @cached_property
    def server(self) -> Server:
        return Server(self.target.server)

    def begin(self) -> str:
        """The same folder and choices give the same run, also when the journal was lost."""
        if self.run_id is None:
            name = self.target.name or self.path.name
            what = machine_and(
                self.path, self.name, name, repr(sorted(self.target.options.items()))
            )
            key = hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()
            self.run_id = register(self.target, self.server, name, key=key)
        return self.run_id

    def place(self, name: str, folder: Folder) -> str:
        return name

    def send(self, name: str, source: Path, place: str, sha256: str) -> bool:
        return send_one(self.begin(), LocalFile(place, source, sha256), self.server)

    def seal(self, check: Check) -> Submission:
        what = run_in(self.path, self.sheet, self.lab, check)
        return send_and_seal(self.begin(), what, self.server, quiet=True)
