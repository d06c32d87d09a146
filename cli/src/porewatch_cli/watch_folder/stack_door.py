"""A stack as the door: the keys and the seal of `porewatch submit`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    TokenRetrievalError,
)

from porewatch.domain import s3_keys
from porewatch.domain.errors import Unavailable
from porewatch.domain.runs import ReadLimits
from porewatch.reads.checked import Check
from porewatch.reads.folder import Folder
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit.submission import Submission
from porewatch_cli.submit.submit import refuse_choices, submit
from porewatch_cli.submit.upload import Upload, send
from porewatch_cli.watch_folder.places import Watched, run_id_of

BUSY = frozenset({429, 500, 502, 503, 504})
TEMPORARY = frozenset(
    {
        "RequestTimeout",
        "RequestTimeTooSkewed",  # this machine's clock is wrong for the moment
        "RequestExpired",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
    }
)


class Where(NamedTuple):
    """The stack, as the command line names it."""

    stack: str | None
    profile: str | None
    region: str | None


def stack_door(
    watched: Watched,
    where: Where,
    run_id: str | None,
    read_limits: ReadLimits | None,
    options: dict[str, str | None],
) -> StackDoor:
    """Nothing is asked yet."""
    run = run_id or run_id_of(watched.path)
    stack = where.stack or os.environ.get("POREWATCH_STACK") or "porewatch"
    return StackDoor(
        path=watched.path,
        name=f"stack {stack} run {run}",
        find=lambda: find_stack(where.stack, profile=where.profile, region=where.region),
        run_id=run,
        sheet=watched.sheet,
        lab=watched.lab,
        read_limits=read_limits,
        options=options,
    )


@dataclass
class StackDoor:
    """`find`: the stack, which is asked for when it is needed, for after a reboot the network may
    not be there. `options`: of `submit`."""

    path: Path
    name: str
    find: Callable[[], Stack]
    run_id: str
    sheet: Path | None = None
    lab: Path | None = None
    read_limits: ReadLimits | None = None
    options: dict[str, str | None] = field(default_factory=dict)

    @cached_property
    def stack(self) -> Stack:
        return self.find()

    def begin(self) -> str:
        with answering():
            refuse_choices(
                self.stack,
                run_id=self.run_id,
                profile=self.options.get("profile"),
                bundle=self.options.get("bundle"),
                release_policy=self.options.get("release_policy"),
            )
        return self.run_id

    def place(self, name: str, folder: Folder) -> str:
        return folder.understood.reads[name]

    def send(self, name: str, source: Path, place: str, sha256: str) -> bool:
        with answering():
            key = s3_keys.raw_key(self.run_id, place)
            upload = Upload(source, self.stack.output("RawBucketName"), key, sha256)
            return send(upload, s3=self.stack.s3, advance=lambda _bytes: None)

    def seal(self, check: Check) -> Submission:
        with answering():
            return submit(
                self.path,
                stack=self.stack,
                run_id=self.run_id,
                sample_sheet=self.sheet,
                lab=self.lab,
                read_limits=self.read_limits,
                quiet=True,
                check=check,
                seal_again=False,
                profile=self.options.get("profile"),
                bundle=self.options.get("bundle"),
                release_policy=self.options.get("release_policy"),
            )


@contextmanager
def answering() -> Iterator[None]:
    """What is temporary of AWS and of the network, as Unavailable."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        if status in BUSY or error.response["Error"].get("Code") in TEMPORARY:
            raise _unavailable(error) from error
        raise
    except (
        ConnectionError,
        CredentialRetrievalError,
        HTTPClientError,
        TokenRetrievalError,
    ) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(
        f"AWS does not answer: {str(error).rstrip('.')}.",
        remedy="nothing, if the network comes back by itself; else check it.",
    )
