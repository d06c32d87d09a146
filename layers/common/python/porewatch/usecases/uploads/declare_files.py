"""Say where files go before a byte of them is sent; find the open upload of a file again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from porewatch.domain.errors import InputRefused, NotFound, Refused
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.people.principal import Principal
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.submission.placing import SHEET, Place, place
from porewatch.domain.submission.run_uploads import (
    FileToSend,
    Submission,
    Upload,
    UploadState,
    refuse_mixed,
    refuse_over_quota,
    upload_id_of,
)
from porewatch.domain.submission.upload_answers import (
    FileAnswer,
    FileAnswers,
    FilesToSend,
    PartLink,
)
from porewatch.usecases.uploads.upload_context import UploadContext, key_of, may_upload

AT_ONCE = 8
"""Uploads that are begun in S3 side by side."""


class _Declared(NamedTuple):
    place: Place
    upload: Upload


def declare_files(
    run_id: str, order: FilesToSend, who: Principal, context: UploadContext
) -> FileAnswers:
    """One answer for each file: taken, left out or refused. A file that was declared before goes on
    where it was; another one of the same path takes its place. Raises as `may_upload`; InputRefused
    for more than the project allows, a tar beside files, and a path that is named twice;
    TierRefused for more than the tier of who registered the run allows."""
    record = may_upload(run_id, who, context)
    submission = context.uploads.submission(run_id)
    signed = {
        "part_checksums": order.part_checksums,
        "by": who.user_id or who.name,
        "at": context.clock(),
    }
    refused: dict[int, Refused] = {}
    wanted: dict[int, _Declared] = {}
    for number, file in enumerate(order.files):
        try:
            found = _place(file, submission)
            wanted[number] = _Declared(found, _upload(run_id, file, found, signed))
        except Refused as refusal:
            refused[number] = refusal
    now = _kept(record, [one.upload for one in wanted.values()], context)
    return FileAnswers(
        files=tuple(
            _refusal(file, refused[number])
            if number in refused
            else _answer(wanted[number], now, context)
            for number, file in enumerate(order.files)
        )
    )


def _place(file: FileToSend, submission: Submission) -> Place:
    found = place(file.path, file.size, submission.asked.options)
    if found.path == SHEET and submission.sheet_kept:
        return Place(
            found.path,
            "",
            Treatment.LEFT_OUT,
            "the run has a sample sheet that was put, which goes before this file.",
            "correct that one.",
        )
    if found.verdict is Treatment.REFUSED:
        raise InputRefused(found.problem, file=found.path, remedy=found.remedy or None)
    return found


def _upload(run_id: str, file: FileToSend, found: Place, signed: dict[str, Any]) -> Upload:
    return Upload(
        upload_id=upload_id_of(found.path),
        run_id=run_id,
        file=file.model_copy(update={"path": found.path}),
        stored=found.stored,
        state=UploadState.OPEN if found.stored else UploadState.LEFT_OUT,
        **signed,
    )


def _kept(
    record: RunRecord, uploads: Sequence[Upload], context: UploadContext
) -> dict[str, Upload]:
    """The uploads as they are now, each begun in S3."""
    fresh = {upload.upload_id: upload for upload in uploads}
    if len(fresh) < len(uploads):
        raise InputRefused("a path is named twice.", remedy="name each file once.")

    def check(submission: Submission) -> None:
        refuse_over_quota(submission)
        context.admission.refuse_size(record.submitted_by, submission.stored)
        refuse_mixed(submission)

    changed = context.uploads.change(
        record.run_id, {upload_id: _rule(upload) for upload_id, upload in fresh.items()}, check
    )
    for was, now in changed.values():
        if was is not None and was.s3_upload and now.s3_upload != was.s3_upload:
            context.parts.abort(key_of(was), was.s3_upload)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = pool.map(
            lambda pair: begin(_alive(pair[0], pair[1], context), context), changed.values()
        )
        return {upload.upload_id: upload for upload in begun}


def _rule(fresh: Upload) -> Callable[[Upload | None], Upload | None]:
    def rule(before: Upload | None) -> Upload | None:
        if before is None or before.state is UploadState.ENDED or not before.same_file(fresh):
            return fresh
        return None

    return rule


def _alive(was: Upload | None, now: Upload, context: UploadContext) -> Upload:
    """The upload; without S3's id when that was given up, by its lifecycle rule or by somebody."""
    if was is None or now.state is not UploadState.OPEN or not now.s3_upload:
        return now
    try:
        context.parts.parts(key_of(now), now.s3_upload)
    except NotFound:
        return _forgotten(now, context)
    return now


def _forgotten(upload: Upload, context: UploadContext) -> Upload:
    def rule(before: Upload | None) -> Upload | None:
        if before is None or before.s3_upload != upload.s3_upload:
            return None
        return before.model_copy(update={"s3_upload": ""})

    _, now = context.uploads.change(upload.run_id, {upload.upload_id: rule})[upload.upload_id]
    return now


def begin(upload: Upload, context: UploadContext) -> Upload:
    """The upload with S3's id of it. Of two who begin it at once one is first, and both use his."""
    if upload.state is not UploadState.OPEN or upload.s3_upload:
        return upload
    key = key_of(upload)
    mine = context.parts.begin(key, sha256=upload.file.sha256, part_checksums=upload.part_checksums)

    def rule(before: Upload | None) -> Upload | None:
        if before is None or before.s3_upload or before.state is not UploadState.OPEN:
            return None
        return before.model_copy(update={"s3_upload": mine})

    _, now = context.uploads.change(upload.run_id, {upload.upload_id: rule})[upload.upload_id]
    if now.s3_upload != mine:
        context.parts.abort(key, mine)
    return now


def _answer(declared: _Declared, now: Mapping[str, Upload], context: UploadContext) -> FileAnswer:
    found, fresh = declared
    if not found.stored:
        return FileAnswer(
            path=found.path, verdict="left_out", problem=found.problem, remedy=found.remedy
        )
    upload = now[fresh.upload_id]
    plan = upload.plan
    return FileAnswer(
        path=found.path,
        verdict="taken",
        upload_id=upload.upload_id,
        state=upload.state,
        size=plan.size,
        part_bytes=plan.part_bytes,
        parts=plan.parts,
        part_checksums=upload.part_checksums,
        links=_first_link(upload, context),
    )


def _first_link(upload: Upload, context: UploadContext) -> tuple[PartLink, ...]:
    """A small file, as most are, needs no second request for its link."""
    if upload.state is not UploadState.OPEN or upload.plan.parts > 1 or upload.part_checksums:
        return ()
    url = context.parts.link(key_of(upload), upload.s3_upload, 1, upload.plan.length(1))
    return (PartLink(number=1, size=upload.plan.length(1), url=url),)


def _refusal(file: FileToSend, refusal: Refused) -> FileAnswer:
    return FileAnswer(
        path=file.path[:500],
        verdict="refused",
        code=refusal.code,
        problem=refusal.problem,
        remedy=refusal.remedy or "",
    )
