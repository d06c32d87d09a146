"""Download objects: streamed, hashed on the way, complete or absent."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.exceptions import IncompleteReadError

from porewatch.adapters.objects import Objects
from porewatch.domain.errors import Throttled, Unavailable

PIECE = 1 << 20
PAUSES_S = (0.2, 1.0, 5.0)


class Downloads(Objects):
    """Fetches objects of a bucket into files."""

    def fetch(
        self,
        key: str,
        to: Path,
        on_progress: Callable[[int], None] = lambda _: None,
        version: str | None = None,
    ) -> tuple[int, str]:
        """Write the object, or one version of it, to `to`; its size in bytes and sha256.
        `on_progress` gets the bytes so far.

        A broken stream is begun again. NotFound when there is no such object, Unavailable when it
        keeps breaking.
        """
        for pause in PAUSES_S:
            try:
                return self._fetch_once(key, to, on_progress, version)
            except (Unavailable, Throttled):
                time.sleep(pause)
        return self._fetch_once(key, to, on_progress, version)

    def _fetch_once(
        self, key: str, to: Path, on_progress: Callable[[int], None], version: str | None
    ) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        draft = to.with_name(f"{to.name}.part")
        draft.parent.mkdir(parents=True, exist_ok=True)
        with self._reading("fetch", key), draft.open("wb") as out:
            for piece in self._pieces(key, version):
                out.write(piece)
                digest.update(piece)
                size += len(piece)
                on_progress(size)
        draft.replace(to)
        return size, digest.hexdigest()

    def _pieces(self, key: str, version: str | None) -> Iterator[bytes]:
        body = self._client.get_object(**self._one(key, version))["Body"]
        try:
            yield from body.iter_chunks(PIECE)
        except IncompleteReadError as e:
            raise Unavailable(f"the connection broke while fetching {key}: {e}") from e
