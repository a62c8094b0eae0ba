"""A text file as blocks of bytes, unzipped as they come, in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO

from thence.base.errors import DataError
from thence.events.read.chunk import Source

BLOCK_BYTES = 1 << 23
_ZIPPED_BYTES = 1 << 20
_GZIP = 31  # zlib's word for a gzip header and trailer


class Blocks:
    """Iterates over the bytes of a file.

    Args:
        source: the file.
        size: bytes of a block, about.

    ``done`` counts the file's own bytes that were read. ``torn`` says, after the last block, that a gzip
    stream ended early; what was unzipped before its end is yielded. A damaged one raises DataError, because its
    checksum is the only witness that earlier bytes are true.
    """

    def __init__(self, source: Source, size: int = BLOCK_BYTES) -> None:
        self.done = 0
        self.torn: str | None = None
        self._source, self._size = source, size

    def __iter__(self) -> Iterator[bytes]:
        """The blocks in order; none of them is empty."""
        if self._source.path is None:
            return
        with self._source.path.open("rb") as stream:
            if self._source.zipped:
                yield from self._unzip(stream)
                return
            while block := stream.read(self._size):
                self.done += len(block)
                yield block

    def _unzip(self, stream: IO[bytes]) -> Iterator[bytes]:
        """All members of a gzip file one after another; zeros between them are padding."""
        member, waiting, begun = zlib.decompressobj(_GZIP), b"", False
        while True:
            if not waiting:
                waiting = stream.read(_ZIPPED_BYTES)
                self.done += len(waiting)
            if not waiting:
                self.torn = "gzip stream ends early" if begun else None
                return
            if not begun and not (waiting := waiting.lstrip(b"\0")):
                continue
            begun = True
            try:
                block = member.decompress(waiting, self._size)
            except zlib.error as error:  # what came out so far need not be what went in
                raise DataError(
                    f"damaged gzip stream ({error})", where=self._source.name, fix="Copy the file again."
                ) from error
            waiting = member.unconsumed_tail
            if member.eof:
                waiting, member, begun = member.unused_data, zlib.decompressobj(_GZIP), False
            if block:
                yield block
