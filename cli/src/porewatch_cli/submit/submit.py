"""`porewatch submit`: check reads locally, upload them, then write the seal that starts the run.

The seal is last, so an interrupted submission starts nothing; a retry uploads only the missing
objects, and the same sealed manifest never runs twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.calls.release_policy import (
    DEFAULT,
    refuse_other,
)
from porewatch.domain.errors import InputRefused
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.rules.revisions import newest
from porewatch.domain.rules.run_seals import refuse_while_under_way
from porewatch.domain.rules.run_states import RETRYABLE_STATES
from porewatch.domain.runs import ReadLimits, RunManifest, RunState
from porewatch.domain.sealing import parse_manifest
from porewatch.domain.uploads.run_archives import (
    inbox_key,
    run_id_of,
)
from porewatch.reads.check import check_file
from porewatch.reads.checked import Check
from porewatch_cli.progress_bar import progress_bar
from porewatch_cli.submit.choices import (
    policies_taken,
    refuse_mistyped,
)
from porewatch_cli.submit.collect_run import (
    Gathered,
    collect_run,
    find,
)
from porewatch_cli.submit.submission import Submission
from porewatch_cli.submit.upload import (
    Upload,
    send,
    send_all,
)

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def submit(
    path: Path,
    *,
    stack: Stack,
    run_id: str | None = None,
    sample_sheet: Path | None = None,
    lab: Path | None = None,
    profile: str | None = None,
    bundle: str | None = None,
    release_policy: str | None = None,
    read_limits: ReadLimits | None = None,
    quiet: bool = False,
    check: Check = check_file,
    seal_again: bool = True,
) -> Submission:
    """Submit one run. Raises Refused before any upload when the input is invalid, RunGone when a
    run of that id was deleted.

    None: the value of a tar's own run.json, else the default. `check` reads one file to its end.
    `seal_again`: a seal that lies there is written once more, for an event that may be lost.
    """
    is_tar = path.is_file() and path.suffix == ".tar"
    remarks = refuse_choices(
        stack,
        run_id=run_id,
        profile=profile,
        bundle=bundle,
        release_policy=release_policy,
        is_tar=is_tar,
    )
    if is_tar:
        _refuse_separate_file(path, sample_sheet, "sample sheet", "sample_sheet.csv")
        _refuse_separate_file(path, lab, "laboratory", "lab.toml")
        _refuse_limits(path, read_limits)
        options = {"layout": profile, "bundle": bundle, "release-policy": release_policy}
        chosen = {what: value for what, value in options.items() if value is not None}
        key = inbox_key(run_id or path.stem, chosen)
        return replace(_submit_tar(path, key, stack=stack, quiet=quiet), remarks=remarks)
    if path.name.endswith((".tar.gz", ".tgz")):
        raise InputRefused(
            "a run archive must be an uncompressed .tar (the reads in it are already compressed).",
            file=str(path),
            remedy=f"gunzip {path.name}, or submit the folder itself.",
        )
    gathered = _checked(
        path,
        quiet=quiet,
        run_id=run_id,
        sample_sheet=sample_sheet,
        lab=lab,
        profile=profile or "default",
        bundle=bundle,
        release_policy=release_policy or DEFAULT,
        read_limits=read_limits,
        basecalling=stack.outputs.get("Basecalling") == "enabled",
        check=check,
    )
    sent = _send(gathered, stack, quiet, seal_again=seal_again)
    return replace(sent, remarks=(*remarks, *sent.remarks))


def refuse_choices(
    stack: Stack,
    *,
    run_id: str | None,
    profile: str | None,
    bundle: str | None,
    release_policy: str | None,
    is_tar: bool = False,
) -> tuple[str, ...]:
    """Remarks about what could not be checked. Raises Refused for what no file can change: a name
    that does not exist, a policy that the stack does not take, a run that was deleted."""
    by_default = bundle is None and not is_tar and "DefaultBundle" in stack.outputs
    remarks = refuse_mistyped(  # a tar may name its own bundle
        stack,
        layout=profile,
        bundle=stack.default_bundle if by_default else bundle,
        release_policy=release_policy,
    )
    if not is_tar:
        refuse_other(release_policy or DEFAULT, policies_taken(stack))
    if run_id is not None:
        refuse_gone(stack.runs.find(run_id))
    return remarks


def _checked(path: Path, *, quiet: bool, **options: object) -> Gathered:
    files = find(path).reads.values()
    total = sum(f.stat().st_size for f in files)
    with progress_bar("checking", total, quiet, unit="bytes") as advance:
        return collect_run(path, checked=lambda file: advance(file.stat().st_size), **options)  # type: ignore[arg-type]


def _send(gathered: Gathered, stack: Stack, quiet: bool, *, seal_again: bool) -> Submission:
    manifest, is_sealed = _as_sealed_before(gathered.manifest, stack)
    under_way = _under_way(manifest, stack)
    bucket = stack.output("RawBucketName")
    uploads = [
        Upload(
            source=gathered.sources[file.path],
            bucket=bucket,
            key=s3_keys.raw_key(manifest.run_id, file.path),
            sha256=file.sha256 or "",
        )
        for file in manifest.files
    ]
    listed = stack.bucket("Raw").keys(s3_keys.raw_key(manifest.run_id, ""))
    existing = {head.key for head in listed}
    with progress_bar("uploading", sum(u.size for u in uploads), quiet, unit="bytes") as advance:
        sent = send_all(uploads, existing, s3=stack.s3, advance=advance)
    key = s3_keys.seal_key(manifest.run_id)
    if seal_again or not is_sealed:
        stack.s3.put_object(Bucket=bucket, Key=key, Body=manifest.canonical_json().encode())
    return Submission(
        run_id=manifest.run_id,
        files=len(uploads),
        bytes=sum(u.size for u in uploads),
        sent=sent,
        reads=gathered.reads,
        bases=gathered.bases,
        seal=key,
        left_out=gathered.left_out,
        digest=manifest.digest(),
        remarks=under_way,
    )


def _under_way(manifest: RunManifest, stack: Stack) -> tuple[str, ...]:
    """A remark when a run with this manifest is still in progress. ManifestRefused when the run
    is in progress with another manifest: the cloud would refuse that, too."""
    run = stack.runs.find(manifest.run_id)
    if run is None or run.state not in (RunState.SEALED, RunState.RUNNING):
        return ()
    if run.manifest_digest == manifest.digest():
        status = (
            f"run {run.run_id} is already in progress: {run.state.value}, revision {run.revision}"
        )
        return (f"{status}. No new run was started; `porewatch watch {run.run_id}` follows it.",)
    if run.state is RunState.RUNNING:
        refuse_while_under_way(run)
    return ()


def _as_sealed_before(manifest: RunManifest, stack: Stack) -> tuple[RunManifest, bool]:
    """The seal already in the bucket when it differs only in its creation time, else `manifest`;
    and whether it lies there.

    A run that failed, was refused or cancelled gets a new seal: the same manifest never runs twice.
    """
    run = stack.runs.find(manifest.run_id)
    refuse_gone(run)
    if run is not None and newest(run).state in RETRYABLE_STATES:
        return manifest, False
    raw = stack.bucket("Raw")
    key = s3_keys.seal_key(manifest.run_id)
    if raw.head(key) is None:
        return manifest, False
    before = parse_manifest(raw.get(key), run_id=manifest.run_id)
    same = before.model_copy(update={"created_at": manifest.created_at}) == manifest
    return (before, True) if same else (manifest, False)


def _refuse_limits(path: Path, limits: ReadLimits | None) -> None:
    if limits is not None:
        raise InputRefused(
            "a run archive sets its own read limits; these options would be ignored.",
            file=str(path),
            remedy="put min_read_length and min_block into its sample sheet, or submit the folder.",
        )


def _refuse_separate_file(path: Path, given: Path | None, content: str, name: str) -> None:
    if given is not None:
        raise InputRefused(
            f"a run archive contains its own {content}; a separate one would be ignored.",
            file=str(path),
            remedy=f"put {given.name} into the tar as {name}, or submit the folder.",
        )


def _submit_tar(path: Path, key: str, *, stack: Stack, quiet: bool) -> Submission:
    """Upload a tar unchanged: the cloud checks its content. Its key holds the chosen options."""
    name = run_id_of(key)
    refuse_gone(stack.runs.find(name))
    digest = hashlib.sha256()
    with path.open("rb") as file, progress_bar("checking", path.stat().st_size, quiet) as advance:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            advance(len(chunk))
    upload = Upload(path, stack.output("RawBucketName"), key, digest.hexdigest())
    with progress_bar("uploading", upload.size, quiet, unit="bytes") as advance:
        sent = send(upload, s3=stack.s3, advance=advance)
    return Submission(name, 1, upload.size, int(sent), None, None, key)
