"""Upload a finished stage to S3: outputs and manifest below the instance's own prefix, each written
once. The control plane makes the manifest visible (`porewatch.usecases.stages.publish_stage`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.stage.manifest import OutputFile, StageManifest
from porewatch_worker.stage.ports import Finished
from porewatch_worker.stage.publish import (
    Author,
    describe,
    manifest_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from porewatch.adapters.objects import Objects

log = logging.getLogger(__name__)


class S3Publisher:
    """Uploads outputs, then the manifest that names them. `owned` raises StaleEpoch when another
    instance owns the stage by now: nothing is uploaded then."""

    def __init__(
        self, results: Objects, author: Author, prefix: str, owned: Callable[[], None]
    ) -> None:
        self._results, self._author, self._prefix = results, author, prefix
        self._owned = owned

    def published(self) -> tuple[str, StageManifest] | None:
        """The visible manifest, when an earlier attempt got that far."""
        a = self._author
        key = s3_keys.manifest_key(a.run_id, a.revision, a.stage)
        if self._results.head(key) is None:
            return None
        return key, self._results.get_json(key, StageManifest)

    def publish(self, finished: Finished) -> tuple[str, StageManifest]:
        """Key and content of our manifest, which is not visible yet."""
        self._owned()
        outputs = {name: self._upload(name, path) for name, path in finished.result.outputs.items()}
        manifest = manifest_of(self._author, finished, outputs)
        key = s3_keys.draft_key(self._prefix)
        try:
            self._results.put_new(key, manifest.canonical_json().encode())
        except AlreadyDone:  # an answer was lost, the write was not
            manifest = self._results.get_json(key, StageManifest)
        return key, manifest

    def _upload(self, name: str, path: Path) -> OutputFile:
        output = describe(path, s3_keys.outputs_prefix(self._prefix) + name)
        try:
            self._results.upload_new(output.key, path, _content_type(name))
        except AlreadyDone:
            if self._results.sha256(output.key) != output.sha256:
                raise
            log.info("%s is uploaded already", output.key)
        return output


def _content_type(name: str) -> str:
    by_suffix = {".json": "application/json", ".html": "text/html", ".pdf": "application/pdf"}
    return next((t for s, t in by_suffix.items() if name.endswith(s)), "application/octet-stream")
