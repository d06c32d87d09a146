"""A reference bundle as it lies in a stack's bucket: under its own digest, so that what a run began
with stays what it is, and named by a pointer that is written last."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment, Sha256
from porewatch.domain.calls.references import BundleManifest

ROOT = "bundles/"
POINTER = "current.json"


class StoredBundle(Model):
    """What the pointer says. `sha256`: of the bytes of `bundle.json`, as reports quote it."""

    ref: str
    sha256: Sha256
    synthetic: bool
    description: str = ""
    size: Annotated[int, Field(ge=0, description="bytes of all its files")]
    pushed_at: Moment

    @staticmethod
    def of(manifest: BundleManifest, sha256: str, at: Moment) -> StoredBundle:
        return StoredBundle(
            ref=manifest.ref,
            sha256=sha256,
            synthetic=manifest.synthetic,
            description=manifest.description,
            size=sum(file.size for file in manifest.every_file),
            pushed_at=at,
        )


def pointer_key(ref: str) -> str:
    """`name@version` -> where its pointer lies.

    >>> pointer_key('pig@1')
    'bundles/pig/1/current.json'
    """
    return f"{_folder(ref)}{POINTER}"


def bundle_prefix(ref: str, sha256: str) -> str:
    """Where the files of just this bundle lie. Nothing here is ever overwritten."""
    return f"{_folder(ref)}{sha256}/"


def _folder(ref: str) -> str:
    name, _, version = ref.partition("@")
    return f"{ROOT}{name}/{version}/"
