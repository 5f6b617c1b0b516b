"""How a story ended: what both members know, in lines that leave out times, salts, ids and the numbers of tries.

Two endings are alike if they have the same lines. Whatever may differ after a crash is named in `REPEATS`.
"""

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from crypto import commitment
from node.domain.journal import Act
from node.operations.keep_journal import verify_own_journal
from node.storage.tables import metadata
from registry.parties import PartyId
from tests.crash.story import BOTH, CORRECTED, DELETED, HOLDER, UPDATED, Memory
from tests.fakes.members import OPERATOR, Member
from tests.fakes.network import Network
from tests.fakes.propagation import HOME, address

Ending = dict[str, list[str]]
"""Lines, by what they are about."""
Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

REPEATS: Final[Mapping[str, Mapping[tuple[str, str], int]]] = {
    # What was blinded is forgotten in a crash, so that the same subjects are evaluated and charged anew.
    "query": {(f"{HOME}: journal", Act.EVALUATE): 1},
    # Receipts whose answer did not arrive are signed and sent again; home keeps the first of each.
    "receipt of answers": {(f"{HOME}: journal", Act.RECEIPT): 2},
    "receipt of notices": {(f"{HOME}: journal", Act.RECEIPT): 15},
    "receipt of erasure": {(f"{HOME}: journal", Act.RECEIPT): 7},
    # The file is given again, on a new order, and nothing in it is new then.
    "import": {(f"{HOME}: journal", Act.RECORDS): 1, (f"{HOME}: orders", OPERATOR): 1},
}
"""What may be there again if the story was broken off in an act: lines about something, by how they begin, at most."""

GROWING: Final = frozenset({"journal_entries", "journal_nodes", "receipts", "evaluations", "operator_acts"})
"""Tables that grow with entries that are repeated; what they hold is compared otherwise."""


def ending(network: Network, urls: Mapping[PartyId, str], memory: Memory) -> Ending:
    """What there is in the end, at both members."""
    tables = {party: tables_of(urls[party]) for party in BOTH}
    names = {row["alias"]: f"record {row['record_no']}" for row in tables[HOME]["aliases"]}
    told: dict[str, list[str]] = {f"{HOME}: {about}": lines for about, lines in _home(tables[HOME]).items()}
    told |= {f"{HOLDER}: {about}": lines for about, lines in _holder(tables[HOLDER], names).items()}
    for party in BOTH:
        told |= {f"{party}: {about}": lines for about, lines in _anybody(tables[party]).items()}
        told[wrong_at(party)] = [*_unverified(network.members[party]), *left_over(tables[party], memory.gone[party])]
    return {about: sorted(lines) for about, lines in told.items()}


def wrong_at(party: PartyId) -> str:
    """Under what an ending has that which is wrong in itself."""
    return f"{party}: wrong"


def differences(expected: Ending, got: Ending, broken_in: str = "") -> list[str]:
    """What an ending lacks and what it has too much, but for what may be repeated after a crash in that act."""
    wrong = []
    for about in sorted({*expected, *got}):
        lacking, extra = Counter(expected.get(about, ())), Counter(got.get(about, ()))
        lacking, extra = lacking - extra, extra - lacking
        for (repeated, begins), most in REPEATS.get(broken_in, {}).items():
            if repeated == about:
                extra = extra - Counter([line for line in extra.elements() if line.split()[0] == begins][:most])
        wrong += [f"{about}: lacks {line}" for line in lacking.elements()]
        wrong += [f"{about}: has too much {line}" for line in extra.elements()]
    return wrong


def tables_of(url: str) -> Tables:
    """Every row of a database, by table."""
    path = url.removeprefix("sqlite:///")
    with closing(psycopg.connect(url) if path == url else sqlite3.connect(path)) as connection:
        return {table: _rows(connection, table) for table in metadata.tables}


def _rows(connection: Any, table: str) -> list[Row]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own tables
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _home(tables: Tables) -> dict[str, list[str]]:
    frames = {row["number"]: row for row in tables["sent_frames"]}
    return {
        "records": [
            f"record {row['number']} v{row['version']} {'deleted' if row['deleted_at'] else ''} {row['content']!r}"
            f" {row['withheld']} until {row['disclose_until']}"
            for row in tables["records"]
        ],
        "fallen": [f"record {row['record_no']} {row['reason']} {row['field']}" for row in tables["fallen_records"]],
        "withholdings": [
            f"record {row['record_no']} {row['state']} begun={bool(row['begun'])} {row['next_on']} {row['end_basis']}"
            for row in tables["withholdings"]
        ],
        "looked at": [
            f"{row['checked']} through {row['through']}: {row['fallen']} fell again={bool(row['again'])}"
            f" done={row['done_at'] is not None}"
            for row in tables["rechecks"]
        ],
        "deletions": [f"record {row['record_no']} {row['basis']} {row['document']}" for row in tables["deletions"]],
        "declared wrong": [f"record {row['record_no']}" for row in tables["corrected_contents"]],
        "ledger": [
            f"record {row['record_no']} v{row['record_version']} {frames[row['frame_no']]['recipient']}"
            f" {row['fields']} {'closed' if row['closed_at'] else 'open'}"
            for row in tables["disclosures"]
        ],
        "renditions": [f"record {row['record_no']} v{row['record_version']}" for row in tables["renditions"]],
        "aliases": [f"record {row['record_no']} is at {row['wire_version']}" for row in tables["aliases"]],
        "frames": [*_frames(tables)],
        "notices": [*_notices(tables)],
        "stages": [*_stages(tables)],
        "pushes are numbered": _contiguous(row["sequence"] for row in frames.values() if row["sequence"] is not None),
        "notices are numbered": _contiguous(row["sequence"] for row in tables["notices"]),
        "batches are numbered": _contiguous(
            number
            for row in tables["notice_batches"]
            for number in range(row["first"], row["first"] + row["count"])
        ),
        "batches": [f"{row['taken_at'] is not None} {row['trouble']}" for row in tables["notice_batches"]],
        "charges": [*_charges(tables)],
    }  # fmt: skip


def _frames(tables: Tables) -> Iterator[str]:
    receipted = {row["frame_no"] for row in tables["frame_receipts"]}
    for row in tables["sent_frames"]:
        mode = "answer" if row["request"] else "push" if row["push_job"] else "replacement"
        yield (
            f"{mode} receipted={row['number'] in receipted} taken={row['taken_at'] is not None}"
            f" refused={row['refused']} cancelled={row['cancelled_at'] is not None} kept={row['body'] is not None}"
        )


def _notices(tables: Tables) -> Iterator[str]:
    for row in tables["notices"]:
        yield (
            f"{row['peer']} record {row['record_no']} v{row['record_version']} {row['effect']} to {row['version']}"
            f" {row['basis']} {row['document']} {row['stage']}"
        )


def _stages(tables: Tables) -> Iterator[str]:
    records = {row["number"]: row["record_no"] for row in tables["notices"]}
    for row in tables["notice_receipts"]:
        yield f"record {records[row['notice_no']]} {row['stage']}"


def _contiguous(numbers: Iterable[int]) -> list[str]:
    """One line if these are 1, 2, 3, ... without a gap and none twice."""
    given = sorted(numbers)
    return ["without a gap" if given == [*range(1, len(given) + 1)] else f"{given}"]


def _charges(tables: Tables) -> Iterator[str]:
    """Queries as they were charged, and evaluated elements beside those that the journal says were evaluated."""
    journalled = sum(
        detail["elements"] for _, detail in _entries(tables) if detail.get("outcome") == "EVALUATED"
    )  # fmt: skip
    for row in tables["charges"]:
        if row["period"].startswith("day:"):
            yield f"{row['amount']} queries"
        else:
            yield f"{row['period']} is charged {row['amount'] - journalled} beyond what was evaluated"
    entries = sum(detail.get("outcome") == "EVALUATED" for _, detail in _entries(tables))
    yield f"{len(tables['evaluations']) - entries} evaluations without an entry"


def _holder(tables: Tables, names: Mapping[bytes, str]) -> dict[str, list[str]]:
    return {
        "copies": [
            f"{names[row['alias']]} at {row['wire_version']} {commitment.decode(row['rendition']).values()}"
            for row in tables["copies"]
        ],
        "floors": [f"{names[row['alias']]} {row['version']} {bool(row['deleted'])}" for row in tables["floors"]],
        "streams": [f"expects {row['expected']}" for row in tables["notice_streams"]],
        "notices taken": [
            f"{names[row['alias']]} {row['effect']} to {row['version']} {row['stage']}"
            for row in tables["received_notices"]
        ],
        "notices are numbered": _contiguous(row["sequence"] for row in tables["received_notices"]),
        "pseudonyms": [f"{row['scheme']} {row['value']}" for row in tables["known_pseudonyms"]],
    }


def _anybody(tables: Tables) -> dict[str, list[str]]:
    return {
        "rows": [f"{name} has {len(rows)} rows" for name, rows in tables.items() if name not in GROWING],
        "jobs": [f"{row['kind']} {row['peer']} {row['state']} {_lasting(row['result'])}" for row in tables["jobs"]],
        "clocks": [*_clocks(tables)],
        "journal": [*_journal(tables)],
        "orders": [*_orders(tables)],
        "places in the journal": _contiguous(
            -1 if row["place"] is None else row["place"] + 1 for row in tables["journal_entries"]
        ),
    }  # fmt: skip


def _clocks(tables: Tables) -> Iterator[str]:
    # By its place: PostgreSQL gives no number twice, also not one that was undone.
    places = {number: place for place, number in enumerate(sorted(row["number"] for row in tables["notices"]), 1)}
    for row in tables["clocks"]:
        about = f"{row['code']} {row['about']} {_nameless(row['name'])} of {row['count']} {row['peer']}"
        yield f"{about} awaits={places.get(row['awaits'])} {row['standing']} {row['met_by']}"


def _journal(tables: Tables) -> Iterator[str]:
    """A line for each entry; one for each receipt, since those that wait together are signed together."""
    for entry, detail in _entries(tables):
        if entry["act"] == Act.RECEIPT.value and "count" in detail:
            matched = detail["matched"]
            yield from [f"{entry['act']} {entry['counterparty']} matched"] * matched
            yield from [f"{entry['act']} {entry['counterparty']} of nothing"] * (detail["count"] - matched)
        else:
            yield f"{entry['act']} {entry['counterparty']} {detail}"


def _entries(tables: Tables) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every entry with what lasts of its detail."""
    for row in tables["journal_entries"]:
        yield msgspec.json.decode(row["entry"]), _lasting(row["detail"])


def _lasting(raw: bytes | None) -> dict[str, Any]:
    """What a journal's detail or a job's result says, without ids and digests."""
    said: dict[str, Any] = msgspec.json.decode(raw or b"{}")
    return {name: _nameless(value) for name, value in sorted(said.items())}


def _nameless(value: Any) -> Any:
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    return "#" if isinstance(value, str) and _NAME.fullmatch(value) else value


_NAME = re.compile(r"[0-9a-f ]{32,}")


def _orders(tables: Tables) -> Iterator[str]:
    """Signed orders that an entry names; one that nothing came of may be left by a crash."""
    details = [msgspec.json.decode(row["detail"]) for row in tables["journal_entries"]]
    named = {digest for one in details for name in ("order", "orders") for digest in str(one.get(name, "")).split()}
    for row in tables["operator_acts"]:
        if row["digest"].hex() in named:
            yield row["operator"]


def _unverified(member: Member) -> Iterator[str]:
    """What is wrong with a member's journal."""
    verdict = member.read(lambda work: verify_own_journal(work, member.card.card.journal_vkey))
    yield from verdict.problems
    if verdict.unsequenced:
        yield f"{verdict.unsequenced} entries are not in the published journal"


def void() -> list[str]:
    """The addresses that no record has in the end."""
    return [address(number, 0) for number in (*CORRECTED, *DELETED, UPDATED)]


def left_over(tables: Tables, salts: Iterable[str]) -> list[str]:
    """Where a table still has content, or a salt, of a deleted or superseded version."""
    wanted = [*void(), *salts]
    return [
        f"{table}.{name} still holds {what}"
        for table, rows in tables.items()
        for name, values in _columns(rows).items()
        for what in wanted
        if what.encode() in values
    ]


def _columns(rows: Iterable[Row]) -> dict[str, bytes]:
    """All that a table holds, by column, so that it is searched once."""
    columns: dict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str | bytes):
                columns[name].append(value.encode() if isinstance(value, str) else value)
    return {name: b"\n".join(values) for name, values in columns.items()}


def left_in_files(folder: Path, party: PartyId, salts: Iterable[str]) -> list[str]:
    """Which content or salt of a deleted or superseded version is still in a member's SQLite files."""
    written = b"".join(path.read_bytes() for path in folder.glob(f"{party}.db*"))
    return [f"the files still hold {what}" for what in (*void(), *salts) if what.encode() in written]
