"""Publishing a stage to S3, where the first manifest wins whoever wrote it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import places
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.phases import OutputFile, StageManifest
from porewatch_worker.loop_parts import Finished
from porewatch_worker.publish import Author, describe, manifest_of

if TYPE_CHECKING:
    from pathlib import Path

    from porewatch.adapters.objects import Objects

log = logging.getLogger(__name__)


class S3Publisher:
    """Uploads outputs under this epoch's own prefix, then writes the manifest if there is none."""

    def __init__(self, results: Objects, author: Author) -> None:
        self._results, self._author = results, author
        self._key = places.manifest_key(author.run_id, author.revision, author.stage)

    def published(self) -> tuple[str, StageManifest] | None:
        """The visible manifest, when an earlier attempt got that far."""
        if self._results.head(self._key) is None:
            return None
        return self._key, self._results.get_json(self._key, StageManifest)

    def publish(self, finished: Finished) -> tuple[str, StageManifest]:
        """Key and content of the visible manifest: ours, or that of whoever was first."""
        outputs = {name: self._upload(name, path) for name, path in finished.result.outputs.items()}
        manifest = manifest_of(self._author, finished, outputs)
        try:
            self._results.put_new(self._key, manifest.canonical_json().encode())
        except AlreadyDone:
            winner = self._results.get_json(self._key, StageManifest)
            log.info("the manifest of epoch %d was first; ours is not needed", winner.epoch)
            return self._key, winner
        return self._key, manifest

    def _upload(self, name: str, path: Path) -> OutputFile:
        a = self._author
        key = places.output_key(a.run_id, a.revision, a.stage, a.epoch, name)
        with path.open("rb") as content:
            self._results.upload(key, content, _content_type(name))
        return describe(path, key)


def _content_type(name: str) -> str:
    by_suffix = {".json": "application/json", ".html": "text/html", ".pdf": "application/pdf"}
    return next((t for s, t in by_suffix.items() if name.endswith(s)), "application/octet-stream")
