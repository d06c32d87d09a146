"""What of a run is not screened, and why: files left out, files lost, files that never came.

These are facts of the manifest. `LeftOut` takes nothing from any sample; a `LostFile` does, and so
do files that MinKNOW counted and that did not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Count, Model

NAMES = 5
"""Names of left-out files that are kept; `files` counts all of them."""


class Why(StrEnum):
    """Why a file is not screened."""

    FAILED = "failed_or_skipped"
    SECOND_COPY = "second_copy"
    EMPTY = "no_reads"
    STRAY = "stray_barcode"
    TABLE = "table_not_read"
    MINKNOW_SHEET = "minknow_sheet"
    INDEX = "index"
    HIDDEN = "hidden"
    LEFTOVER = "leftover"
    UNKNOWN = "not_understood"


SENTENCES: Mapping[Why, str] = {
    Why.FAILED: "left out, because MinKNOW failed or skipped them",
    Why.SECOND_COPY: "left out, because their reads come in another kind",
    Why.EMPTY: "left out, because they hold no reads",
    Why.STRAY: "given to no sample, because no sample has their barcode",
    Why.TABLE: "not read as a sample sheet (name it sample_sheet.csv, or use --sample-sheet)",
    Why.MINKNOW_SHEET: "MinKNOW's own record of the run, which names no samples",
    Why.INDEX: "left out, because indexes hold no reads",
    Why.HIDDEN: "left out, because their owner hides them (nothing below was read)",
    Why.LEFTOVER: "left out, because desktops, editors or broken copies leave them behind",
    Why.UNKNOWN: "left out, because nothing here reads them",
}


class LeftOut(Model):
    """Files that are not screened for one reason."""

    why: Annotated[Why, Field(description="Why they are not screened.")]
    files: Annotated[Count, Field(ge=1, description="How many there are.")]
    names: Annotated[tuple[str, ...], Field(description="The first of them.")] = ()

    def sentence(self) -> str:
        """For people; the names only where they help to act."""
        summary = f"{SENTENCES[self.why]}: {self.files} files"
        if self.why in (Why.FAILED, Why.SECOND_COPY, Why.INDEX):
            return summary
        more = ", ..." if self.files > len(self.names) else ""
        return f"{summary} ({', '.join(self.names)}{more})"


class LostFile(Model):
    """A file whose reads were sequenced and cannot be screened. `barcode` None: any sample's."""

    path: str
    problem: Annotated[str, Field(description="What is wrong with it.")]
    barcode: str | None = None


class Expected(Model):
    """Files of one kind. MinKNOW counts its failed files as well, and does not say how many those
    are: `failed` of them came and were set aside."""

    kind: Annotated[str, Field(description="What the files hold: fastq, bam or pod5.")]
    counted: Annotated[Count, Field(description="Files by the count of MinKNOW, failed ones too.")]
    came: Annotated[Count, Field(description="Files that came: sound, damaged, failed or empty.")]
    failed: Annotated[Count, Field(description="Failed ones of those that came.")] = 0

    @property
    def missing(self) -> int:
        return max(0, self.counted - self.came)


def left_out(found: Mapping[Why, Iterable[str]]) -> tuple[LeftOut, ...]:
    """One LeftOut a reason, in the order of the reasons, names sorted."""
    listed = {why: sorted(found.get(why, ())) for why in Why}
    return tuple(
        LeftOut(why=why, files=len(names), names=tuple(names[:NAMES]))
        for why, names in listed.items()
        if names
    )


def with_more(left_out: Iterable[LeftOut], why: Why, names: Iterable[str]) -> tuple[LeftOut, ...]:
    """`left_out`, with `names` added for the reason `why`."""
    more = sorted(names)
    if not more:
        return tuple(left_out)
    by_why = {found.why: found for found in left_out}
    before = by_why.get(why)
    by_why[why] = LeftOut(
        why=why,
        files=len(more) + (before.files if before else 0),
        names=(*(before.names if before else ()), *more)[:NAMES],
    )
    return tuple(by_why[each] for each in Why if each in by_why)
