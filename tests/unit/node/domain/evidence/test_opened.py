"""A journal entry in a bundle reads exactly as it was written, and opens only with the detail it commits to."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import pytest

from crypto.canonical import canonical, read
from crypto.errors import CryptoError
from crypto.merkle import leaf_hash
from node.domain.evidence.lines import EntryLine
from node.domain.evidence.opened import open_entry
from node.domain.journal import Act, EntryFacts, JournalEntry, detail_commitment, draft
from registry.parties import PartyId

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
SALT = "5a" * 32


def line(detail: bytes = b'{"count":1}', **changes: object) -> EntryLine:
    """An entry with other facts, written in any way, and committed to that detail."""
    drafted = draft(EntryFacts(act=Act.ERASED, detail={}), PartyId("sz-agency"), NOON, Random(1).randbytes)
    facts = json.loads(drafted.entry) | {"detail": detail_commitment(bytes.fromhex(SALT), detail).hex()} | changes
    return EntryLine(json.dumps(facts, separators=(",", ":"), ensure_ascii=False), detail.decode(), SALT)


def refused(entry: EntryLine) -> bool:
    try:
        open_entry(entry, 7)
    except CryptoError:
        return True
    return False


def test_an_entry_opens() -> None:
    opened = open_entry(line(), 7)

    assert (opened.act, opened.at, opened.counterparty, opened.place) == (Act.ERASED, NOON, "-", "journal entry 7")
    assert opened.detail == {"count": 1}
    assert opened.leaf == leaf_hash(line().entry.encode())


def test_it_opens_with_no_other_detail_and_no_other_salt() -> None:
    one = line()

    assert refused(EntryLine(one.entry, '{"count":2}', SALT))
    assert refused(EntryLine(one.entry, one.detail, "5b" * 32))


@pytest.mark.parametrize(
    "changes",
    [
        {"at": "2026-06-01T12:00:00+08:00"},
        {"at": "2026-06-01T04:00:00+00:00"},
        {"at": "2026-06-01T04:00:00.5Z"},
        {"at": "2026-06-01T04:00:00"},
        {"at": "2026-06-01 04:00:00Z"},
        {"at": "1899-06-01T04:00:00Z"},
        {"at": "3000-06-01T04:00:00Z"},
        {"at": 1_780_000_000},
        {"suite": 0},
        {"suite": 2},
        {"suite": 1 << 60},
        {"suite": 1.0},
        {"suite": "1"},
        {"act": "erase"},
        {"zz": 1},
        {"node": None},
    ],
    ids=str,
)
def test_an_entry_that_is_written_otherwise_is_refused_as_canonical_reading_would(changes: dict[str, object]) -> None:
    one = line(b"{}", **changes)

    assert refused(one)
    if "suite" not in changes:
        with pytest.raises(CryptoError):
            read(one.entry.encode(), JournalEntry)


@pytest.mark.parametrize(
    "write",
    [
        lambda raw: raw.replace(",", ", "),
        lambda raw: raw + " ",
        lambda raw: raw.replace('"act":"erased",', "", 1).replace("}", ',"act":"erased"}'),
        lambda raw: raw.replace("{", '{"act":"erased",', 1),
        lambda raw: raw.replace("erased", "\\u0065rased"),
        lambda raw: raw[:-1],
        lambda _: "[]",
    ],
)
def test_an_entry_in_another_spelling_is_refused(write: Callable[[str], str]) -> None:
    one = line()

    assert refused(EntryLine(write(one.entry), one.detail, one.salt))


@pytest.mark.parametrize(
    "detail",
    [b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'{"a": 1}', b'{"a":1.5}', b'{"a":true}', b'{"a":[]}', b'{"a":{}}', b"[]",
     b"null", b"", b'{"a":9007199254740992}', b'{"a":1.0}', b'{"\\u00e9":1}', b'{"a":-9007199254740992}',
     b'{"a":"\\u0065"}', b'{"a":"\\/"}', '{"\ufb00":2,"\U0001f600":1}'.encode()],
)  # fmt: skip
def test_a_detail_that_is_written_otherwise_is_refused(detail: bytes) -> None:
    assert refused(line(detail))


@pytest.mark.parametrize("detail", [{}, {"a": None, "b": "", "c": -1}, {"é": 1, "z": 2}, {"\U0001f600": 1, "ﬀ": 2}])
def test_a_detail_that_is_canonical_opens(detail: dict[str, str | int | None]) -> None:
    assert open_entry(line(canonical(detail)), 0).detail == detail
