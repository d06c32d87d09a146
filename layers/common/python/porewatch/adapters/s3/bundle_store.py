"""The reference bundles that were pushed to a stack: instances download them from its bucket."""

from __future__ import annotations

from porewatch.adapters.objects import Objects
from porewatch.domain.calls.alert_part import is_alert_part
from porewatch.domain.calls.stored_bundles import (
    POINTER,
    ROOT,
    StoredBundle,
    pointer_key,
)
from porewatch.domain.errors import BundleRefused, NotFound


class BundleStore:
    """The bundles in `bucket`. `alone`: machines know no other place (on the embedded AWS they also
    look into its folder)."""

    def __init__(self, bucket: Objects, *, alone: bool = True) -> None:
        self._bucket, self._alone = bucket, alone

    def find(self, ref: str) -> StoredBundle | None:
        """What `name@version` is now; None when it was not pushed."""
        try:
            return self._bucket.get_json(pointer_key(ref), StoredBundle)
        except NotFound:
            return None

    def all(self) -> tuple[StoredBundle, ...]:
        """Every bundle, by name and version; not their alert parts."""
        keys = (head.key for head in self._bucket.keys(ROOT))
        found = [key for key in keys if key.endswith(f"/{POINTER}")]
        stored = (self._bucket.get_json(key, StoredBundle) for key in found)
        return tuple(bundle for bundle in stored if not is_alert_part(bundle.ref))

    def point(self, bundle: StoredBundle) -> None:
        """From now on the name refers to this one. Its files must exist already."""
        self._bucket.put_json(pointer_key(bundle.ref), bundle)

    def digest_of(self, ref: str) -> str | None:
        """The digest that a run starting now is bound to. None: whatever its instances find.

        Raises BundleRefused when the bundle does not exist and could be nowhere else.
        """
        found = self.find(ref)
        if found is None and self._alone:
            raise BundleRefused(
                f"the stack has no bundle {ref}.",
                remedy=f"send it there (porewatch references push {ref} --stack STACK), or seal "
                "the run with one that is there (porewatch references list --stack STACK).",
            )
        return found.sha256 if found else None
