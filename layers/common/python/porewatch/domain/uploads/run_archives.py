"""What a bundle (a tar of one run) may hold, and the manifest it seals. Pure.

Order: `refuse_member` looks at one header before any byte of it is read -> `refuse_bomb` at the
first bytes of a gzip -> `Contents` gathers what was found -> `manifest_of` decides the run.
"""

from __future__ import annotations

import re
import tarfile
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from porewatch.domain.bounds import MOST_GZIP_RATIO
from porewatch.domain.completeness import Why, with_more
from porewatch.domain.errors import LaboratoryRefused, ManifestRefused, MessageRefused
from porewatch.domain.inputs.file_kinds import folders_and_name
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.contents import once
from porewatch.domain.inputs.landing.run_paths import run_paths
from porewatch.domain.inputs.landing.sorting import (
    Door,
    Understood,
    sort_out,
)
from porewatch.domain.labels import plain_blanks
from porewatch.domain.runs import RUN_ID_PATTERN, InputFile, RunManifest
from porewatch.domain.sealing import input_file, parse_manifest, seal

MOST_MEMBERS = 5_000
MOST_BYTES = 20 * 2**30
"""Bytes of a tar. One function reads it twice and copies it once, within 15 minutes."""
LONGEST_PATH = 500
"""Characters of a path in a run."""
GZIP_HEAD = 64 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

INBOX = re.compile(r"inbox/(?:.*/)?([^/]+)\.tar$")
ASKED = {"bundle": "bundle", "layout": "profile", "release-policy": "release_policy"}
"""What a folder of the inbox may ask for (`release-policy=donor-screening/`) -> the manifest's
field: a tar has no other place for it, and its key says it to everybody who looks."""


@dataclass
class Contents:
    """What one pass over the tar found, by member: sizes of all, the texts that a seal is made of,
    first bytes and digests of what may be reads."""

    sizes: dict[str, int] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    heads: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def understood(self) -> Understood:
        """As every other door understands the same files."""
        return sort_out(
            Door(
                sizes=self.sizes, text=self.texts.__getitem__, head=lambda n: self.heads.get(n, b"")
            )
        )


def run_id_of(key: str) -> str:
    """`inbox/run-1.tar` -> `run-1`; a tar in a run's folder is that run's, and an `input.tar` its
    folder's. Raises MessageRefused for a name that is no run id.

    >>> run_id_of('inbox/run-1.tar')
    'run-1'
    """
    folders, name = folders_and_name(key)
    stem = name.removesuffix(".tar")
    plain = [f for f in folders[1:] if "=" not in f] if folders else []
    if folders[:1] == ["runs"] and len(folders) > 1:
        meant = folders[1]  # whatever else the key says: rights end at a prefix of `runs/`
    elif stem == "input" and plain:
        meant = plain[-1]
    elif stem == "input" and folders and folders[0] != "inbox":
        meant = folders[0]
    else:
        meant = stem
    if re.fullmatch(RUN_ID_PATTERN, meant):
        return meant
    raise MessageRefused(
        f"{meant!r} is not a run id.",
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
    what cannot be asked: a misspelt policy must not be a lax one.

    >>> asked_by('inbox/bundle=pig@3/release-policy=donor-screening/run-1.tar')
    {'bundle': 'pig@3', 'release_policy': 'donor-screening'}
    """
    asked: dict[str, str] = {}
    for folder in PurePosixPath(key).parts[1:-1]:
        what, equals, value = folder.partition("=")
        if equals and (what not in ASKED or not value or ASKED[what] in asked):
            known = ", ".join(f"{name}=..." for name in ASKED)
            raise _no(key, f"lies in a folder {folder!r}.", f"use {known}, each once.")
        if equals:
            asked[ASKED[what]] = value
    return asked


def same_run(one: RunManifest, other: RunManifest) -> bool:
    """Whether two manifests ask for the same screening of the same bytes, whenever they were made
    and wherever the files lie."""
    return _essence(one) == _essence(other)


def _essence(manifest: RunManifest) -> RunManifest:
    nowhere = {"at": None, "version": None}
    files = tuple(file.model_copy(update=nowhere) for file in manifest.files)
    nobody = {"created_at": EPOCH, "created_by": "", "files": files}
    return manifest.model_copy(update=nobody)


def beside_the_old(manifest: RunManifest) -> RunManifest:
    """The same, with every file at a place that its content names: nothing that an earlier revision
    reads is ever overwritten."""
    files = tuple(
        file.model_copy(update={"at": f"content/{(file.sha256 or '')[:32]}/{file.path}"})
        for file in manifest.files
    )
    return manifest.model_copy(update={"files": files})


def refuse_size(key: str, size: int) -> None:
    """Raises ManifestRefused for a tar of more bytes than can be unpacked in time."""
    if size > MOST_BYTES:
        problem = f"has {size / 2**30:.1f} GiB; a tar may have {MOST_BYTES // 2**30}."
        raise _no(key, problem, "send the folder by `porewatch submit`, which has no such limit.")


def refuse_member(member: tarfile.TarInfo, number: int, total: int, *, size: int) -> None:
    """Raises ManifestRefused for a header that must not be followed.

    `number` counts members, `total` their declared bytes so far, `size` = bytes of the whole tar.
    """
    name = member.name
    if number > MOST_MEMBERS:
        raise _no(name, f"is the {number}th member; {MOST_MEMBERS} may be.", "join small files.")
    refuse_path(name, "make the tar inside the run's folder.")
    if member.isdir():
        return
    if member.issym() or member.islnk():
        raise _no(name, "is a link.", "make the tar with --dereference, so that files are in it.")
    if not member.isfile() or member.issparse():
        raise _no(name, "is not an ordinary file.", "put only files and folders into the tar.")
    if total > size:
        raise _no(name, "declares more bytes than the tar has.", "make the tar again.")


def refuse_path(name: str, remedy: str) -> None:
    """Raises ManifestRefused for a path that leaves the run's folder, or that nobody can read."""
    if name.startswith(("/", "~")) or "\\" in name or re.match(r"[A-Za-z]:", name):
        raise _no(name, "has an absolute path.", remedy)
    if ".." in PurePosixPath(name).parts:
        raise _no(name, "leaves its folder.", remedy)
    if not plain_blanks(name).isprintable() or len(name) > LONGEST_PATH:
        raise _no(name[:80], "has an odd name.", "use letters, digits, '.', '_' and '-'.")


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
) -> tuple[RunManifest, dict[str, str]]:
    """(manifest, path in the run of every member that goes there). The manifest is the one in the
    tar, compared with what is there and `asked`; or one made by sealing."""
    seals = [name for name in contents.texts if classify(name) is Landed.MANIFEST]
    if len(seals) > 1:
        raise _no(seals[1], f"is a second manifest beside {seals[0]}.", "keep one of them.")
    found = contents.understood()
    if found.manifest is not None:
        manifest, lying = _own_manifest(found.manifest, contents, asked)
        return _with_laboratory(manifest, found), lying
    found.refuse()
    files = [
        input_file(
            place, contents.sizes[name], contents.digests[name], barcode=found.barcodes[name]
        )
        for name, place in found.reads.items()
    ]
    kept, copies, faults = once(files)
    found.refuse(faults)
    manifest = seal(
        kept,
        run_id=run_id,
        created_at=created_at,
        created_by="bundle",
        samples=found.samples,
        sequencing=found.summary.sequencing() if found.summary else None,
        laboratory=found.laboratory,
        profile=asked.get("profile", "default"),
        bundle=asked.get("bundle"),
        release_policy=asked.get("release_policy", "default"),
        left_out=with_more(found.left_out, Why.SECOND_COPY, copies),
    )
    return manifest, found.reads


def _with_laboratory(manifest: RunManifest, found: Understood) -> RunManifest:
    """A lab.toml beside run.json speaks where run.json is silent; two heads are refused."""
    for fault in found.faults:
        if isinstance(fault, LaboratoryRefused):
            raise fault
    if found.laboratory is None or manifest.laboratory == found.laboratory:
        return manifest
    if manifest.laboratory is not None:
        problem = "names another laboratory or client than the lab.toml beside it."
        raise _no("run.json", problem, "leave the lab.toml out, or seal again.")
    return manifest.model_copy(update={"laboratory": found.laboratory})


def _own_manifest(
    name: str, contents: Contents, asked: Mapping[str, str]
) -> tuple[RunManifest, dict[str, str]]:
    manifest = parse_manifest(contents.texts[name])
    for option, asked_value in asked.items():
        if (sealed_value := getattr(manifest, option)) != asked_value:
            problem = f"says {option} {sealed_value}, and the tar was sent with {asked_value}."
            raise _no("run.json", problem, "say it in one place only: leave the option away.")
    members = [member for member in contents.sizes if classify(member) is Landed.READS]
    manifest = manifest.model_copy(update={"files": tuple(map(_in_nfc, manifest.files))})
    lying = run_paths(members)
    if not {file.path for file in manifest.files} <= set(lying.values()):
        lying = run_paths(members, manifest.samples)  # as `porewatch submit` writes paths
    here = {place: member for member, place in lying.items()}
    files = []
    for file in manifest.files:
        member = here.pop(file.path, None)
        if member is None:
            raise _no(file.path, "is in run.json, but not in the tar.", "put it in, or seal again.")
        digest = contents.digests[member]
        if contents.sizes[member] != file.size or (file.sha256 and file.sha256 != digest):
            raise _no(file.path, "is not the file that run.json means.", "make the tar again.")
        files.append(file.model_copy(update={"sha256": digest, "version": None}))
    if here:
        raise _no(min(here), "is in the tar, but not in run.json.", "leave it out, or seal again.")
    return manifest.model_copy(update={"created_by": "bundle", "files": tuple(files)}), lying


def _in_nfc(file: InputFile) -> InputFile:
    """As the names of the tar's members are."""
    return file.model_copy(update={"path": unicodedata.normalize("NFC", file.path)})


def _no(name: str, problem: str, remedy: str) -> ManifestRefused:
    return ManifestRefused(problem, file=name, remedy=remedy)
