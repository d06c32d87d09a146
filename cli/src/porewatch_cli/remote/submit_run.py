"""`porewatch submit --server`: check a run here, then send it by the API.

The same checks as for a stack; the server seals. Every step may be repeated: the run is found again
by a key made of its content, its files by their paths, their parts by their numbers.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from porewatch.domain.errors import ConfigurationRefused, NotFound
from porewatch.domain.inputs.file_names import Landed, classify
from porewatch.reads.check import check_file
from porewatch.reads.checked import Check, Checked, check_all
from porewatch.reads.folder import Folder
from porewatch_cli.progress_bar import progress_bar
from porewatch_cli.remote.server import Server, ServerRefused
from porewatch_cli.submit.collect_run import find
from porewatch_cli.submit.submission import Submission

FILES_AT_ONCE = 100
PARTS_AT_ONCE = 4
LINKS_AT_ONCE = 20
OVER = ("run_not_over", "run_over")
"""Codes of a run that was sealed before and takes no files."""


@dataclass(frozen=True)
class Target:
    """Where a run goes, as the command line says. `cannot`: options that need a stack, and their
    values."""

    server: str
    project: str | None
    name: str | None
    options: Mapping[str, str | None]
    cannot: Mapping[str, object]

    def refuse(self) -> None:
        """Raises ConfigurationRefused for options that only a stack takes, and without project."""
        for option, value in self.cannot.items():
            if value is not None:
                raise ConfigurationRefused(f"{option} cannot be used with --server.")
        if not self.project:
            raise ConfigurationRefused("--server needs --project.", remedy="name your project.")


@dataclass(frozen=True)
class LocalFile:
    """A file to send: `path` as it lies in the run's folder."""

    path: str
    source: Path
    sha256: str

    @property
    def size(self) -> int:
        return self.source.stat().st_size


def send_to_server(
    path: Path, target: Target, *, sheet: Path | None, lab: Path | None, quiet: bool
) -> Submission:
    """Send one run. Raises ConfigurationRefused for options that only a stack takes; Refused before
    anything is sent when a file is invalid; ServerRefused."""
    target.refuse()
    server = Server(target.server)
    is_tar = path.is_file() and path.suffix == ".tar"
    what = _tar(path) if is_tar else run_in(path, sheet, lab)
    run = register(target, server, target.name or path.stem, key=what.digest())
    return send_and_seal(run, what, server, quiet)


def register(target: Target, server: Server, name: str, *, key: str) -> str:
    """The id of the run; the same one for the same `key`. Raises NotFound, ServerRefused."""
    options = {option: value for option, value in target.options.items() if value is not None}
    order = {"project": _project_id(target.project or "", server), "name": name}
    return str(server.ask("POST", "/runs", order | options, key=key)["run_id"])


def send_and_seal(run: str, what: LocalRun, server: Server, quiet: bool) -> Submission:
    """Send what has not arrived, then seal; a second time gives the same answer."""
    sent = _send(run, what, server, quiet)
    seal = {} if what.is_tar else server.ask("POST", f"/runs/{run}/seal", {})
    return Submission(
        run_id=run,
        files=len(what.files),
        bytes=sum(file.size for file in what.files),
        sent=sent,
        reads=what.reads,
        bases=what.bases,
        seal=f"{server.address}/runs/{run}",
        left_out=tuple(seal.get("left_out", ())),
        digest=seal.get("manifest_digest"),
    )


@dataclass(frozen=True)
class LocalRun:
    files: tuple[LocalFile, ...]
    sheet: bytes | None = None
    reads: int | None = None
    bases: int | None = None
    is_tar: bool = False

    def digest(self) -> str:
        """The same content is the same run, so that a killed command goes on where it was."""
        listed = repr(sorted((file.path, file.sha256) for file in self.files)).encode()
        return hashlib.sha256(listed + (self.sheet or b"")).hexdigest()


def _tar(path: Path) -> LocalRun:
    return LocalRun((LocalFile("input.tar", path, _sha256(path)),), is_tar=True)


def run_in(path: Path, sheet: Path | None, lab: Path | None, check: Check = check_file) -> LocalRun:
    """The checked files of a folder, and what the server reads beside them. Raises Refused."""
    folder = find(path, sheet, lab)
    content = check_all(folder, check=check)
    files = tuple(_files(folder, content, lab))
    return LocalRun(files, _sheet(folder, sheet), content.reads, content.bases)


def _files(folder: Folder, content: Checked, lab: Path | None) -> Iterator[LocalFile]:
    """Reads that are screened, and what the server reads beside them."""
    digests = {content.sources[file.path]: file.sha256 or "" for file in content.files}
    for name, source in folder.files.items():
        what = classify(name)
        if what is Landed.SUMMARY or (what is Landed.LABORATORY and lab is None):
            yield LocalFile(name, source, _sha256(source))
        elif name in folder.understood.reads and source in digests:
            yield LocalFile(name, source, digests[source])
    if lab is not None:
        yield LocalFile("lab.toml", lab, _sha256(lab))


def _sheet(folder: Folder, named: Path | None) -> bytes | None:
    if named is not None:
        return named.read_bytes()
    name = folder.understood.sheet
    return folder.files[name].read_bytes() if name else None


def _project_id(project: str, server: Server) -> str:
    """Of a project by its id or its name. NotFound, with those that there are."""
    cursor = ""
    known: dict[str, str] = {}
    while True:
        page = server.ask("GET", f"/projects?limit=100{cursor}")
        known |= {one["project_id"]: one["name"] for one in page["projects"]}
        if not page.get("next"):
            break
        cursor = f"&cursor={page['next']}"
    found = [i for i, name in known.items() if project in (i, name)]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(sorted(known.values())) or "none"
    raise NotFound(f"you have no project {project!r}.", remedy=f"your projects: {shown}.")


def _send(run: str, what: LocalRun, server: Server, quiet: bool) -> int:
    """How many files were not there yet."""
    files, sheet = what.files, what.sheet
    sent, total = 0, sum(file.size for file in files)
    with progress_bar("uploading", total, quiet, unit="bytes") as advance:
        for first in range(0, len(files), FILES_AT_ONCE):
            some = files[first : first + FILES_AT_ONCE]
            try:
                answers = _declared(run, some, server)
            except ServerRefused as refusal:
                if refusal.answered in OVER:
                    return 0
                raise
            for file, answer in zip(some, answers, strict=True):
                sent += _send_file(run, file, answer, server)
                advance(file.size)
    if sheet is not None:
        server.ask("PUT", f"/runs/{run}/sheet", {"base64": b64encode(sheet).decode()})
    return sent


def send_one(run: str, file: LocalFile, server: Server) -> bool:
    """One file of a run that is not sealed yet; False when it had arrived. Raises ServerRefused."""
    (answer,) = _declared(run, [file], server)
    return _send_file(run, file, answer, server)


def _declared(run: str, files: Sequence[LocalFile], server: Server) -> list[dict[str, Any]]:
    asked = [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in files]
    order = {"files": asked, "part_checksums": True}
    answers: list[dict[str, Any]] = server.ask("POST", f"/runs/{run}/uploads", order)["files"]
    return answers


def _send_file(run: str, file: LocalFile, answer: dict[str, Any], server: Server) -> bool:
    if answer["verdict"] == "refused":
        raise ServerRefused(answer["problem"], file=file.path, remedy=answer["remedy"] or None)
    if answer["verdict"] == "left_out" or answer["state"] == "done":
        return False
    upload = f"/runs/{run}/uploads/{answer['upload_id']}"
    here = {part["number"] for part in server.ask("GET", upload)["arrived"]}
    missing = [number for number in range(1, answer["parts"] + 1) if number not in here]
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        for first in range(0, len(missing), LINKS_AT_ONCE):
            some = missing[first : first + LINKS_AT_ONCE]
            sums = [
                {"number": n, "sha256": hashlib.sha256(_part(file, n, answer)).hexdigest()}
                for n in some
            ]
            links = server.ask("POST", f"{upload}/urls", {"parts": sums})["links"]
            list(pool.map(lambda link: _put(file, link, answer, server), links))
    server.ask("POST", f"{upload}/complete")
    return True


def _put(file: LocalFile, link: dict[str, Any], answer: dict[str, Any], server: Server) -> None:
    server.put(link["url"], _part(file, link["number"], answer), link["headers"])


def _part(file: LocalFile, number: int, answer: dict[str, Any]) -> bytes:
    with file.source.open("rb") as content:
        content.seek((number - 1) * answer["part_bytes"])
        return content.read(answer["part_bytes"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
