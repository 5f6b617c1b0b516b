"""The ceilings of pushing: the same bytes over the same stream, taken in without being sealed, signed or looked at.

PARSED is the bare ceiling: a message is parsed down to the fields of each record, a row of the recipient's columns is
inserted for each, and each message is committed before it is answered. INDEXED inserts into a table with the indexes
that a recipient needs to find a copy again. INBOX keeps a message as one row, and looks at nothing.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

import msgspec
from creditport.v1 import exchange_pb2

from bench.ceilings import Answer
from bench.databases import Bare, Rows, bare

COLUMNS = {
    "frame_no": "number", "agreement": "bytes", "pseudonym": "bytes", "alias": "bytes", "wire_version": "number",
    "kind": "text", "keep_until": "number", "rendition": "bytes",
}  # fmt: skip
INDEXED = ("frame_no", "alias", "keep_until")
ANSWER = bytes(400)
"""As long as what a recipient says to a frame: its id, a journal leaf and a checkpoint."""


class Arrival(Enum):
    """How a message is taken in."""

    PARSED = "parsed"
    INDEXED = "indexed"
    INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Arriving:
    """Takes in messages of a push, one transaction each."""

    url: str
    arrival: Arrival

    def opened(self) -> Answer:
        """Open the database in the thread that takes in."""
        thread = ThreadPoolExecutor(1)
        database = thread.submit(_opened, self).result()
        take = {
            Arrival.PARSED: partial(_insert, database),
            Arrival.INDEXED: partial(_insert, database),
            Arrival.INBOX: partial(_keep, database),
        }[self.arrival]

        async def answer(message: bytes) -> bytes:
            await asyncio.get_running_loop().run_in_executor(thread, take, message)
            return ANSWER

        return answer


class _Header(msgspec.Struct):
    agreement: str
    alias: str
    kind: str
    pseudonym: str
    version: int


class _Record(msgspec.Struct):
    fields: list[tuple[str, str, object, str]]
    header: _Header


_decode = msgspec.json.Decoder(_Record).decode


def _opened(task: Arriving) -> Bare:
    database = bare(task.url)
    if task.arrival is Arrival.INBOX:
        database.create("inbox", {"frame": "bytes"})
    else:
        database.create("copies", COLUMNS, INDEXED if task.arrival is Arrival.INDEXED else ())
    return database


def _insert(database: Bare, message: bytes) -> None:
    body = exchange_pb2.PushFramesRequest.FromString(message).frame.body
    rows = _rows(body)
    database.begin()
    database.insert("copies", list(COLUMNS), rows)
    database.commit()


def _rows(body: bytes) -> Rows:
    return [
        (
            1, bytes.fromhex(head.agreement), bytes.fromhex(head.pseudonym), bytes.fromhex(head.alias), head.version,
            head.kind, 1, raw,
        )
        for raw in _records(body)
        for head in (_decode(raw).header,)
    ]  # fmt: skip


def _records(body: bytes) -> Iterator[bytes]:
    """The records in a padded body: u32 length of all, u32 count, then each behind its u32 length."""
    end, at = 4 + int.from_bytes(body[:4], "big"), 8
    while at < end:
        start = at + 4
        at = start + int.from_bytes(body[at:start], "big")
        yield body[start:at]


def _keep(database: Bare, message: bytes) -> None:
    database.begin()
    database.insert("inbox", ["frame"], [(message,)])
    database.commit()
