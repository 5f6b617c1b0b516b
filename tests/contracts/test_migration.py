"""From the first schema to this one, with data, on each kind of database: what was there is there afterwards."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from crypto.commitment import RenditionHeader, Value, commitment, decode, encode, make_rendition
from crypto.errors import CryptoError
from node.domain.notices import Holding
from node.operations.rows import AliasRow, CopyRow, ReceivedFrameRow, SentFrameRow, ShownBefore
from node.storage import engine, upgrade
from node.storage.engine import migrate, open_store
from node.storage.errors import NeedsMigration
from node.storage.moments import to_milliseconds
from node.storage.store import SqlStore
from node.storage.tables import metadata
from tests.contracts.examples import (
    AGENCY,
    AGREEMENT,
    BANK,
    BRN,
    BUREAU,
    NOON,
    OTHER_AGREEMENT,
    USCC,
    copy,
    deletion,
    digest,
    minutes,
    pushed,
    received,
    record,
    rendition,
    sent,
    short,
    shown,
)
from tests.contracts.postgresql import PostgresqlServer

LEI = ("LEI", "5493001KJTIIGC8Y1R12")
KEEP_UNTIL = NOON + timedelta(days=90)


@pytest.fixture(params=["sqlite", "postgresql"])
def first_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the first schema, with something in every table that changed since."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'node.db'}"
        _fill(url)
        yield url
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        with server.database("template0") as url:
            _fill(url)
            yield url


@pytest.fixture
def migrated(first_url: str) -> Iterator[SqlStore]:
    """The store of that database once it was brought to this program's schema."""
    migrate(first_url)
    with closing(open_store(first_url)) as store:
        yield store


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    with upgrade._connection(engine._backend(url)) as connection:
        yield connection


def _insert(connection: Connection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        names = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)  # noqa: S608 - words of this file


def _fill(url: str) -> None:
    engine._backend(url).prepare()
    with _connected(url) as connection:
        config = Config()
        config.set_main_option("script_location", "node.storage:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        _fill_records(connection)
        _fill_disclosed(connection)
        _fill_sent(connection)
        _fill_received(connection)


def _fill_records(connection: Connection) -> None:
    """Two subjects; the second one's identifier was known before those of the first one."""
    connection.execute(text("UPDATE counters SET value = 2 WHERE name = 'subjects'"))
    connection.execute(text("UPDATE counters SET value = 7 WHERE name = 'generation'"))
    _insert(connection, "agreements", {"digest": AGREEMENT}, {"digest": OTHER_AGREEMENT})
    _insert(connection, "subjects", *({"number": number, "kind": "LEGAL_PERSON"} for number in (1, 2)))
    owners = ((2, LEI), (1, USCC), (1, BRN))
    _insert(connection, "identifiers", *({"subject_no": no, "scheme": one[0], "value": one[1]} for no, one in owners))
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
            "facts": row.facts,
            "content": row.content,
        }
        _insert(connection, "records", stored)


def _fill_disclosed(connection: Connection) -> None:
    """Record 1 has three renditions under the first agreement, record 2 one under each, record 3 none."""
    _insert(connection, "pseudonym_indexes", {"agreement_no": 1, "epoch": 1, "through": 3, "ready": True})
    for number, subject_no in ((1, 2), (2, 1), (3, 1)):
        name: dict[str, Any] = {"pseudonym": short(f"pseudonym {number}"), "subject_no": subject_no}
        _insert(connection, "pseudonyms", name | {"agreement_no": 1, "epoch": 1})
    for record_no, agreement_no, wire_version in ((1, 1, 3), (2, 1, 1), (2, 2, 1)):
        alias: dict[str, Any] = {"alias": short(f"alias {record_no}"), "wire_version": wire_version}
        _insert(connection, "aliases", alias | {"record_no": record_no, "agreement_no": agreement_no})
    for record_no, agreement_no, epoch, version, wire_version in (
        (1, 1, 1, 1, 1), (1, 1, 2, 3, 3), (1, 1, 1, 2, 2), (2, 1, 1, 1, 1), (2, 2, 1, 1, 1),
    ):  # fmt: skip
        made = rendition(record_no, agreement_no, version=version, epoch=epoch)
        rest: dict[str, Any] = {"commitment": made.commitment, "body": made.body, "wire_version": wire_version}
        rest |= {"record_no": record_no, "agreement_no": agreement_no, "epoch": epoch, "record_version": version}
        _insert(connection, "renditions", rest)


def _sent() -> list[SentFrameRow]:
    return [sent("f", 1), sent("g", 1), sent("h", 2, to=BUREAU)]


def _fill_sent(connection: Connection) -> None:
    """Frames 1, 3 and 4; one batch is the receipt of two of them. Numbers have gaps, as they may have."""
    for place, frame in enumerate([_sent()[0], sent("lost", 1), *_sent()[1:]]):
        names = ("frame", "recipient", "agreement_no", "request", "header_digest", "outcomes", "header", "body")
        row = {name: getattr(frame, name) for name in names}
        _insert(connection, "sent_frames", row | {"sent_at": to_milliseconds(minutes(place))})
    connection.execute(text("DELETE FROM sent_frames WHERE number = 2"))
    _insert(connection, "receipts", {"raw_digest": digest("batch"), "raw": b"batch"})
    times = ((1, to_milliseconds(minutes(10))), (4, to_milliseconds(minutes(11))))
    _insert(connection, "frame_receipts", *({"frame_no": no, "receipt_no": 1, "received_at": at} for no, at in times))
    for record_no, version, agreement_no, shown_in, at in (
        (1, 1, 1, "g", 1), (1, 9, 1, "f", 2), (2, 1, 2, "h", 3), (1, 3, 1, "f", 4), (2, 1, 1, "f", 5),
    ):  # fmt: skip
        entry: dict[str, Any] = {"frame": short(shown_in), "at": to_milliseconds(minutes(at))}
        entry |= {"record_no": record_no, "record_version": version, "agreement_no": agreement_no}
        _insert(connection, "disclosures", entry)
    connection.execute(text("DELETE FROM disclosures WHERE record_version = 9"))


def _renditions(name: str, count: int) -> list[bytes]:
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


_COUNTS = {"in": 5, "none": 0, "also in": 3}


def _copy(frame: str, place: int, body: bytes) -> CopyRow:
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
        _insert(connection, "received_frames", row | {"received_at": to_milliseconds(minutes(place))})
    connection.execute(text("DELETE FROM received_frames WHERE number = 2"))
    for frame_no, frame in ((1, "in"), (4, "also in")):
        for place, body in enumerate(_renditions(frame, _COUNTS[frame])):
            one = _copy(frame, place, body)
            columns = ("agreement", "pseudonym", "alias", "wire_version", "kind", "rendition")
            row = {name: getattr(one, name) for name in columns}
            _insert(connection, "copies", row | {"frame_no": frame_no, "keep_until": to_milliseconds(KEEP_UNTIL)})


def test_a_database_of_the_first_schema_is_refused_until_it_is_migrated(first_url: str) -> None:
    with pytest.raises(NeedsMigration, match="creditport migrate"):
        open_store(first_url)

    migrate(first_url)
    migrate(first_url)
    open_store(first_url).close()


def test_a_migrated_database_has_the_tables_of_a_new_one(migrated: SqlStore, first_url: str) -> None:
    del migrated
    with _connected(first_url) as connection:
        tables = inspect(connection).get_table_names()

    assert set(tables) == {*metadata.tables, "alembic_version"}


def test_records_are_as_they_were_and_none_is_deleted(migrated: SqlStore) -> None:
    with migrated.read() as work:
        rows = work.records.page(None, 0, 10)

        assert [(row.record_no, row.subject_no, row.version, row.content) for row in rows] == [
            (1, 1, 3, b"content a"),
            (2, 2, 1, b"content b"),
            (3, 1, 1, b"content c"),
        ]
        assert {(row.deleted_at, row.stored_at, row.withheld) for row in rows} == {(None, NOON, frozenset())}
        assert work.records.count() == {"201": 3}
        assert work.generation.read() == 7


def test_a_record_of_before_can_be_corrected_and_deleted(migrated: SqlStore) -> None:
    with migrated.write() as work:
        version = work.changes.correct(1, record("a", USCC, content="right", kind="201"), minutes(1))
        before = work.records.add([record("a", USCC, content="content a", kind="201")], minutes(2)).outcomes
        tombstone = work.changes.delete(deletion(1))
        after = work.records.add([record("a", USCC, content="content a", kind="201")], minutes(2)).outcomes

        assert (version, before, tombstone, after) == (4, ("corrected",), 5, ("deleted",))


def test_sent_frames_are_there_with_their_receipts_under_their_numbers(migrated: SqlStore) -> None:
    with migrated.read() as work:
        page = work.sent_frames.page(0, 10)
        requests = [one.request for one in _sent() if one.request is not None]

        assert [(number, receipted) for number, _, receipted in page] == [
            (1, minutes(10)),
            (3, None),
            (4, minutes(11)),
        ]
        kept = [(row.frame, row.recipient, row.request, row.header, row.body, row.sent_at) for _, row, _ in page]
        assert kept == [
            (one.frame, one.recipient, one.request, one.header, one.body, minutes(at))
            for one, at in zip(_sent(), (0, 2, 3), strict=True)
        ]
        assert {(row.push_job, row.sequence) for _, row, _ in page} == {(None, None)}
        assert set(work.sent_frames.answers(requests)) == set(requests)


def test_the_ledger_names_the_frames_that_it_named_before(migrated: SqlStore) -> None:
    with migrated.read() as work:
        first, second = work.ledger.of_record(1), work.ledger.of_record(2)

        assert [(row.record_version, row.frame, row.holder, row.at) for row in first] == [
            (1, short("g"), BANK, minutes(1)),
            (3, short("f"), BANK, minutes(4)),
        ]
        assert [(row.agreement, row.frame, row.holder, row.alias, row.at) for row in second] == [
            (OTHER_AGREEMENT, short("h"), BUREAU, short("alias 2"), minutes(3)),
            (AGREEMENT, short("f"), BANK, short("alias 2"), minutes(5)),
        ]
        assert {(row.fields, row.closed_at, row.is_cancelled) for row in [*first, *second]} == {(None, None, False)}


def test_whoever_was_sent_something_before_holds_it_all_under_the_first_identifier(migrated: SqlStore) -> None:
    with migrated.read() as work:
        everybody = [
            Holding(record_no=record_no, agreement_no=no, holder=holder, alias=short(f"alias {record_no}"),
                    wire_version=version)
            for record_no, no, holder, version in ((1, 1, BANK, 3), (2, 1, BANK, 1), (2, 2, BUREAU, 1))
        ]  # fmt: skip
        assert work.ledger.holdings([1, 2, 3]) == everybody
        # Which identifier it was had not been kept: LEI is number 1, USCC 2, BRN 3.
        arrived = work.ledger.shown(1, [1, 2, 3])
        assert arrived == {
            1: ShownBefore(fields=None, identifier_no=2),
            2: ShownBefore(fields=None, identifier_no=1),
        }


def test_aliases_stand_for_the_newest_record_version_of_their_renditions(migrated: SqlStore) -> None:
    with migrated.read() as work:
        assert work.renditions.identities(1, [1, 2, 3]) == {
            1: AliasRow(alias=short("alias 1"), wire_version=3, record_version=3),
            2: AliasRow(alias=short("alias 2"), wire_version=1, record_version=1),
        }
        assert work.renditions.identities(2, [1, 2]) == {
            2: AliasRow(alias=short("alias 2"), wire_version=1, record_version=1)
        }
        assert set(work.renditions.of_records(1, 1, [1, 2])) == {(1, 1), (1, 2), (2, 1)}
        assert set(work.renditions.of_records(1, 2, [1, 2])) == {(1, 3)}


def test_pseudonyms_are_to_be_made_again(migrated: SqlStore) -> None:
    with migrated.write() as work:
        names = [short(f"pseudonym {number}") for number in (1, 2, 3)]

        assert work.pseudonyms.lookup(1, 1, names) == {}
        assert not work.pseudonyms.ready(1, 1)
        assert work.pseudonyms.pending(1, 1, 10) == [(1, 2, *LEI), (2, 1, *USCC), (3, 1, *BRN)]
        work.pseudonyms.add(1, 1, [(names[0], 2, 1), (names[1], 1, 2), (names[2], 1, 3)], 3)
        assert work.pseudonyms.of_subjects(1, 1, [1]) == {1: [(2, names[1]), (3, names[2])]}


def test_received_frames_prove_their_copies_by_commitments_in_the_order_of_the_body(migrated: SqlStore) -> None:
    with migrated.read() as work:
        for place, (frame, count) in {0: ("in", 5), 2: ("none", 0), 3: ("also in", 3)}.items():
            bodies = _renditions(frame, count)
            came = received(frame, BUREAU if frame == "also in" else AGENCY)

            assert work.received_frames.find(short(frame)) == ReceivedFrameRow(
                frame=came.frame,
                sender=came.sender,
                agreement=AGREEMENT,
                header=came.header,
                header_digest=came.header_digest,
                commitments=b"".join(commitment(decode(body)) for body in bodies),
                leaf=b"",
                received_at=minutes(place),
            )
            assert work.received_frames.copies(short(frame)) == [
                _copy(frame, place, body) for place, body in enumerate(bodies)
            ]
        assert work.received_frames.find(short("lost")) is None


def test_copies_of_before_are_found_by_alias_and_end_in_time(migrated: SqlStore) -> None:
    with migrated.write() as work:
        (held,) = work.copies.held(AGREEMENT, [short("also in 1")])

        assert (held.home, held.frame, held.rendition) == (BUREAU, short("also in"), _renditions("also in", 3)[1])
        assert len(work.copies.ended(KEEP_UNTIL, 100)) == 8
        assert work.copies.ended(KEEP_UNTIL - timedelta(milliseconds=1), 100) == []
        work.copies.destroy([held.number])
        assert work.copies.held(AGREEMENT, [short("also in 1")]) == []


def test_new_rows_get_numbers_that_no_row_of_before_has(migrated: SqlStore) -> None:
    with migrated.write() as work:
        work.records.add([record("new", ("HK-CR", "7654321"))], NOON)
        work.sent_frames.add([sent("new", 1), pushed("newer", 1, job=7)])
        work.ledger.disclose([shown(1, 1, "new", version=4), shown(1, 1, "newer", version=4)], minutes(9))
        work.received_frames.add(received("new"), [copy("new", "x")])
        work.renditions.add([rendition(3, 1)])
        work.commit()

    with migrated.read() as work:
        frames = [(number, row.frame) for number, row, _ in work.sent_frames.page(0, 10)]
        assert [frame for _, frame in frames] == [short(name) for name in ("f", "g", "h", "new", "newer")]
        assert frames[3][0] > 4
        assert [row.frame for row in work.ledger.of_record(1)] == [short(name) for name in ("g", "f", "new", "newer")]
        assert work.received_frames.copies(short("new")) == [copy("new", "x")]
        aliases = [short(f"{frame} {place}") for frame, count in _COUNTS.items() for place in range(count)]
        before = [one.number for one in work.copies.held(AGREEMENT, aliases)]
        (new,) = work.copies.held(AGREEMENT, [short("x")])
        assert new.number > max(before)
        assert [row.record_no for row in work.records.page(None, 3, 10)] == [4]
        assert work.pseudonyms.pending(1, 1, 10)[-1][0] == 4


def test_a_migration_that_fails_leaves_the_database_as_it_was(first_url: str) -> None:
    with _connected(first_url) as connection:
        (whole,) = connection.execute(text("SELECT rendition FROM copies WHERE number = 6")).one()
        connection.execute(text("UPDATE copies SET rendition = :damaged WHERE number = 6"), {"damaged": b"{}"})

    with pytest.raises(CryptoError):
        migrate(first_url)
    with pytest.raises(NeedsMigration):
        open_store(first_url)

    with _connected(first_url) as connection:
        connection.execute(text("UPDATE copies SET rendition = :whole WHERE number = 6"), {"whole": whole})
    migrate(first_url)
    with closing(open_store(first_url)) as store, store.read() as work:
        assert work.received_frames.copies(short("also in"))[0].rendition == whole
        assert len(work.ledger.of_record(1)) == 2


def test_no_byte_of_the_sealed_bodies_is_left_on_sqlite_once_it_is_compacted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    _fill(url)
    words = [f"sealed {frame}|".encode() for frame in ("in", "none", "also in", "lost")]
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    before = [any(word in one for one in files) for word in words[:3]]

    migrate(url)
    with closing(open_store(url)) as store:
        store.compact()
        after = [word in path.read_bytes() for path in tmp_path.iterdir() for word in words]

    assert before == [True, True, True]
    assert set(after) == {False}
