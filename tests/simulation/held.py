"""What must hold once messages flow again: told as sentences about what does not, none where all is well.

Databases are read from outside, table by table and file by file: nothing here trusts what a store says of itself.
"""

import re
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from crypto.commitment import decode
from crypto.frame import open_body, open_header
from crypto.keys import Purpose
from node.domain.receipts import CopyStage
from node.operations.keep_journal import verify_own_journal
from node.operations.stored_records import record_from_row
from registry.parties import PartyId
from tests.fakes.members import Member
from tests.fakes.network import Network
from tests.fakes.propagation import by_alias, copies, differences, records

SALT = 22
"""Characters of a salt."""
_EMPTY = re.compile(rb"\0{16,}")
FINAL = {CopyStage.DELETED.value, CopyStage.NOT_HELD.value}
_LEDGER = """
SELECT d.record_no, d.record_version, d.fields, d.closed_at, f.frame, f.recipient, a.alias, r.version, r.deleted_at,
f.refused IS NULL AND (
f.taken_at IS NOT NULL OR EXISTS (SELECT 1 FROM frame_receipts x WHERE x.frame_no = f.number))
FROM disclosures d JOIN sent_frames f ON f.number = d.frame_no JOIN records r ON r.number = d.record_no
JOIN aliases a ON a.record_no = d.record_no AND a.agreement_no = d.agreement_no ORDER BY d.number"""
_COPIES = """
SELECT c.alias, c.wire_version, f.frame FROM copies c JOIN received_frames f ON f.number = c.frame_no
WHERE f.sender = ? ORDER BY c.number"""
_SENT = "SELECT sequence, notice FROM notices WHERE peer = ? ORDER BY number"
_TAKEN = "SELECT sequence, notice FROM received_notices WHERE home = ? ORDER BY number"
_RENDITIONS = """
SELECT n.body FROM renditions n JOIN records r ON r.number = n.record_no
WHERE r.version = n.record_version AND r.deleted_at IS NULL"""
_BODIES = "SELECT frame, recipient, header, body FROM sent_frames WHERE body IS NOT NULL ORDER BY number"


def rows(path: Path, query: str, *values: object) -> list[Any]:
    """What a query finds in a database file, on a connection that only reads."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


@dataclass(frozen=True, slots=True)
class Shown:
    """A ledger row, with what is true of its record now, and whether the holder ever said that the frame arrived."""

    record_no: int
    version: int
    fields: str | None
    closed_at: int | None
    frame: bytes
    holder: PartyId
    alias: bytes
    now: int
    deleted_at: int | None
    arrived: bool

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_void(self) -> bool:
        return self.version < self.now or self.deleted_at is not None


def ledger(network: Network, home: PartyId) -> list[Shown]:
    return [Shown(*row) for row in rows(network.members[home].database, _LEDGER)]


def troubles(network: Network, home: PartyId, holders: Sequence[PartyId]) -> list[str]:
    """Everything that is not as it must be when home and these holders have nothing to say to one another any more."""
    checks: tuple[Callable[[Network, PartyId, Sequence[PartyId]], Iterable[str]], ...] = (
        differences, stale_copies, open_notices, ledger_errors, broken_streams, broken_journals, void_bodies,
    )  # fmt: skip
    return list(chain.from_iterable(check(network, home, holders) for check in checks))


def stale_copies(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    """Copies in another version than the one that home would show now."""
    identities = dict(rows(network.members[home].database, "SELECT alias, wire_version FROM aliases"))
    known = by_alias(network, home)
    for holder in holders:
        for copy in copies(network, holder):
            if copy.version != identities.get(copy.alias):
                number = known[copy.alias].record_no if copy.alias in known else None
                yield f"{holder} holds version {copy.version} of record {number}, not {identities.get(copy.alias)}"


def open_notices(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    for peer, record, stage in rows(network.members[home].database, "SELECT peer, record_no, stage FROM notices"):
        if stage not in FINAL and peer in holders:
            yield f"a notice to {peer} about record {record} stands at {stage}"


def ledger_errors(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    """Rows of void versions that are open, rows without a copy, copies without a row.

    Of a frame that nobody knows to have arrived a row stays open without a copy: its holder is told of every change,
    and answers NOT_HELD.
    """
    held = {
        (holder, frame, alias)
        for holder in holders
        for alias, _, frame in rows(network.members[holder].database, _COPIES, home)
    }
    told = [row for row in ledger(network, home) if row.holder in holders]
    for row in told:
        if row.is_open and row.is_void:
            yield f"the ledger still has version {row.version} of record {row.record_no} at {row.holder}"
        if row.is_open and row.arrived and (row.holder, row.frame, row.alias) not in held:
            yield f"the ledger has record {row.record_no} in frame {row.frame.hex()} at {row.holder}, who has no copy"
    for holder, frame, _ in held - {(row.holder, row.frame, row.alias) for row in told if row.is_open}:
        yield f"{holder} has a copy from frame {frame.hex()} that is not open in the ledger"


def broken_streams(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    for holder in holders:
        sent = rows(network.members[home].database, _SENT, holder)
        taken = rows(network.members[holder].database, _TAKEN, home)
        if [number for number, _ in sent] != list(range(1, len(sent) + 1)):
            yield f"the stream to {holder} is numbered {[number for number, _ in sent]}"
        if taken != sent:
            yield f"{holder} was told {len(taken)} notices, or in another order than the {len(sent)} that home wrote"


def broken_journals(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    for party in (home, *holders):
        member = network.members[party]
        verdict = member.read(partial(verify_own_journal, vkey=member.card.card.journal_vkey))
        if verdict.problems or verdict.unsequenced:
            yield f"the journal of {party}: {verdict.problems}, {verdict.unsequenced} without a place"


def void_bodies(network: Network, home: PartyId, holders: Sequence[PartyId]) -> Iterator[str]:
    """Sealed bodies that home keeps although a record in them has changed."""
    del holders
    void = {row.frame for row in ledger(network, home) if row.is_void}
    for frame, recipient, _, _ in rows(network.members[home].database, _BODIES):
        if frame in void:
            yield f"home keeps the body of frame {frame.hex()} to {recipient}, though a record in it changed"


@dataclass(slots=True)
class Secrets:
    """Every address that home ever had and every salt that was ever made, as long as somebody looks often enough."""

    ever: set[str] = field(default_factory=set)
    _opened: dict[bytes, frozenset[str]] = field(default_factory=dict)

    def look(self, network: Network, home: PartyId, holders: Sequence[PartyId]) -> None:
        self.ever |= self.rightful(network, home, holders)

    def gone(self, network: Network, home: PartyId, holders: Sequence[PartyId]) -> set[str]:
        """What was there and must not be there any more."""
        self.look(network, home, holders)
        return self.ever - self.rightful(network, home, holders)

    def rightful(self, network: Network, home: PartyId, holders: Sequence[PartyId]) -> set[str]:
        """What home says now, and the salts with which anybody was, or may yet be, shown it."""
        bodies = rows(network.members[home].database, _BODIES)
        return {
            *_addresses(network, home),
            *_salts_of_renditions(network, home),
            *chain.from_iterable(copy.salts for holder in holders for copy in copies(network, holder)),
            *chain.from_iterable(self._open(network, home, body) for body in bodies),
        }

    def _open(self, network: Network, home: PartyId, sealed: tuple[bytes, str, bytes, bytes]) -> frozenset[str]:
        frame, recipient, raw, body = sealed
        if frame not in self._opened:
            header, _ = open_header(raw, network.members[home].card.key(Purpose.FRAME))
            received = open_body(header, body, network.members[PartyId(recipient)].context.keys.seal)
            self._opened[frame] = frozenset(salt.salt for one in received for salt in one.rendition.fields)
        return self._opened[frame]


def _addresses(network: Network, home: PartyId) -> Iterator[str]:
    for row in records(network, home):
        if row.deleted_at is None:
            address = getattr(record_from_row(row).content, "address", None)
            if address:
                yield address


def _salts_of_renditions(network: Network, home: PartyId) -> set[str]:
    bodies = rows(network.members[home].database, _RENDITIONS)
    return {one.salt for (body,) in bodies for one in decode(body).fields}


def remains(members: Iterable[Member], values: Collection[str]) -> list[str]:
    """Where values are found: in which table of which member, and in which of its files."""
    wanted = [(value, needle) for value in sorted(values) for needle in needles(value)]
    return [
        f"{value} is in {place}"
        for member in members
        for place, content in chain(tables(member.database), files(member.database))
        for value, needle in wanted
        if needle in content
    ]


def needles(value: str) -> set[bytes]:
    """A value as it may be written: as text, and a salt also as the bytes that it stands for."""
    plain = {value.encode()}
    return plain | {urlsafe_b64decode(value + "==")} if len(value) == SALT and " " not in value else plain


def tables(path: Path) -> Iterator[tuple[str, bytes]]:
    """The content of every table, cell by cell, as the database reads it: no page boundary runs through a cell."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in names:
            cells = chain.from_iterable(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608 - a table of ours
            yield f"table {table} of {path.name}", b"\0".join(map(_bytes, cells))


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of every file of a database; of long runs of nothing only one byte."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        yield f"file {file.name}", _EMPTY.sub(b"\0", file.read_bytes())


def _bytes(cell: object) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode()
