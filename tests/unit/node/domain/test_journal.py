"""A journal entry: one shape, a detail that only its salt opens, and nothing of what the act was about."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

import pytest

from crypto.canonical import read
from crypto.errors import UnknownField
from crypto.merkle import leaf_hash
from node.domain.journal import (
    NO_AGREEMENT,
    NOBODY,
    Act,
    Drafted,
    EntryFacts,
    JournalEntry,
    detail_commitment,
    draft,
    draft_alike,
    journal_origin,
)
from registry.parties import PartyId

AGENCY, BANK = PartyId("sz-agency"), PartyId("hk-bank")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AGREEMENT = sha256(b"terms").digest()
FACTS = EntryFacts(act=Act.QUERY, detail={"outcome": "ANSWERED", "count": 2}, counterparty=BANK, agreement=AGREEMENT)


def drafted(facts: EntryFacts = FACTS, seed: int = 1) -> Drafted:
    return draft(facts, AGENCY, NOON, Random(seed).randbytes)


def test_an_entry_names_act_parties_agreement_and_time_and_hides_its_detail() -> None:
    made = drafted()
    entry = read(made.entry, JournalEntry)

    assert (entry.act, entry.node, entry.counterparty, entry.at) == (Act.QUERY, AGENCY, BANK, NOON)
    assert entry.agreement == AGREEMENT.hex()
    assert entry.detail == detail_commitment(made.salt, made.detail).hex()
    assert b"ANSWERED" not in made.entry
    assert json.loads(made.detail) == FACTS.detail


def test_the_leaf_is_the_hash_of_the_very_bytes() -> None:
    assert drafted().leaf == leaf_hash(drafted().entry)


def test_an_act_with_nobody_under_no_agreement_says_so_in_the_same_shape() -> None:
    entry = read(drafted(EntryFacts(act=Act.RECORDS, detail={})).entry, JournalEntry)

    assert (entry.counterparty, entry.agreement) == (NOBODY, NO_AGREEMENT)


@pytest.mark.parametrize("counterparty", ["hk-bank", '"detail":"","entry":""', '\\","detail":"","entry":"", é'])
def test_acts_told_alike_are_canonical_entries_each_with_a_salt_and_a_name_of_its_own(counterparty: str) -> None:
    facts = EntryFacts(act=Act.QUERY, detail=FACTS.detail, counterparty=PartyId(counterparty), agreement=AGREEMENT)

    made = draft_alike(facts, 3, AGENCY, NOON, Random(1).randbytes)
    entries = [read(one.entry, JournalEntry) for one in made]

    assert len({one.salt for one in made}) == len({one.entry for one in entries}) == 3
    assert {(one.node, one.counterparty, one.agreement) for one in entries} == {(AGENCY, counterparty, AGREEMENT.hex())}
    assert [one.detail for one in entries] == [detail_commitment(one.salt, one.detail).hex() for one in made]
    assert [one.leaf for one in made] == [leaf_hash(one.entry) for one in made]
    assert draft_alike(facts, 0, AGENCY, NOON, Random(1).randbytes) == []


def test_the_same_act_twice_is_two_entries_with_salts_of_their_own() -> None:
    first, second = drafted(), drafted(seed=2)

    assert first.entry != second.entry
    assert len(first.entry) == len(second.entry)
    assert len({first.salt, second.salt}) == 2
    assert len(first.salt) == 32


@pytest.mark.parametrize(
    "detail",
    [{"outcome": "ANSWERED"}, {"outcome": "AGREEMENT_SCOPE", "article": "S 35", "count": None}, {}],
    ids=["short", "long", "none"],
)
def test_the_outcome_never_shows_in_the_length(detail: dict[str, str | int | None]) -> None:
    made = drafted(EntryFacts(act=Act.QUERY, detail=detail, counterparty=BANK, agreement=AGREEMENT))

    assert len(made.entry) == len(drafted().entry)


def test_another_salt_or_detail_is_another_commitment() -> None:
    committed = detail_commitment(bytes(32), b"{}")

    assert committed == sha256(b"creditport/journal-detail/v1" + bytes(32) + b"{}").digest()
    assert detail_commitment(b"\x01" * 32, b"{}") != committed
    assert detail_commitment(bytes(32), b"[]") != committed


def test_an_entry_of_another_shape_is_not_read() -> None:
    wider = json.loads(drafted().entry) | {"more": 1}

    with pytest.raises(UnknownField):
        read(json.dumps(wider, sort_keys=True, separators=(",", ":")).encode(), JournalEntry)


def test_a_drafted_entry_never_shows_its_salt() -> None:
    assert str(drafted().salt) not in repr(drafted())


def test_every_act_has_a_word_of_its_own() -> None:
    assert len({act.value for act in Act}) == len(Act)
    assert journal_origin(AGENCY) == "creditport/journal/sz-agency"
