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
        return self == Counts()


class Deletion(Model):
    """A person deleted the run. `counts`: what was found when it began, and what came after it."""

    by: str
    reason: str
    at: Moment
    was: Annotated[str, Field(description="state of the run before")]
    counts: Counts = Counts()
    done_at: Moment | None = None
    swept_at: Annotated[
        Moment | None, Field(description="when somebody last looked for what came late")
    ] = None

    def sentence(self, run_id: str) -> str:
        """For whoever asks for the run, or sends something for it."""
        who = f" by {self.by}" if self.by else ""
        why = self.reason or "no reason was given"
        how = "was deleted" if self.done_at else "is being deleted"
        return f"run {run_id} {how} ({self.at:%Y-%m-%d %H:%M}Z{who}: {why})."
