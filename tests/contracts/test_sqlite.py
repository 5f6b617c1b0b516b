"""What SQLite adds to the promises of the ports: full disks, erased bytes, patience, plans."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from msgspec import structs

from node.operations.record_rows import NewRecordRow
from node.operations.rows import ActRow
from node.storage import (
    agreement_store,
    change_store,
    copy_store,
    disclosure_store,
    exchange_store,
    inspection_store,
    journal_store,
    ledger_store,
    notice_store,
    operator_store,
    outbox_store,
    record_facts,
    record_store,
    registry_store,
    usage_store,
)
from node.storage.engine import open_store
from node.storage.errors import Busy, DiskFull, StorageError, Unusable
from node.storage.sqlite import _BINDS_BY_NUMBER, Sqlite
from node.storage.store import SqlStore
from tests.contracts.examples import (
    AGREEMENT,
    BRN,
    NOON,
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
    stock,
)

_STORES = (
    agreement_store, change_store, copy_store, disclosure_store, exchange_store, inspection_store, journal_store,
    ledger_store, notice_store, operator_store, outbox_store, record_facts, record_store, registry_store, usage_store,
)  # fmt: skip


_MANY = 300
"""So many rows that the database moves them from page to page."""


def _statements() -> Iterator[str]:
    for module in _STORES:
        values = list(vars(module).values())
        texts = [text for value in values for text in (value.values() if isinstance(value, dict) else [value])]
        whole = (text for text in texts if isinstance(text, str))
        yield from (text for text in whole if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE) ", text))


def _plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    names = dict.fromkeys(re.findall(r":(\w+)", statement), "[]")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", names)]


@contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


# Tables that stay small, counts of everything or of what waits, part of a compaction, beginnings others go on from.
_READ_WHOLE = {
    agreement_store._CONSENTS, agreement_store._DOCUMENTS, notice_store._FROM, operator_store._ALL,
    operator_store._BY_NAME, outbox_store._WAITING, record_store._COUNT, registry_store._HEADS, registry_store._PINS,
    record_facts._FORGET,
}  # fmt: skip


def test_no_statement_scans_a_table_that_grows(database: Path) -> None:
    backend = Sqlite(database)
    own = r"SCAN (json_each|wanted|kinds|newest|line|found|\(subquery-\d+\))"  # what it has itself found before
    bounded = re.compile(own + r"(\W|$)|.* INDEX ix_journal_entries_unsequenced$")
    with _raw(database) as connection:
        connection.create_function("blob_of", 1, bytes.fromhex, deterministic=True)
        scans = [
            (statement, step)
            for statement in _statements()
            if statement not in _READ_WHOLE
            for step in _plan(connection, backend.statement(statement))
            if step.startswith("SCAN") and not bounded.match(step)
        ]

    assert scans == []


def test_no_statement_goes_through_all_pseudonyms_of_an_agreement(database: Path) -> None:
    """Which SQLite calls a search, by the agreement and epoch alone."""
    backend = Sqlite(database)
    with _raw(database) as connection:
        connection.create_function("blob_of", 1, bytes.fromhex, deterministic=True)
        searches = [
            step
            for statement in _statements()
            for step in _plan(connection, backend.statement(statement))
            if step.endswith("(agreement_no=? AND epoch=?)") and "pseudonym_indexes" not in step
        ]

    assert searches == []
    assert len(list(_statements())) > 120


def _steps_of(connection: sqlite3.Connection, statement: str, values: dict[str, object]) -> int:
    """How many steps SQLite's machine takes to find out that a statement gives no row."""
    taken = 0

    def one_more() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(one_more, 1)
    assert connection.execute(statement, values).fetchall() == []
    connection.set_progress_handler(None, 1)
    return taken


@pytest.mark.parametrize("records", [1, 3])
def test_a_stranger_takes_sqlite_as_many_steps_as_a_subject_whose_records_are_withheld(
    sqlite: SqlStore, database: Path, records: int
) -> None:
    """By one step at most, for which of two days a record is compared with; a neighbour has as many records here."""
    over, known, unknown = date(2031, 11, 23), bytes([2]) * 16, bytes([1]) * 16
    with sqlite.write() as work:
        number = work.agreements.number(digest("agreement"))
        work.records.add([record(f"penalty {place}", USCC, kind="201") for place in range(records)], NOON)
        (subject,) = {row.subject_no for row in work.records.page(None, 0, 10)}
        work.pseudonyms.add(number, 1, [(known, subject, 1)], 1)
        work.commit()

    backend = Sqlite(database)
    statement = backend.statement(disclosure_store._RECORDS)
    with closing(backend.connect()) as connection:
        values = {"agreement_no": number, "epoch": 1, "kinds": backend.keys(["201"])}
        asked = (known, over), (unknown, over), (unknown, NOON.date())
        withheld, absent, beside = (
            _steps_of(connection, statement, values | {"wanted": backend.keys([name]), "over": day.isoformat()})
            for name, day in asked
        )

    assert abs(withheld - absent) <= records
    assert beside == absent, "whether anything of its neighbour is shown makes no difference"


def test_a_notice_is_found_by_its_id_however_many_its_home_has_told(database: Path) -> None:
    with closing(Sqlite(database).connect()) as connection:
        plan = _plan(connection, Sqlite(database).statement(notice_store._STAGE_HERE))

    assert "received_notices_home_notice (home=? AND notice=?)" in plan[0]


def test_what_is_read_in_portions_is_not_sorted_anew_for_each(database: Path) -> None:
    """Or reading a million records would take time that grows with the square."""
    backend = Sqlite(database)
    portions = [statement for statement in _statements() if ":limit" in statement]
    with closing(backend.connect()) as connection:
        plans = {statement: _plan(connection, backend.statement(statement)) for statement in portions}

    found_by_keys = re.compile(r"SCAN (wanted|newest|line)")
    assert [
        statement
        for statement, plan in plans.items()
        if any("TEMP B-TREE" in step for step in plan) and not any(found_by_keys.match(step) for step in plan)
    ] == []
    assert len(plans) > 15


def test_every_connection_is_durable_and_erases_what_it_deletes(sqlite: SqlStore) -> None:
    connection = sqlite._backend.connect()
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "page_size")
    }
    connection.close()

    assert settings == {
        "journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "page_size": 16_384,
    }  # fmt: skip


class _SmallDisk(Sqlite):
    def connect(self) -> sqlite3.Connection:
        connection = super().connect()
        connection.execute("PRAGMA max_page_count = 80")
        return connection


def test_a_full_disk_is_named_and_leaves_the_state_as_it_was(database: Path) -> None:
    store = SqlStore(_SmallDisk(database))
    with store.write() as work:
        work.generation.move()
        work.commit()

    with store.write() as work:
        work.generation.move()
        with pytest.raises(DiskFull, match="disk is full"):
            work.records.add([record(f"r{place}", content="x" * 20_000) for place in range(200)], NOON)
        with pytest.raises(RuntimeError, match="ended"):
            work.commit()

    with store.read() as work:
        assert work.generation.read() == 1
        assert work.records.count() == {}
    with store.write() as work:
        work.generation.move()
        work.commit()
    store.close()


def _import(store: SqlStore, word: str, order: Random) -> None:
    """Store 3,000 records full of one word, of all sizes, in any order."""
    rows = [record(f"r{place}", content=f"{word}{place}|" * order.choice([1, 5, 40, 400])) for place in range(3_000)]
    order.shuffle(rows)
    with store.write() as work:
        work.records.add(rows, NOON)
        work.commit()


def _files_with(folder: Path, word: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if word in path.read_bytes()]


def test_replaced_content_is_overwritten_where_it_stood(sqlite: SqlStore, database: Path) -> None:
    for word in ("formerly", "nowadays"):
        with sqlite.write() as work:
            work.records.add([record("a", content=f"{word} " * 3_000)], NOON)
            work.commit()
    in_the_log = _files_with(database.parent, b"formerly")

    sqlite.checkpoint()

    assert in_the_log == ["node.db-wal"]
    assert _files_with(database.parent, b"formerly") == []
    assert _files_with(database.parent, b"nowadays") == ["node.db"]


def test_compacting_leaves_no_byte_of_what_was_replaced(sqlite: SqlStore, database: Path) -> None:
    order = Random(2026)
    for word in ("formerly", "meanwhile", "nowadays"):
        _import(sqlite, word, order)

    sqlite.compact()

    assert _files_with(database.parent, b"formerly") == []
    assert _files_with(database.parent, b"meanwhile") == []
    assert _files_with(database.parent, b"nowadays") == ["node.db"]
    with sqlite.read() as work:
        assert work.records.count() == {"101": 3_000}


def _words(word: str, order: Random) -> list[bytes]:
    """Contents of all sizes, from some bytes to some pages, each of them full of one word."""
    return [f"{word} {place}|".encode() * order.choice([1, 5, 40, 400, 4_000]) for place in range(_MANY)]


def _in_any_order(numbers: Iterable[int], order: Random) -> list[int]:
    mixed = list(numbers)
    order.shuffle(mixed)
    return mixed


def _found_after_compacting(store: SqlStore, folder: Path, *words: bytes) -> dict[bytes, list[str]]:
    """The files that have each word once the database was compacted; before that some file has it."""
    missing = [word for word in words if not _files_with(folder, word)]
    assert missing == []
    store.compact()
    return {word: _files_with(folder, word) for word in words}


def _record(place: int, content: bytes) -> NewRecordRow:
    row = record(f"r{place}", content="")
    return structs.replace(row, content=content, content_digest=sha256(content).digest())


def test_compacting_forgets_facts_that_no_record_has_any_more(sqlite: SqlStore, database: Path) -> None:
    alone = structs.replace(record("a"), facts=b'{"source_system":"alone"}')
    shared = [structs.replace(record(name), facts=b'{"source_system":"shared"}') for name in ("b", "c")]
    with sqlite.write() as work:
        work.records.add([alone, *shared], NOON)
        first, second, _ = work.records.page(None, 0, 10)
        for one in (first, second):
            work.changes.delete(deletion(one.record_no, NOON))
        work.commit()

    sqlite.compact()

    assert _files_with(database.parent, b"alone") == []
    assert _files_with(database.parent, b"shared") == ["node.db"]
    with sqlite.read() as work:
        assert [row.facts for row in work.records.page(None, 0, 10)] == [b"", b"", shared[0].facts]


def test_compacting_leaves_no_byte_of_a_corrected_or_deleted_record(sqlite: SqlStore, database: Path) -> None:
    order = Random(2026)
    formerly, wrongly, presently = (_words(word, order) for word in ("formerly", "wrongly", "presently"))
    with sqlite.write() as work:
        work.records.add([_record(place, content) for place, content in enumerate(formerly)], NOON)
        numbers = [row.record_no for row in work.records.page(None, 0, _MANY)]
        work.commit()
    with sqlite.write() as work:
        for place in _in_any_order(range(_MANY), order):
            work.changes.correct(numbers[place], _record(place, wrongly[place]), NOON)
        work.commit()
    with sqlite.write() as work:
        for place in _in_any_order(range(_MANY), order):
            if place % 3:
                work.changes.delete(deletion(numbers[place]))
            else:
                work.changes.correct(numbers[place], _record(place, presently[place]), NOON)
        work.commit()
    telling = [sha256(contents[1]).digest() for contents in (formerly, wrongly)]

    words = (b"formerly", b"wrongly", *telling, b"presently")
    found = _found_after_compacting(sqlite, database.parent, *words)
    assert [word for word, files in found.items() if files] == [b"presently"]
    with sqlite.read() as work:
        assert work.records.count() == {"101": _MANY // 3}
        assert len(work.records.page(None, 0, 1_000)) == _MANY


def test_compacting_leaves_no_byte_of_destroyed_renditions(sqlite: SqlStore, database: Path) -> None:
    order = Random(2026)
    stocked = stock(sqlite, _MANY)
    with sqlite.write() as work:
        for version, word in enumerate(("formerly", "presently"), 1):
            bodies = zip(stocked.records, _words(word, order), strict=True)
            made = [
                structs.replace(rendition(one, stocked.agreement_no, version=version), body=body)
                for one, body in bodies
            ]
            work.renditions.add([made[place] for place in _in_any_order(range(_MANY), order)])
        work.commit()
    with sqlite.write() as work:
        work.renditions.destroy(_in_any_order(stocked.records[: _MANY // 2], order))
        work.renditions.destroy(_in_any_order(stocked.records[_MANY // 2 : -1], order))
        work.commit()

    gone = [f"{word} {place}|".encode() for word in ("formerly", "presently") for place in (0, 7, _MANY - 2)]
    kept = [f"{word} {_MANY - 1}|".encode() for word in ("formerly", "presently")]
    found = _found_after_compacting(sqlite, database.parent, *gone, *kept)
    assert [word for word, files in found.items() if files] == kept


def test_compacting_leaves_no_byte_of_destroyed_copies(sqlite: SqlStore, database: Path) -> None:
    order = Random(2026)
    with sqlite.write() as work:
        for frame, word in (("f", "formerly"), ("g", "presently")):
            bodies = enumerate(_words(word, order))
            copies = [structs.replace(copy(frame, f"{word} {place}"), rendition=body) for place, body in bodies]
            work.received_frames.add(received(frame), copies)
        work.commit()
    with sqlite.write() as work:
        held = work.copies.held(AGREEMENT, [short(f"formerly {place}") for place in range(_MANY)])
        numbers = _in_any_order([one.number for one in held], order)
        work.copies.destroy(numbers[:100])
        work.copies.destroy(numbers[100:])
        work.commit()

    found = _found_after_compacting(sqlite, database.parent, b"formerly 7|", b"formerly", b"presently")
    assert len(numbers) == _MANY
    assert found == {b"formerly 7|": [], b"formerly": [], b"presently": ["node.db"]}


def test_compacting_leaves_no_byte_of_bodies_that_were_forgotten(sqlite: SqlStore, database: Path) -> None:
    """Withdrawn because a record in them changed, answered by their recipient, or too old to be asked for again."""
    order = Random(2026)
    stocked = stock(sqlite, 1)
    (number,) = stocked.records
    with sqlite.write() as work:
        for word in ("withdrawn", "answered", "forgotten", "presently"):
            for place, body in enumerate(_words(word, order)):
                name = f"{word} {place}"
                frame = sent(name, stocked.agreement_no) if word == "forgotten" else pushed(name, stocked.agreement_no)
                work.sent_frames.add([structs.replace(frame, body=body, header=b"header")])
                if word == "withdrawn":
                    work.ledger.disclose([shown(stocked.agreement_no, number, name)], NOON)
        work.commit()
    with sqlite.write() as work:
        withdrawn = work.sent_frames.withdraw([number], minutes(1))
        answered = [short(f"answered {place}") for place in _in_any_order(range(_MANY), order)]
        work.pushed_frames.answered(dict.fromkeys(answered), minutes(1))
        forgotten = work.erasures.forget_bodies(minutes(1))
        work.commit()

    words = (b"withdrawn", b"answered", b"forgotten", b"presently")
    found = _found_after_compacting(sqlite, database.parent, *words)
    assert (withdrawn, forgotten) == (_MANY, _MANY)
    assert [word for word, files in found.items() if files] == [b"presently"]


def test_compacting_keeps_numbers_as_they_are(sqlite: SqlStore) -> None:
    def numbers() -> list[tuple[int, int]]:
        with sqlite.read() as work:
            return [(row.record_no, row.subject_no) for row in work.records.page(None, 0, 10)]

    with sqlite.write() as work:
        work.records.add([record("a"), record("b")], NOON)
        work.commit()
    before = numbers()

    sqlite.compact()
    with sqlite.write() as work:
        work.records.add([record("c")], NOON)
        work.commit()

    assert numbers()[:2] == before
    assert numbers()[2] > before[1]


def test_a_checkpoint_empties_the_log_beside_the_database(sqlite: SqlStore, database: Path) -> None:
    with sqlite.write() as work:
        work.generation.move()
        work.commit()
    log = database.with_name("node.db-wal")
    before = log.stat().st_size

    sqlite.checkpoint()

    assert before > 0
    assert log.stat().st_size == 0


def test_a_checkpoint_during_a_long_read_is_refused_as_busy(database: Path) -> None:
    store = SqlStore(Sqlite(database, patience=0.05))
    with store.read() as reading:
        reading.generation.read()
        with store.write() as work:
            work.generation.move()
            work.commit()

        with pytest.raises(Busy):
            store.checkpoint()
    store.close()


def test_the_data_version_moves_with_every_commit_of_anybody_and_with_nothing_else(
    sqlite: SqlStore, database: Path
) -> None:
    versions = [sqlite.data_version()]
    with sqlite.read() as work:
        work.generation.read()
    with sqlite.write() as work:
        work.generation.move()
    versions.append(sqlite.data_version())
    with sqlite.write() as work:
        work.generation.move()
        work.commit()
    versions.append(sqlite.data_version())
    with _raw(database) as connection:
        connection.execute("UPDATE counters SET value = value + 1")
    versions.append(sqlite.data_version())

    assert versions[0] == versions[1]
    assert len(set(versions[1:])) == 3


def test_patience_with_another_process_ends_in_busy(database: Path) -> None:
    store = SqlStore(Sqlite(database, patience=0.05))
    with _raw(database) as connection:
        connection.execute("BEGIN IMMEDIATE")

        with pytest.raises(Busy, match="another process"), store.write():
            pytest.fail("the unit was opened")
        with store.read() as work:
            assert work.generation.read() == 0
    store.close()


def test_patience_with_another_thread_ends_in_busy(database: Path) -> None:
    store = SqlStore(Sqlite(database, patience=0.05))
    refused: list[StorageError] = []

    def second() -> None:
        try:
            with store.write():
                pytest.fail("the unit was opened")
        except Busy as error:
            refused.append(error)

    with store.write():
        thread = Thread(target=second)
        thread.start()
        thread.join()

    assert [type(error) for error in refused] == [Busy]
    store.close()


def test_more_units_than_connections_end_in_busy(database: Path) -> None:
    store = SqlStore(Sqlite(database, patience=0.05))
    with ExitStack() as units:
        for _ in range(32):
            units.enter_context(store.read())

        with pytest.raises(Busy, match="too many"), store.read():
            pytest.fail("the unit was opened")
    with store.read() as work:
        assert work.generation.read() == 0
    store.close()


def test_connections_that_were_lent_are_closed_with_the_store(database: Path) -> None:
    opened: list[sqlite3.Connection] = []

    class Watched(Sqlite):
        def connect(self) -> sqlite3.Connection:
            opened.append(super().connect())
            return opened[-1]

    store = SqlStore(Watched(database))
    with store.read(), store.read():
        pass
    with store.read():
        store.close()

    assert len(opened) == 2
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_nothing_can_be_written_in_a_unit_that_only_reads(sqlite: SqlStore) -> None:
    with sqlite.read() as work, pytest.raises(Unusable, match="may not be written"):
        work.generation.move()


def test_a_store_can_be_opened_by_several_processes_one_after_the_other(database: Path) -> None:
    stores = [open_store(f"sqlite:///{database}") for _ in range(2)]
    for store in stores:
        with store.write() as work:
            work.generation.move()
            work.commit()
    with stores[0].read() as work:
        assert work.generation.read() == 2
    for store in stores:
        store.close()


def test_an_act_is_kept_once(sqlite: SqlStore, database: Path) -> None:
    act = ActRow(digest=digest("act"), operator="alice", raw=b"signed", at=NOON)
    with sqlite.write() as work:
        work.operators.record_act(act)
        work.operators.record_act(act)
        work.commit()

    with _raw(database) as connection:
        rows = connection.execute("SELECT digest, operator, raw FROM operator_acts").fetchall()
    assert rows == [(act.digest, "alice", b"signed")]


def test_errors_and_names_of_a_store_show_no_content(sqlite: SqlStore) -> None:
    with sqlite.write() as work:
        work.records.add([record("a", USCC), record("b", BRN)], NOON)
        with pytest.raises(sqlite3.IntegrityError) as caught:
            work.usage.charge(4_711, {"day:2026-11-23": 1})

    assert "4711" not in str(caught.value)
    assert "day" not in str(caught.value)


@pytest.mark.parametrize("binds_by_number", sorted({_BINDS_BY_NUMBER, False}))
def test_what_many_rows_share_is_bound_once_or_with_each_where_the_driver_warns_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, binds_by_number: bool
) -> None:
    monkeypatch.setattr("node.storage.sqlite._BINDS_BY_NUMBER", binds_by_number)
    rows = [record(f"r{place}", content=f"content {place}") for place in range(300)]
    with closing(open_store(f"sqlite:///{tmp_path / 'n.db'}", create=True)) as store:
        with store.write() as work:
            work.records.add(rows, NOON)
            work.commit()
        with store.read() as work:
            found = work.records.page(None, 0, 1_000)

    assert [row.content for row in found] == [row.content for row in rows]
    assert {(row.version, row.kind, row.withheld, row.stored_at) for row in found} == {(1, "101", frozenset(), NOON)}
