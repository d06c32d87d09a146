"""Installed bundles: their folders, and which are there."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.calls.alert_part import is_alert_part
from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.errors import BundleRefused

MANIFEST = "bundle.json"
SEAL = "bundle.json.sha256"
"""Hex digest of `bundle.json`: a damaged manifest cannot vouch for damaged files."""

_REF = re.compile(r"^([a-z0-9][a-z0-9-]{0,40})@([0-9A-Za-z][0-9A-Za-z.-]{0,40})$")


def bundle_folder(root: Path, ref: str) -> Path:
    """`name@version` -> `<root>/<name>/<version>`. Raises BundleRefused for any other shape."""
    match = _REF.match(ref)
    if match is None:
        raise BundleRefused(f"{ref!r} is not a bundle.", remedy="write it as name@version.")
    return root / match[1] / match[2]


def read_manifest(root: Path, ref: str) -> BundleManifest:
    """The manifest of one bundle, not yet checked against its files."""
    folder = bundle_folder(root, ref)
    path = folder / MANIFEST
    if not path.is_file():
        there = ", ".join(bundle.ref for bundle in list_bundles(root)) or "none"
        raise BundleRefused(
            f"there is no bundle {ref} below {root} (there: {there}).",
            remedy="build it with `porewatch references build`, or name one that is there.",
        )
    try:
        manifest = BundleManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleRefused(
            f"the manifest does not follow the contract: {error.errors()[0]['msg']}.",
            file=str(path),
            remedy="build the bundle again.",
        ) from error
    if manifest.ref != ref:
        raise BundleRefused(
            f"the manifest names {manifest.ref}, the folder {ref}.",
            file=str(path),
            remedy="move the folder back or build the bundle again.",
        )
    return manifest


def list_bundles(root: Path) -> list[BundleManifest]:
    """Every readable bundle below `root`, by name and version. Unfinished builds are not listed,
    nor are the alert parts of bundles, which no run is screened with."""
    found = []
    for path in sorted(root.glob(f"[a-z0-9]*/[0-9A-Za-z]*/{MANIFEST}")):
        try:
            found.append(BundleManifest.model_validate_json(path.read_bytes()))
        except ValidationError:
            continue
    return [bundle for bundle in found if not is_alert_part(bundle.ref)]
