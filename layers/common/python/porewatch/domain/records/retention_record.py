"""What a run's record says about its legal holds and its deletion."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment


class Release(Model):
    """Who ended a hold, and why."""

    by: str
    reason: str
    at: Moment


class Reached(Model):
    """Cursor of a pass over all objects of a run, from which the pass resumes."""

    begun: Annotated[Moment, Field(description="when the pass began")]
    folder: Annotated[str, Field(description="bucket and folder; those before it are done")]
    key: Annotated[str, Field(description="the last object of it that the pass came to")]

    def passed(self, folder: str, key: str) -> bool:
        """Whether the pass had come to that object of its last folder."""
        return folder == self.folder and key <= self.key


class Hold(Model):
    """A person forbids that anything of the run is deleted, by anybody."""

    by: str
    reason: str
    at: Moment
    covered_to: Annotated[
        Moment | None,
        Field(description="objects written before this are locked in S3; None: not all of them"),
    ] = None
    released: Annotated[
        Release | None, Field(description="the run is held until every object is unlocked, too")
    ] = None
    reached: Annotated[
        Reached | None, Field(description="how far objects are locked, or unlocked")
    ] = None


class Counts(Model):
    """How much: object versions (delete markers among them), their bytes, items of the ledger, rows
    of the registry."""

    versions: Annotated[int, Field(ge=0)] = 0
    bytes: Annotated[int, Field(ge=0)] = 0
    items: Annotated[int, Field(ge=0)] = 0
    rows: Annotated[int, Field(ge=0)] = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(
            versions=self.versions + other.versions,
            bytes=self.bytes + other.bytes,
            items=self.items + other.items,
            rows=self.rows + other.rows,
        )

    @property
    def nothing(self) -> bool:
        """Whether all are 0."""
        return self == Counts()


class Deletion(Model):
    """A person deleted the run. `counts`: what has gone so far, with what is going just now."""

    by: str
    reason: str
    at: Moment
    was: Annotated[str, Field(description="state of the run before")]
    counts: Counts = Counts()
    reached: Annotated[
        Reached | None,
        Field(description="how far is counted: nothing is counted twice when a call dies"),
    ] = None
    done_at: Moment | None = None
    swept_at: Annotated[
        Moment | None, Field(description="last sweep for objects that arrived late")
    ] = None

    def sentence(self, run_id: str) -> str:
        """The answer to requests about the run, and to uploads for it."""
        who = f" by {self.by}" if self.by else ""
        why = self.reason or "no reason was given"
        how = "was deleted" if self.done_at else "is being deleted"
        return f"run {run_id} {how} ({self.at:%Y-%m-%d %H:%M}Z{who}: {why})."
