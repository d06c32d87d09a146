"""Making a finished stage visible: outputs first, then one manifest. The first manifest wins."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.stage.manifest import OutputFile, StageManifest
from porewatch_worker import __version__
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.stage.ports import Finished

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Author:
    """Who publishes: names that go into the manifest."""

    run_id: str
    revision: int
    stage: str
    epoch: int
    instance_id: str
    user_id: str = ""


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path: Path, key: str) -> OutputFile:
    return OutputFile(key=key, sha256=sha256_of(path), size=path.stat().st_size)


def manifest_of(
    author: Author, finished: Finished, outputs: dict[str, OutputFile]
) -> StageManifest:
    """The manifest that names `outputs`."""
    return StageManifest(
        run_id=author.run_id,
        revision=author.revision,
        stage=author.stage,
        epoch=author.epoch,
        fingerprint=finished.fingerprint,
        instance_id=author.instance_id,
        worker_version=__version__,
        started_at=finished.started_at,
        finished_at=now(),
        phases=finished.result.phases,
        outputs=outputs,
        units=finished.units,
        units_resumed=finished.units_resumed,
        units_redone=finished.units_redone,
        quarantined=finished.quarantined,
        findings=finished.result.findings,
    )


class FolderPublisher:
    """Copies outputs to `out`, each whole or not at all; the manifest goes to `notes`."""

    def __init__(self, out: Path, notes: Path, author: Author) -> None:
        self._out, self._notes, self._author = out, notes, author

    def publish(self, finished: Finished) -> tuple[str, StageManifest]:
        """Key and content of the manifest; a later local run replaces an earlier one."""
        outputs = {n: self._place(n, path) for n, path in finished.result.outputs.items()}
        manifest = manifest_of(self._author, finished, outputs)
        store = FolderStore(self._notes)
        content = manifest.canonical_json().encode()
        while store.create(MANIFEST, content) is None:
            there = store.read(MANIFEST)
            if there is not None and store.replace(MANIFEST, content, there[1]) is not None:
                break
        return str(self._notes / MANIFEST), manifest

    def _place(self, name: str, source: Path) -> OutputFile:
        target = self._out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, draft)
        draft.replace(target)
        return describe(target, str(target))
