"""What a bundle (a tar of one run) may hold, and the manifest it seals. Pure.

Order: `refuse_member` looks at one header before any byte of it is read -> `refuse_bomb` at the
first bytes of a gzip -> `Contents` gathers what was found -> `manifest_of` decides the run.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from porewatch.domain.errors import ManifestRefused, MessageRefused
from porewatch.domain.runs import RUN_ID_PATTERN, InputFile, RunManifest
from porewatch.domain.sample_sheet import parse_sample_sheet
from porewatch.domain.sealing import (
    Member,
    input_file,
    one_kind,
    parse_final_summary,
    parse_manifest,
    run_path,
    seal,
)

MOST_MEMBERS = 5_000
MOST_BYTES = 20 * 2**30
"""Bytes of a tar. One function reads it twice and copies it once, within 15 minutes."""
MOST_TEXT = 5 * 2**20
"""Bytes of a manifest, sample sheet or summary."""
MOST_GZIP_RATIO = 200
"""Reads compress 2 to 5 times, repeats of one base perhaps 50; bombs about 1000."""
GZIP_HEAD = 64 * 1024

INBOX = re.compile(r"inbox/(?:.*/)?([^/]+)\.tar$")
ASKED = {"bundle": "bundle", "layout": "profile", "release-policy": "release_policy"}
"""What a folder of the inbox may ask for (`release-policy=donor-screening/`) -> the manifest's
field: a tar has no other place for it, and its key says it to everybody who looks."""


@dataclass
class Contents:
    """What one pass over the tar found. `reads`: member name -> file of the run."""

    reads: dict[str, InputFile] = field(default_factory=dict)
    texts: dict[Member, tuple[str, bytes]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def run_id_of(key: str) -> str:
    """`inbox/run-1.tar` -> `run-1`. Raises MessageRefused for a name that is no run id."""
    found = INBOX.match(key)
    if found and re.match(RUN_ID_PATTERN, found[1]):
        return found[1]
    raise MessageRefused(
        f"{found[1] if found else key!r} is not a run id.",
        file=key,
        remedy="name the tar by 1 to 63 letters, digits, '-' or '_', first a letter or digit.",
    )


def inbox_key(name: str, asked: Mapping[str, str]) -> str:
    """Where a tar goes. `asked`: names of `ASKED` and their values. Raises Refused for what a key
    cannot carry: it would be read as something else (`a/b` as `a`).

    >>> inbox_key("run-1", {"release-policy": "donor-screening"})
    'inbox/release-policy=donor-screening/run-1.tar'
    """
    folders = [f"{what}={asked[what]}" for what in sorted(asked)]
    key = "/".join(["inbox", *folders, f"{name}.tar"])
    meant = {ASKED[what]: value for what, value in asked.items()}
    if (run_id_of(key), asked_by(key)) != (name, meant):
        raise _no(key, "would not be read as it was asked for.", "leave '/' out of the options.")
    return key


def asked_by(key: str) -> dict[str, str]:
    """Field of the manifest -> its value, as the folders of the key say. Raises ManifestRefused for
    what cannot be asked: a misspelt policy must not be a lax one."""
    asked: dict[str, str] = {}
    for folder in PurePosixPath(key).parts[1:-1]:
        what, told, value = folder.partition("=")
        if told and (what not in ASKED or not value or ASKED[what] in asked):
            known = ", ".join(f"{name}=..." for name in ASKED)
            raise _no(key, f"lies in a folder {folder!r}.", f"use {known}, each once.")
        if told:
            asked[ASKED[what]] = value
    return asked


def refuse_size(key: str, size: int) -> None:
    """Raises ManifestRefused for a tar of more bytes than can be unpacked in time."""
    if size > MOST_BYTES:
        told = f"has {size / 2**30:.1f} GiB; a tar may have {MOST_BYTES // 2**30}."
        raise _no(key, told, "send the folder by `porewatch submit`, which has no such limit.")


def refuse_member(member: tarfile.TarInfo, number: int, total: int, *, size: int) -> None:
    """Raises ManifestRefused for a header that must not be followed.

    `number` counts members, `total` their declared bytes so far, `size` = bytes of the whole tar.
    """
    name = member.name
    if number > MOST_MEMBERS:
        raise _no(name, f"is the {number}th member; {MOST_MEMBERS} may be.", "join small files.")
    if name.startswith(("/", "~")) or "\\" in name or re.match(r"[A-Za-z]:", name):
        raise _no(name, "has an absolute path.", "make the tar inside the run's folder.")
    if ".." in PurePosixPath(name).parts:
        raise _no(name, "leaves its folder.", "make the tar inside the run's folder.")
    if not name.isprintable() or len(name) > 500:
        raise _no(name[:80], "has an odd name.", "use letters, digits, '.', '_' and '-'.")
    if member.isdir():
        return
    if member.issym() or member.islnk():
        raise _no(name, "is a link.", "make the tar with --dereference, so that files are in it.")
    if not member.isfile() or member.issparse():
        raise _no(name, "is not an ordinary file.", "put only files and folders into the tar.")
    if total > size:
        raise _no(name, "declares more bytes than the tar has.", "make the tar again.")


def refuse_bomb(name: str, head: bytes) -> None:
    """Raises ManifestRefused when the first bytes of a gzip unpack to absurdly much."""
    if not head.startswith(b"\x1f\x8b"):
        return
    most = MOST_GZIP_RATIO * len(head)
    try:
        unpacked = zlib.decompressobj(31).decompress(head, most + 1)
    except zlib.error:
        return  # damaged: the validator says where
    if len(unpacked) > most:
        raise _no(name, f"unpacks to more than {MOST_GZIP_RATIO} times its size.", "send reads.")


def manifest_of(
    contents: Contents, *, run_id: str, created_at: datetime, asked: Mapping[str, str]
) -> RunManifest:
    """The manifest in the tar, compared with what is there and `asked`; or one made by sealing."""
    if Member.MANIFEST in contents.texts:
        return _own_manifest(contents, asked)
    samples, sequencing = None, None
    if Member.SHEET in contents.texts:
        name, text = contents.texts[Member.SHEET]
        samples = parse_sample_sheet(text, file=name)
    if Member.SUMMARY in contents.texts:
        name, text = contents.texts[Member.SUMMARY]
        sequencing = parse_final_summary(text, file=name).sequencing()
    return seal(
        one_kind(contents.reads.values()),
        run_id=run_id,
        created_at=created_at,
        created_by="bundle",
        samples=samples,
        sequencing=sequencing,
        profile=asked.get("profile", "default"),
        bundle=asked.get("bundle"),
        release_policy=asked.get("release_policy", "default"),
    )


def file_of(name: str, size: int, sha256: str, others: Iterable[InputFile]) -> InputFile:
    """The run's file that a member becomes. Raises Refused for what is no reads, or a double."""
    file = input_file(run_path(name), size, sha256)
    if any(other.path == file.path for other in others):
        raise _no(name, f"would be a second {file.path}.", "give every file a name of its own.")
    return file


def _own_manifest(contents: Contents, asked: Mapping[str, str]) -> RunManifest:
    manifest = parse_manifest(contents.texts[Member.MANIFEST][1])
    for name, wanted in asked.items():
        if (told := getattr(manifest, name)) != wanted:
            problem = f"says {name} {told}, and the tar was sent with {wanted}."
            raise _no("run.json", problem, "say it in one place only: leave the option away.")
    here = {file.path: file for file in contents.reads.values()}
    for file in manifest.files:
        found = here.pop(file.path, None)
        if found is None:
            raise _no(file.path, "is in run.json, but not in the tar.", "put it in, or seal anew.")
        if found.size != file.size or (file.sha256 and file.sha256 != found.sha256):
            raise _no(file.path, "is not the file that run.json means.", "make the tar again.")
    if here:
        raise _no(min(here), "is in the tar, but not in run.json.", "leave it out, or seal anew.")
    return manifest.model_copy(update={"created_by": "bundle"})


def _no(name: str, problem: str, remedy: str) -> ManifestRefused:
    return ManifestRefused(problem, file=name, remedy=remedy)
