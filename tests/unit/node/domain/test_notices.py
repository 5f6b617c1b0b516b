"""Notices: what they do to copies, where a batch stands in its stream, and whom a change concerns."""

from datetime import UTC, datetime

import pytest

from crypto.keys import Suite
from node.domain.notices import (
    NO_FLOOR,
    Change,
    Effect,
    Floor,
    Holding,
    Notice,
    NoticeBatch,
    Place,
    Stream,
    apply,
    basis_commitment,
    place_of,
    plan,
)
from node.domain.receipts import CopyReceipt, CopyStage
from registry.norms.code_lists import CodeListName
from registry.parties import PartyId

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
DIGESTS = [bytes([number]) * 32 for number in range(4)]


def notice(effect: Effect = Effect.REPLACE, version: int = 2) -> Notice:
    return Notice(
        alias="0a" * 16, basis="0b" * 32, due=NOON, effect=effect, notice="0c" * 16, occurred_at=NOON, version=version
    )


def batch(first: int, previous: bytes | None) -> NoticeBatch:
    return NoticeBatch(
        agreement="0d" * 32, first=first, holder=PartyId("hk-bank"), home=PartyId("sz-agency"), issued_at=NOON,
        journal_leaf="0e" * 32, notices=(notice(),), previous=None if previous is None else previous.hex(),
        suite=Suite.ONE,
    )  # fmt: skip


def test_a_correction_forbids_the_versions_before_it() -> None:
    done = apply(notice(version=3), [1, 2], NO_FLOOR)

    assert done.stage is CopyStage.APPLIED
    assert [done.floor.forbids(version) for version in (1, 2, 3, 4)] == [True, True, False, False]


def test_a_deletion_forbids_every_version_for_good() -> None:
    done = apply(notice(Effect.DELETE, 3), [2], NO_FLOOR)
    later = apply(notice(Effect.REPLACE, 9), [], done.floor)

    assert [later.floor.forbids(version) for version in (1, 3, 9, 10)] == [True] * 4


def test_what_is_not_held_is_said_so_and_must_not_come_late() -> None:
    done = apply(notice(Effect.REPLACE, 2), [], NO_FLOOR)

    assert done.stage is CopyStage.NOT_HELD
    assert done.floor.forbids(1)


def test_a_notice_that_comes_late_never_lowers_a_floor() -> None:
    assert apply(notice(version=2), [5], Floor(version=5, deleted=False)).floor == Floor(version=5, deleted=False)


@pytest.mark.parametrize(
    ("first", "previous", "known", "expected"),
    [
        (5, DIGESTS[1], None, Place.NEXT),
        (5, DIGESTS[2], None, Place.FORKED),
        (5, None, None, Place.FORKED),
        (6, DIGESTS[1], None, Place.AHEAD),
        (3, DIGESTS[0], DIGESTS[3], Place.KNOWN),
        (3, DIGESTS[0], DIGESTS[2], Place.FORKED),
        (4, DIGESTS[0], None, Place.FORKED),
    ],
)
def test_a_batch_is_next_known_ahead_or_a_second_telling(
    first: int, previous: bytes | None, known: bytes | None, expected: Place
) -> None:
    stream = Stream(expected=5, last=DIGESTS[1])

    assert place_of(batch(first, previous), DIGESTS[3], stream, known) is expected


def test_a_stream_begins_with_number_one_after_nothing() -> None:
    assert place_of(batch(1, None), DIGESTS[3], Stream(), None) is Place.NEXT
    assert place_of(batch(1, DIGESTS[0]), DIGESTS[3], Stream(), None) is Place.FORKED


def test_each_holder_of_a_changed_record_gets_one_notice_in_its_own_next_version() -> None:
    change = Change(
        bases=CodeListName.CORRECTION_BASES,
        record_no=7,
        record_version=3,
        effect=Effect.REPLACE,
        basis="DISPUTE",
        document="",
        occurred_at=NOON,
        due_at=NOON,
    )
    holdings = [
        Holding(record_no=record, agreement_no=number, holder=PartyId(f"bank-{number}"), alias=b"", wire_version=number)
        for record, number in ((7, 1), (7, 4), (8, 2))
    ]

    planned = plan({7: change}, holdings)

    assert [(one.holding.holder, one.version) for one in planned] == [("bank-1", 2), ("bank-4", 5)]


def test_a_basis_stays_behind_its_salt() -> None:
    commitments = {
        basis_commitment(salt, basis, document)
        for salt in (bytes(32), b"\x01" * 32)
        for basis in ("REVOKED", "UNVERIFIABLE")
        for document in ("", "decision 31")
    }

    assert len(commitments) == 8


@pytest.mark.parametrize(
    ("notice_id", "frame", "stage", "sound"),
    [
        ("0c" * 16, None, CopyStage.APPLIED, True),
        (None, "0f" * 16, CopyStage.DELETED, True),
        (None, "0f" * 16, CopyStage.APPLIED, False),
        ("0c" * 16, "0f" * 16, CopyStage.DELETED, False),
        (None, None, CopyStage.DELETED, False),
    ],
)
def test_a_copy_receipt_names_a_notice_or_an_ended_copy(
    notice_id: str | None, frame: str | None, stage: CopyStage, sound: bool
) -> None:
    receipt = CopyReceipt(
        alias="0a" * 16, at=NOON, frame=frame, journal_leaf="0e" * 32, notice=notice_id, stage=stage
    )  # fmt: skip

    assert receipt.is_sound is sound


def test_stages_only_rise_and_two_of_them_are_the_last() -> None:
    assert [one.rank for one in (CopyStage.RECEIVED, CopyStage.APPLIED, CopyStage.DELETED)] == [1, 2, 3]
    assert [one for one in CopyStage if one.is_last] == [CopyStage.DELETED, CopyStage.NOT_HELD]
