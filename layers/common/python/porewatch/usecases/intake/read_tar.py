"""Read an untrusted tar as a stream: bounded headers, printable names, one kind of error.

tarfile trusts headers: it reads a name of gigabytes whole, follows extended headers until the stack
overflows, and keeps names that are not text. So each header is checked before tarfile follows it,
and whatever tarfile raises counts as a defect of the tar.
"""

from __future__ import annotations

import tarfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn, Self, cast

from porewatch.domain.bounds import MOST_EXTENDED, MOST_EXTENDED_IN_A_ROW
from porewatch.domain.errors import ManifestRefused, PorewatchError, Unavailable

if TYPE_CHECKING:
    from porewatch.adapters.objects import Head, Objects

CHUNK = 1 << 20
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


_AGAIN = "make the tar with `tar -cf` and send it again."


class BoundedTar(tarfile.TarFile):
    """A tar of `most` bytes. Counts consecutive extended headers."""

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        self.most, self.in_a_row = most, 0
        super().__init__(*args, **kwargs)


class Member(tarfile.TarInfo):
    """A header that is checked against the limits; its name in NFC."""

    def _proc_member(self, tar: BoundedTar) -> Self:
        if self.type in _EXTENDED:
            tar.in_a_row += 1
            if self.size > MOST_EXTENDED or tar.in_a_row > MOST_EXTENDED_IN_A_ROW:
                what = f"{self.size:,} bytes" if self.size > MOST_EXTENDED else "others before it"
                raise ManifestRefused(
                    f"an extended header of the tar has {what}: no tool writes that.",
                    remedy=_AGAIN,
                )
        elif self.type == tarfile.GNUTYPE_SPARSE:
            self._sparse()
        self._refuse_size(tar)
        found: Self = super()._proc_member(tar)  # type: ignore[misc]
        found._refuse_size(tar)
        if "size" in tar.pax_headers:
            raise ManifestRefused(
                "the tar gives all its files one size: no tool writes that.", remedy=_AGAIN
            )
        tar.in_a_row = 0
        found.name = _readable(found.name)
        return found

    def _refuse_size(self, tar: BoundedTar) -> None:
        """Called before tarfile follows the header, and again on what an extended header made of
        it: tarfile skips as many bytes as the header declares, whether they exist or not."""
        if not 0 <= self.size <= tar.most:
            raise ManifestRefused(
                f"declares {self.size:,} bytes; the tar has {tar.most:,}.",
                file=self.name.encode("utf-8", "backslashreplace").decode()[:200],
                remedy=_AGAIN,
            )

    def _sparse(self, *_: Any) -> NoReturn:
        raise ManifestRefused(
            "is a sparse file.",
            file=self.name,
            remedy="put only ordinary files into the tar (without --sparse).",
        )

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _sparse


def _readable(name: str) -> str:
    """In NFC. Raises ManifestRefused for a name that is not UTF-8: its encoding cannot be known,
    and a guess would be another name."""
    try:
        name.encode()
    except UnicodeEncodeError as e:
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise ManifestRefused(
            "the name is not UTF-8 text.",
            file=shown[:200],
            remedy="make the tar with a tool that writes UTF-8 names (tar, 7-Zip), or use letters, "
            "digits, '.', '_' and '-'.",
        ) from e
    return unicodedata.normalize("NFC", name)


@contextmanager
def opened(head: Head, raw: Objects) -> Iterator[tarfile.TarFile]:
    """The tar as a stream. An unreadable tar is refused; a failed transfer from S3 is not."""
    stream = _Patient(raw.stream(head.key), head.key)
    try:
        with BoundedTar.open(  # type: ignore[call-overload]  # `most` is our own
            fileobj=cast("IO[bytes]", stream),
            mode="r|",
            tarinfo=Member,
            encoding="utf-8",
            errors="surrogateescape",
            most=head.size,
        ) as tar:
            yield tar
            stream.drain()
    except PorewatchError:
        raise
    except Exception as e:  # the parser is the boundary: the tar made it raise
        reason = str(e) or type(e).__name__
        raise ManifestRefused(
            f"this is not a plain tar, or it is cut short ({reason[:200]}).",
            file=head.key,
            remedy="make it with `tar -cf` (without -z) and send it again.",
        ) from e
    finally:
        stream.close()
    if any(stream.tail):
        raise ManifestRefused(
            "the tar ends without its end mark: it is cut short.",
            file=head.key,
            remedy="send it again, whole.",
        )


def chunks(member: tarfile.TarInfo, tar: tarfile.TarFile) -> Iterator[bytes]:
    """The content of a member, a megabyte at a time."""
    content = tar.extractfile(member)
    while content is not None and (chunk := content.read(CHUNK)):
        yield chunk


class _Patient:
    """A stream from S3: a broken transfer is Unavailable, so that no valid tar is refused for
    it."""

    def __init__(self, stream: IO[bytes], key: str) -> None:
        self._stream = stream
        self._key = key
        self.tail = b""

    def read(self, size: int) -> bytes:
        try:
            chunk = self._stream.read(size)
        except PorewatchError:
            raise
        except Exception as e:  # a network error is not the tar's fault
            raise Unavailable(f"the transfer broke: {e}", file=self._key) from e
        self.tail = (self.tail + chunk)[-512:]
        return chunk

    def close(self) -> None:
        """Release the connection, also when the stream was not read to its end."""
        self._stream.close()

    def drain(self) -> None:
        while self.read(CHUNK):
            pass
