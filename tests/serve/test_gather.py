"""What is written in one step leaves in one piece, in order, and nothing is lost when a connection closes."""

from __future__ import annotations

import asyncio

from thence.serve.gather import Gathered


class Taken:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.written.append(data)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


def test_one_step_is_one_write_and_the_next_another() -> None:
    async def go() -> Taken:
        taken = Taken()
        gathered = Gathered(taken, asyncio.get_running_loop())  # type: ignore[arg-type]
        gathered.write(b"head ")
        gathered.write(b"body")
        assert taken.written == []
        await asyncio.sleep(0)
        gathered.write(b"again")
        await asyncio.sleep(0)
        return taken

    assert asyncio.run(go()).written == [b"head body", b"again"]


def test_closing_sends_what_is_kept_and_aborting_does_not() -> None:
    async def go(end: str) -> Taken:
        taken = Taken()
        gathered = Gathered(taken, asyncio.get_running_loop())  # type: ignore[arg-type]
        gathered.write(b"last")
        getattr(gathered, end)()
        await asyncio.sleep(0)
        assert gathered.is_closing()
        return taken

    closed, aborted = asyncio.run(go("close")), asyncio.run(go("abort"))
    assert (closed.written, closed.ended) == ([b"last"], "closed")
    assert (aborted.written, aborted.ended) == ([], "aborted")
