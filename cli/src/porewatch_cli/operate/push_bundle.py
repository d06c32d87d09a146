"""Upload a bundle to a stack: its files under its digest, then the pointer that names it.

Objects that arrived are not sent again; an interrupted push resumes. The bundle is not visible
until the pointer is written.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from porewatch.domain.calls.stored_bundles import (
    StoredBundle,
    bundle_prefix,
)
from porewatch.domain.errors import BundleRefused, NotFound
from porewatch_cli.progress_bar import progress_bar
from porewatch_cli.submit.upload import (
    Upload,
    send_all,
)

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def push_alert_part(
    stack: Stack, root: Path, ref: str, *, at: datetime, quiet: bool = False
) -> StoredBundle | None:
    """The alert part of a bundle, made unless it is there, and sent: with it the stack screens
    files as they land. None when no member of the panel may alarm, and for a stack of an earlier
    version."""
    from porewatch_worker.references.building.alert_part import (  # noqa: PLC0415 - loads minimap2
        alert_part_of,
    )
    from porewatch_worker.references.installed import read_manifest  # noqa: PLC0415

    if stack.bundles is None:
        return None
    whole = read_manifest(root, ref)
    with progress_bar("alert part", whole.host_bases, quiet, unit="bases") as advance:
        made = alert_part_of(root, ref, advance)
    if made is None:
        return None
    return push_bundle(stack, root, made.ref, at=at, replace=True, quiet=quiet)


def push_bundle(
    stack: Stack, root: Path, ref: str, *, at: datetime, replace: bool = False, quiet: bool = False
) -> StoredBundle:
    """The bundle as the stack now has it. Raises BundleRefused when it is incomplete, or when the
    stack has a different one of this name and not `replace`; NotFound for a stack of an earlier
    version."""
    from porewatch_worker.references.installed import (  # noqa: PLC0415
        MANIFEST,
        SEAL,
        bundle_folder,
    )
    from porewatch_worker.references.verify import (  # noqa: PLC0415 - loads minimap2
        manifest_sha256,
        sha256_of,
        verify_bundle,
    )

    if stack.bundles is None:
        raise NotFound("the stack has no bucket for bundles.", remedy="deploy this version.")
    manifest = verify_bundle(root, ref)
    sent = StoredBundle.of(manifest, manifest_sha256(root, ref), at)
    before = stack.bundles.find(ref)
    if before is not None and before.sha256 != sent.sha256 and not replace:
        raise BundleRefused(
            f"the stack has a different {ref}, pushed {before.pushed_at:%Y-%m-%d %H:%M}.",
            remedy="give this bundle another version, or add --replace: runs that start later use "
            "it, runs in progress keep theirs.",
        )
    folder, bucket = bundle_folder(root, ref), stack.output("ReferencesBucketName")
    digests = {file.path: file.sha256 for file in manifest.every_file}
    digests |= {name: sha256_of(folder / name) for name in (MANIFEST, SEAL)}
    prefix = bundle_prefix(ref, sent.sha256)
    uploads = [
        Upload(source=folder / name, bucket=bucket, key=prefix + name, sha256=digest)
        for name, digest in digests.items()
    ]
    there = {head.key for head in stack.bucket("References").keys(prefix)}
    with progress_bar("uploading", sum(upload.size for upload in uploads), quiet) as advance:
        send_all(uploads, there, s3=stack.s3, advance=advance)
    stack.bundles.point(sent)
    return sent
