"""The raw bytes of a file on their way through: counted, hashed, and looked at from both ends."""

from __future__ import annotations

import hashlib
from typing import Protocol

TAIL = 64


class ByteStream(Protocol):
    """Anything that gives bytes in order: a file, an S3 body, a pipe."""

    def read(self, size: int, /) -> bytes: ...


class RawBytes:
    """Reads a stream once, keeping its size, sha256 and last bytes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._ahead = b""
        self._hash = hashlib.sha256()
        self.size = 0
        self.tail = b""

    def peek(self, size: int) -> bytes:
        """The next `size` bytes (fewer at the end), which the next read gives again."""
        while len(self._ahead) < size and (more := self._pull(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; empty at the end."""
        if size < 0:
            raise ValueError("reading everything at once is not what streams are for")
        if self._ahead:
            taken, self._ahead = self._ahead[:size], self._ahead[size:]
            return taken
        return self._pull(size)

    def readinto(self, buffer: memoryview) -> int:
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)

    def drain(self) -> None:
        """Read to the end, so that size and digest cover the whole file."""
        while self.read(1 << 20):
            pass

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def _pull(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._hash.update(chunk)
        self.size += len(chunk)
        if chunk:
            self.tail = (self.tail + chunk[-TAIL:])[-TAIL:]
        return chunk
