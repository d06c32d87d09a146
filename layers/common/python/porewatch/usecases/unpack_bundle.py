"""A bundle becomes a run: `inbox/{run}.tar` -> files in the run's folder, and its seal last.

Order: the tar is streamed once to look at every member (nothing is written while it may still be
refused) -> the manifest is made -> it is streamed again, member by member into the run's folder ->
run.json, which starts the run. A refused tar is moved to quarantine with its reason, whole.

Plain tar only: reads are compressed already, and what is not unpacked cannot explode.
"""

from __future__ import annotations

import hashlib
import logging
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, TYPE_CHECKING, cast

from porewatch.domain import places
from porewatch.domain.base import now
from porewatch.domain.bounds import refuse_long
from porewatch.domain.bundles import (
    GZIP_HEAD,
    Contents,
    asked_by,
    beside_the_old,
    manifest_of,
    refuse_bomb,
    refuse_member,
    refuse_size,
    run_id_of,
    same_run,
)
from porewatch.domain.ending.rules import refuse_gone
from porewatch.domain.errors import (
    AlreadyDone,
    Conflict,
    ManifestRefused,
    MessageRefused,
    NotFound,
    PorewatchError,
    Refused,
    Unavailable,
)
from porewatch.domain.landing.answers import Answer, Treatment
from porewatch.domain.landing.heads import ENOUGH
from porewatch.domain.landing.names import Landed, classify
from porewatch.domain.lifecycle import MENDABLE
from porewatch.domain.runs import RunManifest, RunRecord, RunState
from porewatch.usecases.answer_object import answer_object
from porewatch.usecases.read_tar import chunks, opened

if TYPE_CHECKING:
    from porewatch.adapters.endings import Endings
    from porewatch.adapters.manifests import Manifests
    from porewatch.adapters.objects import Head, Objects
    from porewatch.adapters.runs import RunLedger

TEXTS = (Landed.MANIFEST, Landed.SHEET, Landed.SUMMARY, Landed.LABORATORY)
SMALL = 4096
"""Bytes of a packed file that may hold no reads at all."""
UNDER_WAY = (RunState.SEALED, RunState.RUNNING)
_log = logging.getLogger(__name__)


def unpack_bundle(
    key: str,
    *,
    raw: Objects,
    runs: RunLedger,
    manifests: Manifests,
    endings: Endings,
    clock: Callable[[], datetime] = now,
) -> None:
    """Unpack one tar. AlreadyDone when it was unpacked or moved before, or holds what the run was
    screened from already (which is recorded). A changed tar of a run that has ended is its next
    revision; of a run under way it is refused, and the run goes on.

    Raises MessageRefused, after moving the tar away, when its name is no run id.
    """
    if key.startswith(places.QUARANTINE):
        raise AlreadyDone("was set aside by ourselves.", file=key)
    head = raw.head(key)
    if head is None:
        raise AlreadyDone("is gone: it was dealt with before.", file=key)
    try:
        run_id = run_id_of(key)
        refuse_gone(runs.find(run_id))
    except MessageRefused as refusal:
        _quarantine(key, refusal, raw)
        raise
    try:
        asked = asked_by(key)
        contents = _look(head, raw)
        manifest, lying = manifest_of(
            contents, run_id=run_id, created_at=head.modified, asked=asked
        )
        manifest = _claim(head, manifest, raw=raw, runs=runs, manifests=manifests, at=clock())
    except Refused as refusal:
        _refuse(head, run_id, refusal, raw=raw, runs=runs, at=clock())
        return
    for aside in manifest.left_out:
        _log.info("of %s: %s", key, aside.sentence())
    endings.note_tar(manifest.run_id, key)
    _unpack(head, lying, manifest, raw)
    raw.put_json(places.seal_key(manifest.run_id), manifest)


def give_up(
    key: str,
    error: Exception,
    *,
    raw: Objects,
    runs: RunLedger,
    clock: Callable[[], datetime] = now,
) -> None:
    """The verdict on a tar that could not be unpacked, however often it was tried: refused with
    what happened, so that its sender hears of it. AlreadyDone when it is gone."""
    head = raw.head(key)
    if head is None or key.startswith(places.QUARANTINE):
        raise AlreadyDone("is gone: it was dealt with before.", file=key)
    told = (
        error.problem if isinstance(error, PorewatchError) else f"{type(error).__name__}: {error}"
    )
    refusal = ManifestRefused(
        f"the tar could not be judged: {told[:500]}",
        file=key,
        remedy="send the folder by `porewatch submit`; the tar is kept, and so is the message "
        "about it, for whoever runs the stack.",
    )
    _refuse(head, run_id_of(key), refusal, raw=raw, runs=runs, at=clock())


def _refuse(
    head: Head, run_id: str, refusal: Refused, *, raw: Objects, runs: RunLedger, at: datetime
) -> None:
    """The run is refused, if it was to come by this tar; one whose files arrive by another door
    hears of the tar, and goes on."""
    _log.warning("bundle %s is refused: %s", head.key, refusal)
    record = runs.find(run_id)
    if record is not None and record.state is RunState.RECEIVING:
        answer = Answer(
            kind=f"tar:{head.etag[:16]}",
            verdict=Treatment.REFUSED,
            problem=f"the tar was refused. {refusal}",
            remedy="the run's other files are not touched; what was wrong lies in quarantine.",
            act=True,
        )
        answer_object(run_id, head.key, answer, runs=runs, at=at)
    else:
        digest = hashlib.sha256(f"{head.key} {head.etag}".encode()).hexdigest()
        problem = f"bundle {head.key} was refused. {refusal}"
        runs.refuse(run_id, digest=digest, problem=problem, at=at)
    _quarantine(head.key, refusal, raw)


def _look(head: Head, raw: Objects) -> Contents:
    """Every header judged, every member read through and hashed; nothing written."""
    refuse_size(head.key, head.size)
    contents = Contents()
    total = 0
    with opened(head, raw) as tar:
        for number, member in enumerate(tar, 1):
            total += member.size if member.isfile() else 0
            refuse_member(member, number, total, size=head.size)
            if member.isfile():
                _take(member, tar, contents)
    return contents


def _take(member: tarfile.TarInfo, tar: tarfile.TarFile, contents: Contents) -> None:
    what = classify(member.name)
    if member.name in contents.sizes:
        raise ManifestRefused(
            "is in the tar twice.", file=member.name, remedy="make the tar again, without --append."
        )
    contents.sizes[member.name] = member.size
    if what in TEXTS:
        refuse_long(member.name, member.size)
        contents.texts[member.name] = b"".join(chunks(member, tar))
    elif what is Landed.READS:
        contents.digests[member.name] = _hashed(member, tar, contents)


def _hashed(member: tarfile.TarInfo, tar: tarfile.TarFile, contents: Contents) -> str:
    digest = hashlib.sha256()
    for number, chunk in enumerate(chunks(member, tar)):
        if number == 0:
            refuse_bomb(member.name, chunk[:GZIP_HEAD])
            contents.heads[member.name] = _kept_head(member.name, chunk, contents)
        digest.update(chunk)
    return digest.hexdigest()


def _kept_head(name: str, chunk: bytes, contents: Contents) -> bytes:
    """First bytes of every small file, and of the first of all, which says the flow cell: of a tar
    of thousands of files not 64 KiB each."""
    small = contents.sizes[name] <= SMALL
    return chunk[:ENOUGH] if small or not contents.heads else b""


def _claim(
    head: Head,
    manifest: RunManifest,
    *,
    raw: Objects,
    runs: RunLedger,
    manifests: Manifests,
    at: datetime,
) -> RunManifest:
    """The manifest by which this tar may write into its run. Raises ManifestRefused when the run
    is under way or is receiving other files, AlreadyDone when it was screened from the same."""
    record = runs.find(manifest.run_id)
    refuse_gone(record)
    if record is None:
        _refuse_foreign(manifest, raw)
        return manifest
    if record.manifest_digest == manifest.digest():
        raise AlreadyDone(f"run {manifest.run_id} was sealed by this bundle before.")
    before = _sealed_before(record, manifests)
    if (
        before is not None
        and before.created_at == manifest.created_at
        and same_run(before, manifest)
    ):
        raise AlreadyDone(f"run {manifest.run_id} was sealed by this very tar.")
    if before is not None and record.state not in MENDABLE and same_run(before, manifest):
        answer_object(manifest.run_id, head.key, _identical(record, head), runs=runs, at=at)
        raise AlreadyDone(f"{head.key} holds what run {manifest.run_id} was screened from.")
    if record.state in UNDER_WAY:
        raise ManifestRefused(
            f"run {manifest.run_id} is {record.state.value} with other content (revision "
            f"{record.revision}), and goes on with it.",
            remedy="send the tar again when the run has ended, or stop it first: porewatch cancel "
            f"{manifest.run_id}.",
        )
    if before is None:
        _refuse_foreign(manifest, raw)
        return manifest
    return beside_the_old(manifest)


def _sealed_before(record: RunRecord, manifests: Manifests) -> RunManifest | None:
    """The manifest of the latest revision that had one; None when the run was never sealed."""
    for revision in range(record.revision, -1, -1):
        try:
            return manifests.of(record.run_id, revision)
        except NotFound:
            continue
    return None


def _identical(record: RunRecord, head: Head) -> Answer:
    return Answer(
        kind=f"tar:{head.etag[:16]}",
        verdict=Treatment.LEFT_OUT,
        problem=f"the tar holds what revision {record.revision} was screened from; nothing starts.",
        remedy="change its content, or submit the folder, to screen it again.",
    )


def _refuse_foreign(manifest: RunManifest, raw: Objects) -> None:
    """A tar must not write into a run that is receiving other files."""
    prefix = places.raw_key(manifest.run_id, "")
    mine = {file.path: file.size for file in manifest.files}
    for head in raw.keys(prefix):
        path = head.key.removeprefix(prefix)
        if path.endswith((".tar", "/")) or path == places.SEAL:
            continue
        if mine.get(path) != head.size:
            raise ManifestRefused(
                f"run {manifest.run_id} is receiving other files ({path}).",
                remedy="name the tar (or the run_id in its run.json) differently.",
            )


def _unpack(head: Head, lying: dict[str, str], manifest: RunManifest, raw: Objects) -> None:
    wanted = {file.path: file for file in manifest.files}
    with opened(head, raw) as tar:
        for member in tar:
            file = wanted.get(lying.get(member.name, ""))
            if file is None or not member.isfile():
                continue
            part = _Part(chunks(member, tar))
            raw.upload(places.raw_key(manifest.run_id, file.lies_at), cast("IO[bytes]", part))
            if file.sha256 and part.digest.hexdigest() != file.sha256:
                raise Unavailable("the tar changed while it was unpacked.", file=head.key)


class _Part:
    """One member as a file that can only be read, hashed on its way."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self.digest.update(chunk)
            wanted.append(chunk)
            have += len(chunk)
        content = b"".join(wanted)
        taken = content if size < 0 else content[:size]
        self._rest = content[len(taken) :]
        return taken


def _quarantine(key: str, refusal: PorewatchError, raw: Objects) -> None:
    """The tar whole, and why, beside it."""
    target = places.quarantine_key(key)
    raw.put(f"{target}.reason.txt", f"{refusal}\n".encode(), "text/plain; charset=utf-8")
    try:
        raw.move(key, target)
    except Conflict:
        _log.info("%s was moved by somebody else", key)
