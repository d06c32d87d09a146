"""Do what a message of the archiver's queue asks for."""

from __future__ import annotations

from porewatch.domain.archive.looks import Look, LookAtArtefact, LookAtRun, LookAtUser
from porewatch.usecases.archive.archive_context import ArchiveContext
from porewatch.usecases.archive.look_at_artefact import look_at_artefact
from porewatch.usecases.archive.look_at_run import Ages, look_at_run
from porewatch.usecases.archive.look_at_user import look_at_user


def take_look(look: Look, context: ArchiveContext, ages: Ages) -> None:
    """Idempotent; ArchiveStuck for an artefact that failed often."""
    match look:
        case LookAtRun():
            look_at_run(look.run_id, context, ages)
        case LookAtUser():
            look_at_user(look.user_id, context)
        case LookAtArtefact():
            look_at_artefact(look.artefact, context)
