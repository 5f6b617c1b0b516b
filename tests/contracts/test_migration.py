"""From the first schema to this one, with data, on each kind of database: what was there is there afterwards."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import structs
from sqlalchemy import inspect, text

from crypto import envelope
from crypto.commitment import commitment, decode
from crypto.errors import CryptoError
from node.domain.crowd import END, Cell
from node.domain.notices import Holding
from node.domain.receipts import COPY_KIND, KIND
from node.operations.rendition_rows import AliasRow
from node.operations.rows import ReceivedFrameRow, ShownBefore
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
    receipts,
    received,
    record,
    rendition,
    sent,
    short,
    shown,
)
from tests.contracts.first_schema import (
    COUNTS,
    KEEP_UNTIL,
    LEI,
    connected,
    copy_of,
    fill,
    fill_changed,
    frames_sent,
    insert,
    renditions_of,
    upgraded,
)
from tests.contracts.postgresql import PostgresqlServer


def _name(batch: bytes) -> bytes:
    return envelope.parse_any(batch, (KIND, COPY_KIND)).digest


@pytest.fixture(scope="module")
def first_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the first schema, to be copied."""
    path = tmp_path_factory.mktemp("first") / "node.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def first_template(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The name of such a database on PostgreSQL."""
    with postgresql_server.database("template0") as url:
        fill(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(params=["sqlite", "postgresql"])
def first_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the first schema, with something in every table that changed since."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('first_file'), tmp_path)}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        with server.database(request.getfixturevalue("first_template")) as url:
            yield url


@pytest.fixture
def migrated(first_url: str) -> Iterator[SqlStore]:
    """The store of that database once it was brought to this program's schema."""
    migrate(first_url)
    with closing(open_store(first_url)) as store:
        yield store


@pytest.fixture
def second_url(first_url: str) -> str:
    """The address of that database once it was brought to the second schema and a change was settled there."""
    with connected(first_url) as connection:
        upgraded(connection, "0002")
        fill_changed(connection)
    return first_url


def test_a_database_of_the_first_schema_is_refused_until_it_is_migrated(first_url: str) -> None:
    with pytest.raises(NeedsMigration, match="creditport migrate"):
        open_store(first_url)

    migrate(first_url)
    migrate(first_url)
    open_store(first_url).close()


def test_a_migrated_database_has_the_tables_of_a_new_one(migrated: SqlStore, first_url: str) -> None:
    del migrated
    with connected(first_url) as connection:
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


def test_records_of_before_are_in_no_cell_until_they_are_put_into_one(migrated: SqlStore) -> None:
    with migrated.write() as work:
        before, rows = work.crowds.newest(), work.records.page(None, 0, 10)
        work.cells.put({row.record_no: Cell(short("shape"), "44") for row in rows})
        found, through = work.crowds.untaken(short("shape"), 0, 10)
        work.crowds.take_in(short("ladder"), [(finest + END, number) for number, finest in found], through)
        (ladder,) = work.crowds.ladders([short("ladder")]).values()

        assert before == 0
        subjects = len({row.subject_no for row in rows})
        assert work.crowds.crowded(ladder.number, [f"44{END}"], subjects) == {f"44{END}"}


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
        requests = [one.request for one in frames_sent() if one.request is not None]

        assert [(number, receipted) for number, _, receipted in page] == [
            (1, minutes(10)),
            (3, None),
            (4, minutes(11)),
        ]
        kept = [(row.frame, row.recipient, row.request, row.header, row.body, row.sent_at) for _, row, _ in page]
        assert kept == [
            (one.frame, one.recipient, one.request, one.header, one.body, minutes(at))
            for one, at in zip(frames_sent(), (0, 2, 3), strict=True)
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

        assert work.pseudonyms.records(1, 1, names, ["101", "201"], date.min) == {}
        assert not work.pseudonyms.ready(1, 1)
        assert work.pseudonyms.pending(1, 1, 10) == [(1, 2, *LEI), (2, 1, *USCC), (3, 1, *BRN)]
        work.pseudonyms.add(1, 1, [(names[0], 2, 1), (names[1], 1, 2), (names[2], 1, 3)], 3)
        assert work.pseudonyms.of_subjects(1, 1, [1]) == {1: [(2, names[1]), (3, names[2])]}


def test_received_frames_prove_their_copies_by_commitments_in_the_order_of_the_body(migrated: SqlStore) -> None:
    with migrated.read() as work:
        for place, (frame, count) in {0: ("in", 5), 2: ("none", 0), 3: ("also in", 3)}.items():
            bodies = renditions_of(frame, count)
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
                copy_of(frame, place, body) for place, body in enumerate(bodies)
            ]
        assert work.received_frames.find(short("lost")) is None


def test_copies_of_before_are_found_by_alias_and_end_in_time(migrated: SqlStore) -> None:
    with migrated.write() as work:
        (held,) = work.copies.held(AGREEMENT, [short("also in 1")])

        assert (held.home, held.frame, held.rendition) == (BUREAU, short("also in"), renditions_of("also in", 3)[1])
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
        aliases = [short(f"{frame} {place}") for frame, count in COUNTS.items() for place in range(count)]
        before = [one.number for one in work.copies.held(AGREEMENT, aliases)]
        (new,) = work.copies.held(AGREEMENT, [short("x")])
        assert new.number > max(before)
        assert [row.record_no for row in work.records.page(None, 3, 10)] == [4]
        assert work.pseudonyms.pending(1, 1, 10)[-1][0] == 4


def test_receipts_of_before_are_found_by_the_digest_of_their_document(migrated: SqlStore) -> None:
    with migrated.read() as work:
        assert work.exhibits.receipts([_name(receipts("batch")), _name(receipts("change"))]) == {
            _name(receipts("batch")): receipts("batch")
        }


def test_what_receipts_closed_in_the_second_schema_is_closed_by_them_still(second_url: str) -> None:
    batches = [receipts("batch"), receipts("change", COPY_KIND)]
    migrate(second_url)
    with closing(open_store(second_url)) as store, store.write() as work:
        found = work.exhibits.frames([short(name) for name in "fgh"])
        closed = {frame: [(one.alias, one.closed_by) for one in exhibit.copies] for frame, exhibit in found.items()}
        first, second = short("alias 1"), short("alias 2")
        assert closed == {
            short("f"): [(first, None), (second, _name(batches[1]))],
            short("g"): [(first, _name(batches[1]))],
            short("h"): [(second, _name(batches[1]))],
        }
        assert [(row.fields, row.closed_at) for row in work.ledger.of_record(1)] == [
            ("amount", minutes(20)),
            (None, None),
        ]
        assert work.exhibits.receipts([_name(one) for one in batches]) == {_name(one): one for one in batches}
        settled = work.notices.find(1)
        assert settled is not None
        assert [(one.stage, one.receipt) for one in settled[1]] == [
            (stage, sha256(batches[1]).digest()) for stage in ("APPLIED", "DELETED")
        ]
        assert [receipted for _, _, receipted in work.sent_frames.page(0, 10)] == [minutes(10), None, minutes(11)]


def test_receipts_of_before_are_kept_once_and_new_ones_get_new_numbers(second_url: str) -> None:
    migrate(second_url)
    with closing(open_store(second_url)) as store, store.write() as work:
        for name in ("batch", "newer"):
            frame = sent(name, 1)
            work.sent_frames.add([frame])
            assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(30))], receipts(name))
        work.ledger.disclose([shown(1, 3, "newer")], minutes(31))
        work.renditions.add([rendition(3, 1)])
        work.settlements.end(BANK, [(short("newer"), short("alias 3"))], receipts("newer"), minutes(32))
        work.commit()

    with connected(second_url) as connection:
        numbers = connection.execute(text("SELECT number FROM receipts ORDER BY number")).scalars().all()
        rows = connection.execute(text("SELECT number FROM disclosures ORDER BY number")).scalars().all()
    assert numbers == [1, 5, 6]
    assert rows == [1, 3, 4, 5, 6]


def test_a_batch_of_receipts_that_cannot_be_read_stops_the_migration(second_url: str) -> None:
    with connected(second_url) as connection:
        connection.execute(text("UPDATE receipts SET raw = :damaged WHERE number = 5"), {"damaged": b"{}"})

    with pytest.raises(CryptoError):
        migrate(second_url)
    with connected(second_url) as connection:
        closed = connection.execute(text("SELECT number FROM disclosures WHERE closed_by = 5 ORDER BY number"))
        assert closed.scalars().all() == [1, 3, 5]
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0002"


def test_a_migration_that_fails_leaves_the_database_as_it_was(first_url: str) -> None:
    with connected(first_url) as connection:
        (whole,) = connection.execute(text("SELECT rendition FROM copies WHERE number = 6")).one()
        connection.execute(text("UPDATE copies SET rendition = :damaged WHERE number = 6"), {"damaged": b"{}"})

    with pytest.raises(CryptoError):
        migrate(first_url)
    with pytest.raises(NeedsMigration):
        open_store(first_url)

    with connected(first_url) as connection:
        connection.execute(text("UPDATE copies SET rendition = :whole WHERE number = 6"), {"whole": whole})
    migrate(first_url)
    with closing(open_store(first_url)) as store, store.read() as work:
        assert work.received_frames.copies(short("also in"))[0].rendition == whole
        assert len(work.ledger.of_record(1)) == 2


def test_no_byte_of_the_sealed_bodies_is_left_on_sqlite_once_it_is_compacted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    fill(url)
    words = [f"sealed {frame}|".encode() for frame in ("in", "none", "also in", "lost")]
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    before = [any(word in one for one in files) for word in words[:3]]

    migrate(url)
    with closing(open_store(url)) as store:
        store.compact()
        after = [word in path.read_bytes() for path in tmp_path.iterdir() for word in words]

    assert before == [True, True, True]
    assert set(after) == {False}


def test_records_of_before_are_all_looked_at_once_more_before_any_kind_is_whole(first_url: str) -> None:
    done = to_milliseconds(NOON)
    look = {"measure": b"law", "packs": "", "through": 3, "again": False, "checked": 3, "begun_at": done}
    with connected(first_url) as connection:
        upgraded(connection, "0007")
        insert(connection, "rechecks", look | {"fallen": 0, "narrowed": 0, "restored": 0, "done_at": done})
    migrate(first_url)

    with closing(open_store(first_url)) as store, store.read() as work:
        newest = work.rechecks.newest()
        assert newest is not None
        assert (newest.again, newest.done_at, work.cells.shapes()) == (True, None, {})


def test_envelope_facts_that_records_had_each_are_kept_once_for_those_that_share_them(first_url: str) -> None:
    migrate(first_url)

    with closing(open_store(first_url)) as store, store.write() as work:
        rows = work.records.page(None, 0, 10)
        assert {(row.facts, row.generated_on) for row in rows} == {
            (b'{"provider":"sz-agency","severity":null}', date(2026, 11, 23))
        }
        work.records.add([structs.replace(record("d", ("HK-CR", "0000001")), facts=rows[0].facts)], NOON)
        work.records.add([structs.replace(record("e", ("HK-CR", "0000002")), facts=b"other")], NOON)
        work.commit()
    with connected(first_url) as connection:
        kept = connection.execute(text("SELECT facts FROM record_facts ORDER BY number")).scalars()
        assert [bytes(one) for one in kept] == [rows[0].facts, b"other"]


def test_damaged_facts_stop_no_upgrade_and_a_tombstone_stays_one(first_url: str) -> None:
    damaged = [b"junk", b"[]", b'{"provider":"sz-agency"}', b'{"generated_at":"soon"}', b'{"generated_at":[1]}']
    with connected(first_url) as connection:
        upgraded(connection, "0008")
        (row,) = connection.execute(text("SELECT * FROM records WHERE number = 1")).mappings()
        for number, facts in enumerate(damaged, 10):
            other = {"number": number, "source_key": digest(f"{number}"), "facts": facts}
            insert(connection, "records", dict(row) | other)
        gone = {"number": 20, "source_key": digest("20"), "facts": b"", "deleted_at": to_milliseconds(NOON)}
        insert(connection, "records", dict(row) | gone)
    migrate(first_url)

    with closing(open_store(first_url)) as store, store.read() as work:
        rows = {row.record_no: row for row in work.records.page(None, 9, 10)}
        assert [(rows[number].facts, rows[number].generated_on) for number in range(10, 15)] == [
            (facts, None) for facts in damaged
        ]
        assert (rows[20].facts, rows[20].generated_on) == (b"", None)
