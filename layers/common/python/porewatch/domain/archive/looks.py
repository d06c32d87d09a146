"""What the archiver is asked to look at: one message of its queue. Each may come twice, late and in
any order, because a look reads everything at the time of acting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from porewatch.domain.archive.artefact import Artefact
from porewatch.domain.base import Model
from porewatch.domain.people.roles import UserId
from porewatch.domain.runs import RunId


class LookAtRun(Model):
    """All artefacts of a run: what is to be archived, brought back or deleted."""

    look: Literal["run"] = "run"
    run_id: RunId


class LookAtUser(Model):
    """Everything of a user that is not hot: his tier may be another now."""

    look: Literal["user"] = "user"
    user_id: UserId


class LookAtArtefact(Model):
    """One artefact, as far as it goes now."""

    look: Literal["artefact"] = "artefact"
    artefact: Artefact


Look = Annotated[LookAtRun | LookAtUser | LookAtArtefact, Field(discriminator="look")]
LOOK: TypeAdapter[Look] = TypeAdapter(Look)
