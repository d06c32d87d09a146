"""Send the parts of a file by links, see which have arrived, complete the file or give it up."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import islice

from porewatch.domain.errors import Conflict, InputRefused, NotFound
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action
from porewatch.domain.submission.part_plan import PartPlan, checksum_header, refuse_other_parts
from porewatch.domain.submission.run_uploads import UPLOAD_ID, Upload, UploadState
from porewatch.domain.submission.upload_answers import (
    Completed,
    PartHere,
    PartLink,
    PartLinks,
    PartsToSend,
    PartToSend,
    UploadList,
    UploadView,
)
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.uploads.declare_files import begin
from porewatch.usecases.uploads.upload_context import UploadContext, key_of, may_upload

SLACK = timedelta(seconds=2)
"""S3 dates objects by whole seconds, and by a clock of its own."""
PAGE = 500
"""Uploads in one answer."""
MOST_READ = 5_000
"""Uploads that are read for one answer, whatever their state."""


def list_uploads(
    run_id: str,
    who: Principal,
    context: UploadContext,
    *,
    state: str | None = None,
    cursor: str | None = None,
) -> UploadList:
    """Uploads of the run, in order of their ids. A page may have fewer than `PAGE`, and none, while
    `next` says that there are more: at most `MOST_READ` are read for it. Raises as `reach_run`;
    InputRefused for an unknown state or cursor."""
    reach_run(run_id, who, Action.SEE, runs=context.runs)
    if state is not None and state not in set(UploadState):
        raise InputRefused(
            f"there is no state {state[:40]!r}.", remedy=f"use one of {', '.join(UploadState)}."
        )
    if cursor is not None and not re.fullmatch(UPLOAD_ID, cursor):
        raise InputRefused("there is no such cursor.", remedy="use `next` of the page before.")
    submission = context.uploads.submission(run_id)
    shown, last, read = [], None, 0
    following = context.uploads.past(run_id, cursor or "", PAGE)
    for read, upload in enumerate(islice(following, MOST_READ), 1):  # noqa: B007
        last = upload.upload_id
        if state in (None, upload.state):
            shown.append(_view(upload))
        if len(shown) == PAGE:
            break
    return UploadList(
        run_id=run_id,
        uploads=tuple(shown),
        files=submission.files,
        bytes=submission.bytes,
        next=last if len(shown) == PAGE or read == MOST_READ else None,
    )


def show_upload(run_id: str, upload_id: str, who: Principal, context: UploadContext) -> UploadView:
    """One upload with the parts that have arrived: a client goes on from there."""
    reach_run(run_id, who, Action.SEE, runs=context.runs)
    upload = context.uploads.find(run_id, upload_id)
    parts = (
        context.parts.parts(key_of(upload), upload.s3_upload)
        if upload.state is UploadState.OPEN and upload.s3_upload
        else []
    )
    here = tuple(PartHere(number=p.number, size=p.size, etag=p.etag) for p in parts)
    return _view(upload).model_copy(update={"arrived": here})


def link_parts(
    run_id: str, upload_id: str, order: PartsToSend, who: Principal, context: UploadContext
) -> PartLinks:
    """Links to PUT parts at. Raises as `may_upload`; Conflict when the upload is over; InputRefused
    for parts that it does not have, or that lack their checksum; TierRefused when the tier of who
    registered the run allows less than the run has, as after a downgrade."""
    record = may_upload(run_id, who, context)
    submission = context.uploads.submission(run_id)
    context.admission.refuse_size(record.submitted_by, submission.stored)
    upload = begin(_open(context.uploads.find(run_id, upload_id)), context)
    return PartLinks(links=tuple(_link(upload, part, context) for part in order.wanted()))


def _link(upload: Upload, part: PartToSend, context: UploadContext) -> PartLink:
    if upload.part_checksums != (part.sha256 is not None):
        needed = "needs" if upload.part_checksums else "takes no"
        raise InputRefused(
            f"part {part.number} {needed} sha256: the file was declared with part_checksums "
            f"{str(upload.part_checksums).lower()}."
        )
    length = upload.plan.length(part.number)
    headers = {"x-amz-checksum-sha256": checksum_header(part.sha256)} if part.sha256 else {}
    url = context.parts.link(
        key_of(upload), upload.s3_upload, part.number, length, sha256=part.sha256
    )
    return PartLink(number=part.number, size=length, url=url, headers=headers)


def complete_upload(
    run_id: str, upload_id: str, who: Principal, context: UploadContext
) -> Completed:
    """The file as it lies in the run now. The parts are those that S3 has: nothing is taken from
    the client. Raises as `may_upload`; Conflict while parts are missing; InputRefused, and the
    upload is over, when they are not the declared file. Completed twice is completed."""
    may_upload(run_id, who, context)
    upload = context.uploads.find(run_id, upload_id)
    if upload.state is not UploadState.DONE:
        upload = _completed(begin(_open(upload), context), context)
    return Completed(
        upload_id=upload.upload_id,
        path=upload.file.path,
        size=upload.file.size,
        state=upload.state,
    )


def _completed(upload: Upload, context: UploadContext) -> Upload:
    key = key_of(upload)
    try:
        parts = context.parts.parts(key, upload.s3_upload)
        refuse_other_parts(upload.plan, parts)
        context.parts.complete(key, upload.s3_upload, parts)
    except NotFound:
        # The answer of an earlier call was lost, or S3 gave the upload up.
        head = context.raw.head(key)
        if head is None or head.size != upload.file.size or head.modified < upload.at - SLACK:
            _moved(upload, UploadState.ENDED, context)
            raise
    except InputRefused:
        context.parts.abort(key, upload.s3_upload)
        _moved(upload, UploadState.ENDED, context)
        raise
    return _moved(upload, UploadState.DONE, context)


def give_up(run_id: str, upload_id: str, who: Principal, context: UploadContext) -> Completed:
    """The upload is over, and its parts, or its file, are gone from the run. Idempotent."""
    may_upload(run_id, who, context)
    upload = context.uploads.find(run_id, upload_id)
    if upload.state is UploadState.OPEN and upload.s3_upload:
        context.parts.abort(key_of(upload), upload.s3_upload)
    if upload.state is UploadState.DONE:
        context.raw.remove(key_of(upload))
    after = _moved(upload, UploadState.ENDED, context)
    return Completed(
        upload_id=upload_id, path=after.file.path, size=after.file.size, state=after.state
    )


def _open(upload: Upload) -> Upload:
    if upload.state is not UploadState.OPEN:
        raise Conflict(
            f"the upload of {upload.file.path!r} is {upload.state.value}.",
            remedy="declare the file again.",
        )
    return upload


def _moved(upload: Upload, state: UploadState, context: UploadContext) -> Upload:
    """Only the upload that was seen moves: another one may have taken its place meanwhile."""

    def rule(before: Upload | None) -> Upload | None:
        if before is None or before.s3_upload != upload.s3_upload:
            return None
        return before.model_copy(update={"state": state})

    _, now = context.uploads.change(upload.run_id, {upload.upload_id: rule})[upload.upload_id]
    return now


def _view(upload: Upload) -> UploadView:
    """What is left out is cut into no parts, and may be larger than any object."""
    plan = upload.plan if upload.stored else PartPlan(upload.file.size, 0, 0)
    return UploadView(
        upload_id=upload.upload_id,
        path=upload.file.path,
        size=plan.size,
        modified=upload.file.modified,
        sha256=upload.file.sha256,
        state=upload.state,
        part_bytes=plan.part_bytes,
        parts=plan.parts,
        part_checksums=upload.part_checksums,
    )
