"""Unpack a run archive: `inbox/{run}.tar` -> files in the run's folder, and its seal last.

Order: the tar is streamed once to check every member (nothing is written while it may still be
refused) -> the manifest is made -> the run is claimed (`claim_run_archive`) -> the tar is streamed
again, member by member into the run's folder, where nothing is ever overwritten -> run.json, which
starts the run. A refused tar is moved to quarantine whole, with its reason; a run that it did not
create gets an answer and stays as it is.

Plain tar only: reads are compressed already, and a tar without compression is no decompression
bomb.
"""

from __future__ import annotations

import hashlib
import logging
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, TYPE_CHECKING, cast

from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.bounds import refuse_long
from porewatch.domain.errors import (
    AlreadyDone,
    Conflict,
    ManifestRefused,
    MessageRefused,
    PorewatchError,
    Refused,
    Unavailable,
)
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.answers import (
    Answer,
    Treatment,
)
from porewatch.domain.inputs.landing.first_bytes import ENOUGH
from porewatch.domain.records.refusal import refusals_of
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunState
from porewatch.domain.uploads.run_archives import (
    GZIP_HEAD,
    Contents,
    asked_by,
    manifest_of,
    refuse_bomb,
    refuse_member,
    refuse_size,
    run_id_of,
)
from porewatch.usecases.intake.answer_object import (
    answer_encoding,
    answer_object,
)
from porewatch.usecases.intake.claim_run_archive import (
    Claim,
    UnpackContext,
    claim,
    is_its_own,
)
from porewatch.usecases.intake.read_tar import (
    chunks,
    opened,
)

if TYPE_CHECKING:
    from porewatch.adapters.objects import Head, Objects

TEXTS = (Landed.MANIFEST, Landed.SHEET, Landed.SUMMARY, Landed.LABORATORY)
SMALL = 4096
"""Bytes of a compressed file that may hold no reads at all."""
_log = logging.getLogger(__name__)


def unpack_run_archive(
    key: str, *, context: UnpackContext, clock: Callable[[], datetime] = now
) -> None:
    """Unpack one tar. AlreadyDone when it was unpacked or moved before, or holds what the run was
    screened from already (which is recorded). A changed tar of a run that has ended is its next
    revision; a tar of a run under way is refused, and the run continues.

    Raises MessageRefused, after moving the tar to quarantine, when its name is no run id.
    """
    if key.startswith(s3_keys.QUARANTINE):
        raise AlreadyDone("is in quarantine.", file=key)
    raw = context.raw
    head = raw.head(key)
    if head is None:
        raise AlreadyDone("is gone: it was handled before.", file=key)
    try:
        run_id = run_id_of(key)
        record = context.runs.find(run_id)
        refuse_gone(record)
    except MessageRefused as refusal:
        _quarantine(key, refusal, raw)
        raise
    try:
        if record is not None:
            context.admission.refuse_size(record.submitted_by, head.size)
        asked = asked_by(key)
        contents = look_at(head, raw)
        manifest, lying = manifest_of(
            contents, run_id=run_id, created_at=head.modified, asked=asked
        )
        if s3_keys.lies_in_a_run(key):  # who may write there may write into no other run
            manifest = manifest.model_copy(update={"run_id": run_id})
        claimed = claim(head, manifest, context=context, at=clock())
        context.endings.note_tar(manifest.run_id, key, named=run_id)
        unpack(head, lying, claimed, raw)
        _record_encoding(contents, manifest.run_id, context, clock())
    except Refused as refusal:
        _refuse(head, run_id, refusal, context=context, at=clock())
        return
    for aside in manifest.left_out:
        _log.info("of %s: %s", key, aside.sentence())
    _seal(claimed, raw)


def give_up(
    key: str, error: Exception, *, context: UnpackContext, clock: Callable[[], datetime] = now
) -> None:
    """The verdict on a tar whose last delivery failed: refused with the error, so that its sender
    is notified. AlreadyDone when it is gone."""
    head = context.raw.head(key)
    if head is None or key.startswith(s3_keys.QUARANTINE):
        raise AlreadyDone("is gone: it was handled before.", file=key)
    reason = (
        error.problem if isinstance(error, PorewatchError) else f"{type(error).__name__}: {error}"
    )
    refusal = ManifestRefused(
        f"the tar could not be judged: {reason[:500]}",
        file=key,
        remedy="send the folder by `porewatch submit`; the tar is kept, and so is the message "
        "about it, for whoever runs the stack.",
    )
    _refuse(head, run_id_of(key), refusal, context=context, at=clock())


def _record_encoding(contents: Contents, run_id: str, context: UnpackContext, at: datetime) -> None:
    found = contents.understood()
    if found.manifest is None:  # otherwise the sheet was not read
        answer_encoding(run_id, found, runs=context.runs, at=at)


def _refuse(
    head: Head, run_id: str, refusal: Refused, *, context: UnpackContext, at: datetime
) -> None:
    """Refuse the run, if this tar created it or was to; a run that came by another way, or is
    receiving files, gets an answer and stays as it is."""
    _log.warning("run archive %s is refused: %s", head.key, refusal)
    raw, runs = context.raw, context.runs
    record, its_own = runs.find(run_id), is_its_own(run_id, head.key, context)
    if record is not None and (record.state is RunState.RECEIVING or not its_own):
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
        what = Refusing(f"bundle {head.key} was refused. {refusal}", refusals_of(refusal))
        context.endings.note_tar(run_id, head.key, named=run_id)
        runs.refuse(run_id, digest=digest, what=what, at=at)
    _quarantine(head.key, refusal, raw)


def look_at(head: Head, raw: Objects) -> Contents:
    """Check every header, read and hash every member; nothing is written. Raises ManifestRefused
    naming the member."""
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
    """First bytes of every small file, and of the first file, which name the flow cell: not 64 KiB
    of each file of a tar with thousands."""
    small = contents.sizes[name] <= SMALL
    return chunk[:ENOUGH] if small or not contents.heads else b""


def unpack(head: Head, lying: dict[str, str], claimed: Claim, raw: Objects) -> None:
    """Write the members that the manifest names and that do not exist yet. Raises ManifestRefused
    when another file arrived under the same key; faults of the tar as `look_at`."""
    run_id = claimed.manifest.run_id
    files = {file.path: file for file in claimed.manifest.files}
    with opened(head, raw) as tar:
        for member in tar:
            file = files.get(lying.get(member.name, ""))
            if file is None or not member.isfile():
                continue
            key = s3_keys.raw_key(run_id, file.lies_at)
            if key not in claimed.there:
                part = _Part(chunks(member, tar))
                _deliver(key, cast("IO[bytes]", part), file.sha256 or "", raw)


def _deliver(key: str, content: IO[bytes], sha256: str, raw: Objects) -> None:
    """Write a new object; one that arrived meanwhile must have the same content."""
    try:
        raw.stream_new(key, content, sha256=sha256)
    except AlreadyDone as error:
        if raw.sha256(key) != sha256:
            raise ManifestRefused(
                "another file came there while the tar was unpacked; it stays.",
                file=key,
                remedy="send the run by one door, or name the tar differently.",
            ) from error


def _seal(claimed: Claim, raw: Objects) -> None:
    """Write run.json, in place of the one that was seen at the claim. Unavailable when somebody
    wrote one meanwhile: then the whole tar is retried."""
    key = s3_keys.seal_key(claimed.manifest.run_id)
    content = claimed.manifest.canonical_json().encode()
    try:
        if claimed.seal is None:
            raw.put_new(key, content)
        else:
            raw.put_if_match(key, content, claimed.seal.etag)
    except (AlreadyDone, Conflict) as error:
        raise Unavailable("the run was sealed meanwhile.", file=key) from error


class _Part:
    """One member as a readable file, hashed while it is read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self.digest.update(chunk)
            parts.append(chunk)
            have += len(chunk)
        content = b"".join(parts)
        taken = content if size < 0 else content[:size]
        self._rest = content[len(taken) :]
        return taken


def _quarantine(key: str, refusal: PorewatchError, raw: Objects) -> None:
    """Move the whole tar, with the reason beside it."""
    target = s3_keys.quarantine_key(key)
    raw.put(f"{target}.reason.txt", f"{refusal}\n".encode(), "text/plain; charset=utf-8")
    try:
        raw.move(key, target)
    except Conflict:
        _log.info("%s was moved already", key)
