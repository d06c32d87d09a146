"""Objects onto the local disk: streamed, digested on the way, whole or not there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from porewatch.adapters.objects import Objects
from porewatch.domain.errors import Throttled, Unavailable

PIECE = 1 << 20
ATTEMPTS = 4


class Downloads(Objects):
    """Fetches objects of a bucket into files."""

    def fetch(
        self, key: str, to: Path, heard: Callable[[int], None] = lambda _: None
    ) -> tuple[int, str]:
        """Write the object to `to`; its size in bytes and sha256. `heard` gets bytes so far.

        A broken stream is begun again. NotFound when there is no such object, Unavailable when it
        keeps breaking.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._fetch_once(key, to, heard)
            except (Unavailable, Throttled):
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _fetch_once(self, key: str, to: Path, heard: Callable[[int], None]) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        draft = to.with_name(f"{to.name}.part")
        draft.parent.mkdir(parents=True, exist_ok=True)
        with self._translated("fetch", key), draft.open("wb") as out:
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"]
            for piece in body.iter_chunks(PIECE):
                out.write(piece)
                digest.update(piece)
                size += len(piece)
                heard(size)
        draft.replace(to)
        return size, digest.hexdigest()
