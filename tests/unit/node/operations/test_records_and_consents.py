"""What an institution takes in itself: records from files, consents of its customers, orders of its operators."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from agreements.consent import Consent
from agreements.refusal import Refused
from crypto import envelope
from crypto.keys import Purpose, SigningKey
from node.domain.identifiers import Problem
from node.domain.operators import KIND, OperatorAct, Role, SignedAct, SigningOperator
from node.domain.records import Kind
from node.domain.rows import BadRow, Row
from node.operations.attest_consents import Attestation, attest_consents
from node.operations.import_records import Import, Progress, import_rows
from node.operations.meanwhile import Acting
from node.operations.operators import NotAllowed, add_operator, order
from node.operations.rows import OperatorRow
from node.operations.stored_records import record_from_row
from node.storage.errors import DiskFull
from node.storage.unit import SqlUnit
from tests.fakes.exchange import (
    EVIDENCE,
    OTHERS,
    PENALTIES,
    PERSON,
    PURPOSE,
    REGISTRATIONS,
    SHOWN,
    SHOWN_ABROAD,
    WITHHELD,
    consent,
    intake,
    load,
    ordered,
)
from tests.fakes.members import LAW, Member
from tests.fakes.world import World
from tests.unit.node.domain.given import REGISTRATION


def by(act: SignedAct, member: Member) -> Import:
    return Import(intake=intake(member, Kind.REGISTRATION), order=act, law=LAW)


def imported(world: World, *rows: Row | BadRow) -> list[Progress]:
    agency = world.agency
    act = ordered(agency, Role.RECORDS)
    return list(import_rows(rows, by(act, agency), agency.store, agency.context))


def counts(world: World) -> dict[str, int]:
    return dict(world.agency.read(lambda work: work.records.count()))


def enterprises(count: int) -> list[Row]:
    return [Row(number, REGISTRATION | {"uscc": "", "hk_cr": f"{number:07d}"}) for number in range(1, count + 1)]


def assert_told_and_then_interrupted(running: Iterator[Progress], world: World, batch: int) -> None:
    assert next(running).rows == batch
    with pytest.raises(KeyboardInterrupt):
        next(running)
    assert counts(world) == {"101": batch}


def test_rows_are_loaded_once_and_again_change_nothing(admitted: World) -> None:
    first = load(admitted, Kind.REGISTRATION, *REGISTRATIONS)
    again = load(admitted, Kind.REGISTRATION, *REGISTRATIONS)

    assert (first["new"], again["unchanged"]) == (len(REGISTRATIONS), len(REGISTRATIONS))
    assert counts(admitted) == {"101": len(REGISTRATIONS)}


def test_a_changed_row_is_a_new_version_of_its_record(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION)
    before = admitted.agency.read(lambda work: work.records.find(1))

    assert load(admitted, Kind.REGISTRATION, REGISTRATION | {"status": "REVOKED"})["updated"] == 1

    after = admitted.agency.read(lambda work: work.records.find(1))
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == (1, 2)
    assert record_from_row(after).content != record_from_row(before).content


def test_every_row_that_is_not_loaded_is_named_with_what_was_wrong(admitted: World) -> None:
    """Row 3 was unreadable, row 4 names a natural person's number, row 5 joins two known subjects."""
    load(admitted, Kind.REGISTRATION, REGISTRATION, REGISTRATION | {"uscc": "", "hk_cr": SHOWN_ABROAD.value})
    rows: list[Row | BadRow] = [
        Row(2, REGISTRATION),
        BadRow(3, Problem("row", "nine columns", "eight")),
        Row(4, REGISTRATION | {"uscc": "12345"}),
        Row(5, REGISTRATION | {"hk_cr": SHOWN_ABROAD.value}),
    ]

    (progress,) = imported(admitted, *rows)

    assert [(one.row, one.reason.value) for one in progress.rejects] == [
        (3, "MALFORMED"), (4, "SUBJECT_ID_INVALID"), (5, "SUBJECT_ID_INVALID"),
    ]  # fmt: skip
    assert progress.rejects[2].problem.got == "identifiers of two known subjects"
    assert (progress.outcomes["unchanged"], progress.outcomes["rejected"]) == (1, 3)
    assert SHOWN.value not in str(progress.rejects)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows are stored at once meanwhile: so few that a test of several batches is quick."""
    monkeypatch.setattr("node.operations.import_records.BATCH", 300)
    return 300


def test_rows_are_stored_in_batches_with_one_entry_each(admitted: World, small_batches: int) -> None:
    before = len(admitted.agency.journal())
    batch = small_batches
    bad: list[Row | BadRow] = [BadRow(number, Problem("row", "text", "bytes")) for number in range(batch - 1)]

    progress = imported(admitted, *bad, Row(batch + 1, REGISTRATION), Row(batch + 2, REGISTRATIONS[1]))

    assert [one.rows for one in progress] == [batch, batch + 1]
    assert [len(one.rejects) for one in progress] == [batch - 1, 0]
    written = admitted.agency.journal()[before:]
    assert [one.entry.act.value for one in written] == ["records", "records"]
    assert [one.detail["new"] for one in written] == [1, 1]


def test_an_interrupted_import_keeps_its_committed_batches_and_is_simply_repeated(
    admitted: World, small_batches: int
) -> None:
    agency, batch = admitted.agency, small_batches
    act = ordered(agency, Role.RECORDS)
    rows = enterprises(batch + 2)
    running = import_rows(rows, by(act, agency), agency.store, agency.context)
    next(running)
    del running
    assert counts(admitted) == {"101": batch}

    (_, last) = import_rows(rows, by(act, agency), agency.store, agency.context)

    assert (last.outcomes["unchanged"], last.outcomes["new"]) == (batch, 2)


def test_what_ends_the_reading_is_heard_when_every_stored_batch_was_told(admitted: World, small_batches: int) -> None:
    agency, batch = admitted.agency, small_batches

    def rows_and_then() -> Iterator[Row]:
        yield from enterprises(2 * batch - 1)
        raise KeyboardInterrupt

    running = import_rows(rows_and_then(), by(ordered(agency, Role.RECORDS), agency), agency.store, agency.context)

    assert_told_and_then_interrupted(running, admitted, batch)


def test_whoever_interrupts_a_commit_is_heard_when_its_batch_was_told(
    admitted: World, small_batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(acting: Acting) -> None:
        wait(acting)
        monkeypatch.setattr(Acting, "wait", wait)
        raise KeyboardInterrupt

    wait = Acting.wait
    agency, batch = admitted.agency, small_batches
    rows = enterprises(2 * batch)
    running = import_rows(rows, by(ordered(agency, Role.RECORDS), agency), agency.store, agency.context)
    monkeypatch.setattr(Acting, "wait", interrupted)

    assert_told_and_then_interrupted(running, admitted, batch)


def test_a_batch_that_the_disk_does_not_take_is_not_told(
    admitted: World, small_batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise DiskFull("the disk is full")

    agency = admitted.agency
    rows = enterprises(small_batches)
    running = import_rows(rows, by(ordered(agency, Role.RECORDS), agency), agency.store, agency.context)
    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "commit", full)
        with pytest.raises(DiskFull):
            next(running)

    assert counts(admitted) == {}


def test_the_entry_of_an_import_commits_to_order_and_contents_and_names_nothing_of_them(admitted: World) -> None:
    load(admitted, Kind.PENALTY, *PENALTIES)

    written = admitted.agency.journal()[-1]
    assert written.detail.keys() == {"article", "order", "pack", "root", "new"}
    assert (written.detail["pack"], written.detail["article"]) == ("SZ-DRAFT-82@1", "S 16, 17, 19")
    for secret in (REGISTRATION["uscc"], REGISTRATION["name_zh"], WITHHELD.value, "罚"):
        assert secret not in str(written)


def test_consents_are_kept_one_for_each_subject_under_one_order(world: World) -> None:
    before = len(world.bank.journal())

    ids = consent(world, [SHOWN, *OTHERS])

    kept = world.bank.read(lambda work: dict(work.consents.page(0, 100)))
    (written,) = world.bank.journal()[before:]
    assert set(ids) <= {row.consent for row in kept.values()}
    assert len(set(ids)) == 1 + len(OTHERS)
    assert written.entry.act == "consent"
    assert written.detail["count"] == len(ids)
    assert SHOWN.value not in str(written)


def attest(world: World, operator: SigningOperator | None = None, **changed: Any) -> object:
    bank = world.bank
    attestation = Attestation(
        agreement=world.agreement(),
        subjects=[SHOWN],
        kinds=frozenset({"101"}),
        purposes=frozenset({PURPOSE}),
        valid_until=world.clock() + timedelta(days=30),
        evidence=EVIDENCE,
    )
    wanted = replace(attestation, **changed)
    return bank.write(lambda work: attest_consents(work, wanted, operator or bank.operator, LAW.rules, bank.context))


@pytest.mark.parametrize(
    ("days", "reason"), [(400, "CONSENT_LIFELONG"), (0, "CONSENT_EXPIRED"), (-1, "CONSENT_EXPIRED")]
)
def test_a_consent_needs_a_near_end_that_is_still_to_come(world: World, days: int, reason: str) -> None:
    before = (len(world.bank.journal()), _consents(world))

    refused = attest(world, valid_until=world.clock() + timedelta(days=days))

    assert isinstance(refused, Refused)
    assert refused.reason == reason
    assert (len(world.bank.journal()), _consents(world)) == before


@pytest.mark.parametrize("tied", [{"standalone": False}, {"service_not_conditioned": False}])
def test_a_consent_that_was_tied_to_something_is_not_kept(world: World, tied: dict[str, Any]) -> None:
    before = (len(world.bank.journal()), _consents(world))

    refused = attest(world, **tied)

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.article) == ("CONSENT_BUNDLED", "S 25")
    assert (len(world.bank.journal()), _consents(world)) == before


def test_a_consent_to_what_may_count_against_its_subject_is_not_kept_without_a_warning(world: World) -> None:
    before = (len(world.bank.journal()), _consents(world))

    refused = attest(world, kinds=frozenset({"101", "502"}), adverse_warning=False)

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.article) == ("ADVERSE_WARNING_MISSING", "S 23")
    assert (len(world.bank.journal()), _consents(world)) == before
    assert isinstance(attest(world, kinds=frozenset({"101", "502"})), list)


@pytest.mark.parametrize("warned", [True, False])
def test_a_consent_says_how_it_came_about(world: World, *, warned: bool) -> None:
    attest(world, adverse_warning=warned)

    *_, (_, row) = world.bank.read(lambda work: work.consents.page(0, 1_000))
    kept = envelope.read_payload(envelope.parse(row.raw, "consent"), Consent)
    assert (kept.standalone, kept.service_not_conditioned, kept.adverse_warning) == (True, True, warned)


def test_no_consent_is_attested_for_a_natural_person(world: World) -> None:
    before = (len(world.bank.journal()), _consents(world))

    refused = attest(world, subjects=[SHOWN, PERSON])

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.article) == ("NATURAL_PERSON_SUBJECT", "S 14")
    assert (len(world.bank.journal()), _consents(world)) == before


def _consents(world: World) -> int:
    return len(world.bank.read(lambda work: work.consents.page(0, 1_000)))


def test_an_operator_without_the_role_attests_nothing(world: World) -> None:
    bank = world.bank
    clerk = _employ(world, "clerk", Role.QUERIES)
    before = len(bank.journal())

    answer = attest(world, operator=clerk)

    assert answer == NotAllowed(why="operator clerk does not have the role consents")
    assert len(bank.journal()) == before


def _employ(world: World, name: str, *roles: Role) -> SigningOperator:
    bank, key = world.bank, SigningKey(Purpose.OPERATOR, name.encode().ljust(32, b"\x00"))
    row = OperatorRow(
        name=name, key_id=key.key_id, public=key.public.raw, roles=frozenset(role.value for role in roles),
        added_at=world.clock(),
    )  # fmt: skip
    bank.write(lambda work: add_operator(work, row, bank.context))
    return SigningOperator(name=name, key=key)


def test_a_name_is_given_to_one_operator(world: World) -> None:
    bank = world.bank
    first = _employ(world, "clerk", Role.QUERIES)
    written = bank.journal()[-1]
    before = len(bank.journal())

    second = _employ(world, "clerk", *Role)

    assert written.told == ("operator", "added")
    assert written.detail["roles"] == "queries"
    assert len(bank.journal()) == before
    assert second.key.key_id == first.key.key_id
    kept = bank.read(lambda work: work.operators.find("clerk"))
    assert kept is not None
    assert kept.roles == {"queries"}


def test_an_order_is_signed_by_the_operator_and_kept_with_the_act(world: World) -> None:
    bank = world.bank
    act = ordered(bank, Role.CONSENTS)

    signed = envelope.parse(act.raw, KIND)
    key = bank.operator.key
    envelope.verify(signed, {key.key_id: key.public}, [key.key_id])
    payload = envelope.read_payload(signed, OperatorAct)
    assert (payload.act, payload.operator, payload.subject) == ("consents", "alice", EVIDENCE.hex())
    assert (act.digest, payload.node, payload.at) == (signed.digest, bank.party, world.clock())


def test_an_unknown_a_retired_and_an_impersonated_operator_order_nothing(world: World) -> None:
    bank = world.bank
    gone = SigningKey(Purpose.OPERATOR, b"\x0d" * 32)
    row = OperatorRow(
        name="gone", key_id=gone.key_id, public=gone.public.raw, roles=frozenset({"queries"}),
        added_at=world.clock(), retired_at=world.clock(),
    )  # fmt: skip
    bank.write(lambda work: add_operator(work, row, bank.context))

    for operator in (
        SigningOperator(name="nobody", key=bank.operator.key),
        SigningOperator(name="gone", key=gone),
        SigningOperator(name="alice", key=gone),
    ):
        wanted = partial(order, operator=operator, role=Role.QUERIES, subject=EVIDENCE, context=bank.context)
        answer = bank.read(wanted)
        assert answer == NotAllowed(why=f"{operator.name} is not an operator of this node")


def test_rows_never_show_what_they_hold(world: World) -> None:
    row = world.agency.read(lambda work: work.records.find(1))

    assert row is not None
    assert REGISTRATION["uscc"] in msgspec.json.decode(row.content, type=dict)["identifiers"][0].values()
    assert REGISTRATION["uscc"] not in repr(row)
