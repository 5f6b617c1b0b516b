"""What a node does by itself: load records, verify its journal, evaluate, index; each beside the bare work in it."""

import csv
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import urandom
from pathlib import Path

from voprf import ristretto

from agreements.refusal import Refused
from bench.ceilings import PRAGMAS
from bench.results import Effort, Row, rate, row
from crypto.checkpoint import NoteKey
from crypto.keys import Purpose, generate, generate_seal_key
from crypto.merkle import leaf_hash
from crypto.pseudonym import MOST_ELEMENTS, blind, evaluator, subject_input
from crypto.pseudonym_pool import PseudonymPool
from node.app.opening import utc_now
from node.domain.context import Context, NodeKeys
from node.domain.dates import shanghai_day
from node.domain.intake import Intake, open_intake
from node.domain.journal import Act, EntryFacts, draft, journal_origin
from node.domain.mapping import standard_mapping
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, read_rows
from node.domain.rows import Row as FileRow
from node.domain.sample import sample_enterprises
from node.operations.build_index import IndexNeeded, extend_index
from node.operations.facts import Law
from node.operations.import_records import BATCH, Import, import_rows
from node.operations.keep_journal import sequence_journal, verify_own_journal
from node.storage.engine import open_store
from node.storage.store import SqlStore
from registry.norms.calendar import load_calendar
from registry.norms.catalogue import load_catalogue
from registry.norms.rule_pack import load_rule_pack
from registry.parties import PartyId

STORE = "sqlite"
HOME = PartyId("sz-credit")
AGREEMENT = "00" * 16
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder for databases, and a context with keys of its own."""

    folder: Path
    context: Context

    @classmethod
    def of(cls, folder: Path) -> "Workshop":
        """A workshop in a folder."""
        purposes = (Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL)
        document, frame, journal = (generate(purpose, urandom) for purpose in purposes)
        keys = NodeKeys(
            document=document, frame=frame, journal=journal, registry=None, seal=generate_seal_key(urandom),
            pseudonym_seed=urandom(32),
        )  # fmt: skip
        return cls(folder, Context(node=HOME, now=utc_now, random=urandom, keys=keys))

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """A new, empty database."""
        with closing(open_store(f"sqlite:///{self.folder / urandom(8).hex()}.sqlite", create=True)) as store:
            yield store

    @contextmanager
    def bare(self) -> Iterator[sqlite3.Connection]:
        """A new database as the driver opens it, as durable as ours."""
        path = self.folder / f"{urandom(8).hex()}.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for pragma in PRAGMAS:
                database.execute(f"PRAGMA {pragma}")
            yield database


def measure_local(effort: Effort, folder: Path) -> list[Row]:
    """Every local measurement, one after the other."""
    workshop = Workshop.of(folder)
    return [
        _measured("import_rows", STORE, "rows/s", effort, _importing(workshop, effort.rows)),
        _measured("verify_entries", STORE, "entries/s", effort, _verifying(workshop, effort.entries)),
        _measured("evaluate", "-", "elements/s", effort, _evaluating(workshop, effort.elements)),
        _measured("index", STORE, "subjects/s", effort, _indexing(workshop, effort.subjects)),
    ]


def _measured(name: str, store: str, unit: str, effort: Effort, once: Callable[[], Pair]) -> Row:
    once()
    ours, ceilings = zip(*(once() for _ in range(effort.rounds)), strict=True)
    return row(name, store, unit, ours, ceilings)


def _importing(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """From the bytes of a file to stored records, beside reading and storing the same text without looking at it."""
    rows = list(sample_enterprises(7, count, shanghai_day(utc_now())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()

    def once() -> Pair:
        with workshop.store() as store, workshop.bare() as database:
            return rate(count, lambda: _import(raw, store, workshop.context)), rate(count, lambda: _copy(raw, database))

    return once


def _import(raw: bytes, store: SqlStore, context: Context) -> None:
    mapping = standard_mapping(Kind.REGISTRATION)
    read = read_rows(io.BytesIO(raw), Format.CSV)
    rows: Iterator[FileRow | BadRow] = (mapping.apply(one) if isinstance(one, FileRow) else one for one in read)
    for progress in import_rows(rows, _ordered(), store, context):
        assert not progress.rejects


def _ordered() -> Import:
    order = SignedAct(operator="bench", digest=bytes(32), raw=b"")
    return Import(
        intake=_intake(),
        order=order,
        law=Law(rules=load_rule_pack(), catalogue=load_catalogue(), calendar=load_calendar()),
    )


def _intake() -> Intake:
    today = shanghai_day(utc_now())
    intake = open_intake(
        Kind.REGISTRATION, load_catalogue(), load_rule_pack(), provider=HOME, source_system="bench", today=today
    )
    assert not isinstance(intake, Refused)
    return intake


def _copy(raw: bytes, database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, subject TEXT, content TEXT)")
    database.execute("CREATE UNIQUE INDEX of_subject ON rows (subject)")
    read = csv.reader(io.StringIO(raw.decode()))
    batch = [(str(number), ",".join(values)) for number, values in enumerate(read)]
    for start in range(0, len(batch), BATCH):
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO rows (subject, content) VALUES (?, ?)", batch[start : start + BATCH])
        database.execute("COMMIT")


def _verifying(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """Reading a journal again, entry by entry, beside hashing the same entries."""
    context = workshop.context
    path = workshop.folder / "journal.sqlite"
    with closing(open_store(f"sqlite:///{path}", create=True)) as store:
        facts = EntryFacts(act=Act.QUERY, detail={"outcome": "ANSWERED", "request": "00" * 32})
        with store.write() as work:
            work.journal.add([draft(facts, HOME, utc_now(), urandom) for _ in range(count)])
            work.commit()
        size = 0
        while size < count:
            with store.write() as work:
                published = sequence_journal(work, context)
            assert published is not None
            size = published.size
    vkey = NoteKey(journal_origin(HOME), context.keys.journal).verifier().vkey()

    def verify() -> None:
        with closing(open_store(f"sqlite:///{path}")) as store, store.read() as work:
            assert verify_own_journal(work, vkey).problems == ()

    def hash_all() -> None:
        with closing(sqlite3.connect(path)) as database:
            for (entry,) in database.execute("SELECT entry FROM journal_entries ORDER BY place"):
                leaf_hash(entry)

    return lambda: (rate(count, verify), rate(count, hash_all))


def _evaluating(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """Elements through the pool's one process, beside the package's own batch in this one."""
    seed = workshop.context.keys.pseudonym_seed
    portion = blind([subject_input("CN-USCC", str(number)) for number in range(MOST_ELEMENTS)]).blinded
    blinded = portion * (count // MOST_ELEMENTS)
    bare = evaluator(seed, AGREEMENT, 1)

    def evaluate_bare() -> None:
        for start in range(0, len(blinded), MOST_ELEMENTS):
            portion = blinded[start : start + MOST_ELEMENTS]
            bare.evaluate_batch([ristretto.BlindedInput.deserialize(one) for one in portion])

    def once() -> Pair:
        with PseudonymPool(seed, 1) as pool:
            ours = rate(len(blinded), lambda: pool.evaluate(AGREEMENT, 1, blinded))
        return ours, rate(len(blinded), evaluate_bare)

    return once


def _indexing(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """Building the index of so many subjects in one process, beside computing their pseudonyms alone."""
    seed = workshop.context.keys.pseudonym_seed
    evaluate = evaluator(seed, AGREEMENT, 1).evaluate_known_input
    inputs = [subject_input("CN-USCC", str(number)) for number in range(count)]
    needed = IndexNeeded(agreement=bytes(32), agreement_id=AGREEMENT, epoch=1)

    def index(store: SqlStore, pool: PseudonymPool) -> None:
        while extend_index(store, needed, pool.own):
            pass

    def once() -> Pair:
        with workshop.store() as store, PseudonymPool(seed, 0) as pool:
            _subjects(store, count, workshop.context)
            ours = rate(count, lambda: index(store, pool))
        return ours, rate(count, lambda: [evaluate(one) for one in inputs])

    return once


def _subjects(store: SqlStore, count: int, context: Context) -> None:
    rows = sample_enterprises(9, count, shanghai_day(datetime.now(UTC)))
    mapping = standard_mapping(Kind.REGISTRATION)
    read = (FileRow(number, one) for number, one in enumerate(rows))
    for _ in import_rows(map(mapping.apply, read), _ordered(), store, context):
        pass
    with store.write() as work:
        work.agreements.number(bytes(32))
        work.commit()
