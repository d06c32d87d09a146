"""What a sealed manifest is made of, and how its digest stays what it was.

The digest is what a run goes by. Every field that a later version adds to a part is left out of the
canonical text while it holds its default, so that manifests sealed before it existed keep theirs.
Automatic: every field that is not in `always` is an addition.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, ClassVar

from porewatch.domain.base import Model


class ManifestPart(Model):
    """`always`: fields of the first version of this part; always written.

    Never add a name to `always`: it changes the digest of every run sealed before.
    """

    always: ClassVar[frozenset[str]] = frozenset()

    def canonical_json(self, *without: str, as_read: bool = False) -> str:
        """As of every model, but additions at their default are left out, in all parts below."""
        dumped = self.model_dump(mode="json", exclude=set(without), exclude_unset=as_read)
        return json.dumps(_lean(self, dumped), sort_keys=True, separators=(",", ":"))


def _lean(value: Any, dumped: Any) -> Any:
    """`dumped`, the dump of `value`, without additions at their default."""
    if isinstance(value, tuple):
        return [_lean(v, t) for v, t in zip(value, dumped, strict=True)]
    if not isinstance(value, ManifestPart):
        return dumped
    additions = _additions(type(value))
    kept = {}
    for name, text in dumped.items():
        held = getattr(value, name)
        if name not in additions or held != additions[name]:
            kept[name] = _lean(held, text) if isinstance(held, _WITH_PARTS) else text
    return kept


_WITH_PARTS = (tuple, ManifestPart)


@cache
def _additions(part: type[ManifestPart]) -> dict[str, Any]:
    """Fields that later versions added, with their defaults. A run has fifty thousand files: their
    class is asked once."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in part.model_fields.items()
        if name not in part.always
    }
