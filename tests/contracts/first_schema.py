"""Databases of old schemas, with something in every table that changed since."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from crypto.commitment import RenditionHeader, Value, encode, make_rendition
from node.domain.receipts import COPY_KIND
from node.operations.rows import CopyRow, SentFrameRow
from node.storage import engine, upgrade
from node.storage.moments import to_milliseconds
from tests.contracts.examples import (
    AGENCY,
    AGREEMENT,
    BRN,
    BUREAU,
    NOON,
    OTHER_AGREEMENT,
    USCC,
    minutes,
    notice,
    receipts,
    received,
    record,
    rendition,
    sent,
    short,
)

LEI = ("LEI", "5493001KJTIIGC8Y1R12")
KEEP_UNTIL = NOON + timedelta(days=90)
FACTS = b'{"provider":"sz-agency","generated_at":"2026-11-23","severity":null}'
"""The envelope facts of a record, its day of generation among them, as they were stored with each."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with upgrade._connection(engine._backend(url)) as connection:
        yield connection


def insert(connection: Connection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        names = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)  # noqa: S608 - words of this file


def upgraded(connection: Connection, revision: str) -> None:
    """Bring a database to an old schema."""
    config = Config()
    config.set_main_option("script_location", "node.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill(url: str) -> None:
    engine._backend(url).prepare()
    with connected(url) as connection:
        upgraded(connection, "0001")
        _fill_records(connection)
        _fill_disclosed(connection)
        _fill_sent(connection)
        _fill_received(connection)


def _fill_records(connection: Connection) -> None:
    """Two subjects; the second one's identifier was known before those of the first one."""
    connection.execute(text("UPDATE counters SET value = 2 WHERE name = 'subjects'"))
    connection.execute(text("UPDATE counters SET value = 7 WHERE name = 'generation'"))
    insert(connection, "agreements", {"digest": AGREEMENT}, {"digest": OTHER_AGREEMENT})
    insert(connection, "subjects", *({"number": number, "kind": "LEGAL_PERSON"} for number in (1, 2)))
    owners = ((2, LEI), (1, USCC), (1, BRN))
    insert(connection, "identifiers", *({"subject_no": no, "scheme": one[0], "value": one[1]} for no, one in owners))
    for name, subject, version in (("a", 1, 3), ("b", 2, 1), ("c", 1, 1)):
        row = record(name, USCC if subject == 1 else LEI, content=f"content {name}", kind="201")
        stored = {
            "subject_no": subject,
            "source_key": row.source_key,
            "version": version,
            "kind": row.kind,
            "content_digest": row.content_digest,
            "disclose_until": "2031-11-23",
            "withheld": "",
            "stored_at": to_milliseconds(NOON),
            "facts": FACTS,
            "content": row.content,
        }
        insert(connection, "records", stored)


def _fill_disclosed(connection: Connection) -> None:
    """Record 1 has three renditions under the first agreement, record 2 one under each, record 3 none."""
    insert(connection, "pseudonym_indexes", {"agreement_no": 1, "epoch": 1, "through": 3, "ready": True})
    for number, subject_no in ((1, 2), (2, 1), (3, 1)):
        name: dict[str, Any] = {"pseudonym": short(f"pseudonym {number}"), "subject_no": subject_no}
        insert(connection, "pseudonyms", name | {"agreement_no": 1, "epoch": 1})
    for record_no, agreement_no, wire_version in ((1, 1, 3), (2, 1, 1), (2, 2, 1)):
        alias: dict[str, Any] = {"alias": short(f"alias {record_no}"), "wire_version": wire_version}
        insert(connection, "aliases", alias | {"record_no": record_no, "agreement_no": agreement_no})
    for record_no, agreement_no, epoch, version, wire_version in (
        (1, 1, 1, 1, 1), (1, 1, 2, 3, 3), (1, 1, 1, 2, 2), (2, 1, 1, 1, 1), (2, 2, 1, 1, 1),
    ):  # fmt: skip
        made = rendition(record_no, agreement_no, version=version, epoch=epoch)
        rest: dict[str, Any] = {"commitment": made.commitment, "body": made.body, "wire_version": wire_version}
        rest |= {"record_no": record_no, "agreement_no": agreement_no, "epoch": epoch, "record_version": version}
        insert(connection, "renditions", rest)


def fill_changed(connection: Connection) -> None:
    """What the second schema may hold beside: a notice that is settled, and the ledger row that its receipt closed."""
    change = notice("change", 1, 1, version=3)
    names = (
        "notice", "peer", "agreement_no", "record_no", "record_version", "alias", "effect", "version", "basis",
        "document", "salt",
    )  # fmt: skip
    rest: dict[str, Any] = {"sequence": 1, "stage": "DELETED", "stage_rank": 3}
    rest |= {"occurred_at": to_milliseconds(NOON), "due_at": to_milliseconds(NOON)}
    insert(connection, "notices", {name: getattr(change, name) for name in names} | rest)
    raw = receipts("change", COPY_KIND)
    insert(connection, "receipts", {"number": 5, "raw_digest": sha256(raw).digest(), "raw": raw})
    at = to_milliseconds(minutes(20))
    stages = ({"notice_no": 1, "stage": stage, "receipt_no": 5, "at": at} for stage in ("APPLIED", "DELETED"))
    insert(connection, "notice_receipts", *stages)
    closed = text("UPDATE disclosures SET closed_at = :at, closed_by = 5, fields = 'amount' WHERE record_version = 1")
    connection.execute(closed, {"at": at})


def frames_sent() -> list[SentFrameRow]:
    return [sent("f", 1), sent("g", 1), sent("h", 2, to=BUREAU)]


def _fill_sent(connection: Connection) -> None:
    """Frames 1, 3 and 4; one batch is the receipt of two of them. Numbers have gaps, as they may have."""
    for place, frame in enumerate([frames_sent()[0], sent("lost", 1), *frames_sent()[1:]]):
        names = ("frame", "recipient", "agreement_no", "request", "header_digest", "outcomes", "header", "body")
        row = {name: getattr(frame, name) for name in names}
        insert(connection, "sent_frames", row | {"sent_at": to_milliseconds(minutes(place))})
    connection.execute(text("DELETE FROM sent_frames WHERE number = 2"))
    insert(connection, "receipts", {"raw_digest": sha256(receipts("batch")).digest(), "raw": receipts("batch")})
    times = ((1, to_milliseconds(minutes(10))), (4, to_milliseconds(minutes(11))))
    insert(connection, "frame_receipts", *({"frame_no": no, "receipt_no": 1, "received_at": at} for no, at in times))
    for record_no, version, agreement_no, shown_in, at in (
        (1, 1, 1, "g", 1), (1, 9, 1, "f", 2), (2, 1, 2, "h", 3), (1, 3, 1, "f", 4), (2, 1, 1, "f", 5),
    ):  # fmt: skip
        entry: dict[str, Any] = {"frame": short(shown_in), "at": to_milliseconds(minutes(at))}
        entry |= {"record_no": record_no, "record_version": version, "agreement_no": agreement_no}
        insert(connection, "disclosures", entry)
    connection.execute(text("DELETE FROM disclosures WHERE record_version = 9"))


def renditions_of(name: str, count: int) -> list[bytes]:
    """Real renditions, none like another."""
    random = Random(name)
    header = RenditionHeader(
        agreement=AGREEMENT.hex(),
        alias=random.randbytes(16).hex(),
        epoch=1,
        kind="201",
        profile="profile",
        pseudonym=random.randbytes(16).hex(),
        suite=1,
        valid_until=date(2031, 11, 23),
        version=3,
    )
    values: dict[str, Value] = {"amount": 42, "reason": "公示", "kinds": ("a", "b"), "closed": None, "public": True}
    return [encode(make_rendition(header, values, random.randbytes)) for _ in range(count)]


COUNTS = {"in": 5, "none": 0, "also in": 3}


def copy_of(frame: str, place: int, body: bytes) -> CopyRow:
    return CopyRow(
        frame=short(frame),
        agreement=AGREEMENT,
        pseudonym=short("subject"),
        alias=short(f"{frame} {place}"),
        wire_version=3,
        kind="201",
        rendition=body,
        keep_until=KEEP_UNTIL,
    )


def _fill_received(connection: Connection) -> None:
    """Three frames, numbered 1, 3 and 4, one of them without copies."""
    for place, frame in enumerate(["in", "lost", "none", "also in"]):
        came = received(frame, BUREAU if frame == "also in" else AGENCY)
        names = ("frame", "sender", "agreement", "header_digest", "header")
        row = {name: getattr(came, name) for name in names} | {"body": f"sealed {frame}|".encode() * 5_000}
        insert(connection, "received_frames", row | {"received_at": to_milliseconds(minutes(place))})
    connection.execute(text("DELETE FROM received_frames WHERE number = 2"))
    for frame_no, frame in ((1, "in"), (4, "also in")):
        for place, body in enumerate(renditions_of(frame, COUNTS[frame])):
            one = copy_of(frame, place, body)
            columns = ("agreement", "pseudonym", "alias", "wire_version", "kind", "rendition")
            row = {name: getattr(one, name) for name in columns}
            insert(connection, "copies", row | {"frame_no": frame_no, "keep_until": to_milliseconds(KEEP_UNTIL)})
