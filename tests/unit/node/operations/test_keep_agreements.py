"""Agreements at a node: who may do what when, what is sent to whom, and what is taken in from whom."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from agreements import filing, termination
from agreements.agreement import Agreement, State, state_at
from agreements.documents import countersign, propose
from agreements.refusal import Refused
from agreements.termination import Ending, Termination, terminate
from agreements.terms import KIND as TERMS_KIND
from agreements.terms import terms_digest
from crypto import envelope
from crypto.keys import Purpose, SigningKey, Suite
from node.domain.jobs import JobKind
from node.domain.operators import SigningOperator
from node.operations.asked import RefusedAnswer
from node.operations.keep_agreements import (
    MOST_DOCUMENTS,
    Done,
    NotPossible,
    Office,
    draft_agreement,
    file_agreement,
    keep_receipt,
    propose_agreement,
    receive_document,
    sign_agreement,
    take_filing,
    terminate_agreement,
)
from node.operations.ports import UnitOfWork
from node.operations.rows import AgreementDocumentRow
from registry.parties import PartyId
from tests.fakes.exchange import QUOTAS, done, drafted, filed, reasons, signed, terms
from tests.fakes.members import Member
from tests.fakes.world import AGENCY, BANK, HK, SZ, World

Act = Callable[[UnitOfWork, Agreement, Office], Done | NotPossible]


def act(member: Member, what: Act, agreement: Agreement) -> Done | NotPossible:
    return member.write(lambda work: what(work, agreement, member.office(work)))


def why(answer: Done | NotPossible) -> str:
    assert isinstance(answer, NotPossible), answer
    return answer.why


def receive(member: Member, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
    return member.write(lambda work: receive_document(work, peer, raw, member.facts(work), member.context))


def submit(member: Member, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
    return member.write(lambda work: take_filing(work, peer, raw, member.facts(work), member.settings, member.context))


def documents(member: Member, agreement: Agreement, kind: str = TERMS_KIND) -> list[bytes]:
    rows = member.read(lambda work: work.agreements.documents(agreement.digest))
    return [row.raw for row in rows if row.kind == kind]


def state(member: Member, agreement: Agreement) -> State | None:
    known = member.known().agreements.get(agreement.digest)
    return None if known is None else state_at(known, member.clock())


def ending(agreement: Agreement, by: Member, key: SigningKey | None = None) -> bytes:
    at = by.clock()
    declared = Termination(
        agreement=agreement.digest.hex(), party=by.party, reason=Ending.BREACH, effective_at=at, issued_at=at,
        suite=Suite.ONE,
    )  # fmt: skip
    return terminate(declared, key or by.context.keys.document)


def test_the_whole_way_from_a_draft_to_an_agreement_in_force(admitted: World) -> None:
    agreement = drafted(admitted)
    states = [(state(admitted.agency, agreement), state(admitted.bank, agreement))]
    for member, what in ((admitted.agency, propose_agreement), (admitted.bank, sign_agreement)):
        done(act(member, what, member.known().agreements[agreement.digest]))
        admitted.deliver(member)
        states.append((state(admitted.agency, agreement), state(admitted.bank, agreement)))
    done(act(admitted.agency, file_agreement, admitted.agency.known().agreements[agreement.digest]))
    for _ in range(2):
        admitted.deliver(admitted.agency)
        states.append((state(admitted.agency, agreement), state(admitted.bank, agreement)))

    assert states == [
        (State.DRAFT, None),
        (State.PROPOSED, State.PROPOSED),
        (State.SIGNED, State.SIGNED),
        (State.ACTIVE, State.SIGNED),
        (State.ACTIVE, State.ACTIVE),
    ]
    assert admitted.agency.known().agreements[agreement.digest] == admitted.bank.known().agreements[agreement.digest]


def test_every_step_is_journalled_at_the_node_that_took_it(admitted: World) -> None:
    before = {party: len(member.journal()) for party, member in admitted.members.items()}
    filed(admitted)

    told = {
        party: [one.told for one in member.journal()[before[party] :]] for party, member in admitted.members.items()
    }
    assert told[AGENCY] == [
        ("agreement", "drafted"), ("agreement", "proposed"), ("agreement", "received"), ("filing", "filing.sent"),
        ("filing", "filed"),
    ]  # fmt: skip
    assert told[BANK] == [("agreement", "received"), ("agreement", "signed"), ("agreement", "received")]
    assert told[SZ] == [("filing", "")]
    assert told[HK] == []


def test_a_draft_is_signed_by_nobody_but_its_operator_and_sent_to_nobody(admitted: World) -> None:
    agreement = drafted(admitted)

    assert agreement.signed_by == frozenset()
    assert admitted.agency.read(lambda work: work.outbox.due(admitted.clock(), 10)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"provider": BANK, "recipient": AGENCY}, "the provider drafts"),
        ({"recipient": PartyId("nobody")}, "nobody is not an admitted party"),
        ({"onward_transfer": True}, "ONWARD_TRANSFER_FORBIDDEN"),
        ({"retention_days": 9_999}, "retention_days"),
    ],
)
def test_terms_against_registry_or_law_are_not_even_drafted(
    admitted: World, changed: dict[str, object], words: str
) -> None:
    wanted = msgspec.structs.replace(terms(admitted), **changed)

    answer = admitted.agency.write(lambda work: draft_agreement(work, wanted, admitted.agency.office(work)))

    assert words in why(answer)
    assert admitted.agency.known().agreements == {}


def test_an_operator_whose_key_is_not_the_registered_one_orders_nothing(admitted: World) -> None:
    agreement, agency = signed(admitted), admitted.agency
    impostor = SigningOperator(name="alice", key=SigningKey(Purpose.OPERATOR, b"\x0b" * 32))
    before = len(agency.journal())

    def ordered(what: Callable[[UnitOfWork, Agreement, Office], Done | NotPossible]) -> Done | NotPossible:
        return agency.write(lambda work: what(work, agreement, replace(agency.office(work), operator=impostor)))

    for what in (file_agreement, _end):
        assert why(ordered(what)) == "alice is not an operator of this node"
    wanted = terms(admitted, name="0b")
    answer = agency.write(lambda work: draft_agreement(work, wanted, replace(agency.office(work), operator=impostor)))
    assert why(answer) == "alice is not an operator of this node"
    assert len(agency.journal()) == before


def _end(work: UnitOfWork, agreement: Agreement, office: Office) -> Done | NotPossible:
    return terminate_agreement(work, agreement, Ending.END_OF_COOPERATION, office)


def test_each_does_only_what_is_his_to_do(admitted: World) -> None:
    agreement = drafted(admitted)
    agency, bank = admitted.agency, admitted.bank

    assert why(act(bank, propose_agreement, agreement)) == "only the provider proposes"
    assert why(act(agency, sign_agreement, agreement)) == "the recipient signs what the provider proposed"
    assert why(act(bank, sign_agreement, agreement)) == "the provider has not signed these terms"
    assert why(act(agency, file_agreement, agreement)) == "both parties sign before an agreement is filed"
    assert why(act(admitted.hk, _end, agreement)) == "only a party ends an agreement"


def test_nobody_signs_twice(admitted: World) -> None:
    agreement = signed(admitted)

    assert why(act(admitted.agency, propose_agreement, agreement)) == "this node has already signed"
    assert why(act(admitted.bank, sign_agreement, agreement)) == "this node has already signed"


def test_terms_that_are_over_are_not_signed_any_more(admitted: World) -> None:
    agreement = drafted(admitted)
    done(act(admitted.agency, propose_agreement, agreement))
    admitted.deliver(admitted.agency)
    admitted.wait(days=181)

    proposed = admitted.bank.known().agreements[agreement.digest]
    assert why(act(admitted.bank, sign_agreement, proposed)) == "these terms are over"


def test_the_recipient_checks_what_it_signs(admitted: World) -> None:
    """A provider that proposes against the law finds no second signature."""
    wanted = msgspec.structs.replace(terms(admitted), onward_transfer=True)
    receive(admitted.bank, AGENCY, propose(wanted, admitted.agency.context.keys.document))

    proposed = admitted.bank.known().agreements[terms_digest(wanted)]
    assert "ONWARD_TRANSFER_FORBIDDEN" in why(act(admitted.bank, sign_agreement, proposed))


def test_filing_is_due_with_shenzhen_and_for_the_shenzhen_party(admitted: World) -> None:
    agreement = signed(admitted)

    assert why(act(admitted.bank, file_agreement, agreement)) == "filing is due with CN-SZ; the party there files"


def test_a_filing_is_receipted_once_and_the_same_receipt_is_given_again(admitted: World) -> None:
    agreement = signed(admitted)
    (_, *_, raw) = documents(admitted.agency, agreement)

    first = submit(admitted.sz, AGENCY, raw)
    admitted.wait(days=9)
    again = submit(admitted.sz, AGENCY, raw)

    assert isinstance(first, bytes)
    assert again == first
    assert documents(admitted.sz, agreement, filing.KIND) == [first]


def test_a_late_filing_is_taken_and_recorded_as_late(admitted: World) -> None:
    agreement = signed(admitted)
    (_, *_, raw) = documents(admitted.agency, agreement)
    admitted.wait(days=30)

    receipt = submit(admitted.sz, AGENCY, raw)

    assert isinstance(receipt, bytes)
    assert envelope.read_payload(envelope.parse(receipt, filing.KIND), filing.FilingReceipt).late
    assert admitted.sz.journal()[-1].detail["late"] == 1


def test_an_authority_refuses_to_file_what_is_not_fit(admitted: World) -> None:
    agreement = signed(admitted)
    proposed, *_, whole = documents(admitted.agency, agreement)
    before = len(admitted.sz.journal())

    given = [
        submit(admitted.bank, AGENCY, whole),
        submit(admitted.sz, AGENCY, proposed),
        submit(admitted.sz, AGENCY, whole[:-1]),
        submit(admitted.sz, BANK, whole),
        submit(admitted.sz, HK, whole),
    ]

    expected = ["PARTY_NOT_ELIGIBLE", "SIGNATURE_INVALID", "MALFORMED", "PARTY_NOT_ELIGIBLE", "PARTY_NOT_ELIGIBLE"]
    assert reasons(given) == expected
    assert [one.told for one in admitted.sz.journal()[before:]] == [("refused", reason) for reason in expected[1:]]
    assert documents(admitted.sz, agreement) == []


def test_a_receipt_is_kept_only_from_the_authority_and_for_this_agreement(admitted: World) -> None:
    agreement, agency = signed(admitted), admitted.agency
    (_, *_, raw) = documents(agency, agreement)
    receipt = submit(admitted.sz, AGENCY, raw)
    assert isinstance(receipt, bytes)
    other = replace(agreement, digest=bytes(32))

    def keep(authority: PartyId, of: Agreement, document: bytes) -> bytes | Refused:
        return agency.write(
            lambda work: keep_receipt(work, authority, of, document, agency.facts(work), agency.context)
        )

    for authority, of, document, reason in (
        (HK, agreement, receipt, "SIGNATURE_INVALID"),
        (SZ, other, receipt, "SIGNATURE_INVALID"),
        (SZ, agreement, raw, "SIGNATURE_INVALID"),
        (SZ, agreement, receipt[:-1], "MALFORMED"),
    ):
        refused = keep(authority, of, document)
        assert isinstance(refused, Refused)
        assert refused.reason == reason
    assert documents(agency, agreement, filing.KIND) == []


def test_a_receipt_that_comes_again_is_passed_on_once(admitted: World) -> None:
    agreement, agency = filed(admitted), admitted.agency
    (receipt,) = documents(agency, agreement, filing.KIND)
    before = len(agency.journal())

    kept = agency.write(lambda work: keep_receipt(work, SZ, agreement, receipt, agency.facts(work), agency.context))

    assert isinstance(kept, bytes)
    assert len(agency.journal()) == before
    assert agency.read(lambda work: work.outbox.due(admitted.clock() + timedelta(days=1), 10)) == []


def test_an_end_works_here_at_once_and_there_when_it_arrives(admitted: World) -> None:
    agreement = filed(admitted)

    number = done(act(admitted.bank, _end, agreement)).job

    assert number is not None
    assert (state(admitted.bank, agreement), state(admitted.agency, agreement)) == (State.TERMINATED, State.ACTIVE)
    admitted.deliver(admitted.bank)
    assert state(admitted.agency, agreement) is State.TERMINATED


def test_either_party_may_end_an_agreement_even_a_suspended_or_stale_one(admitted: World) -> None:
    """Rule 10 stops disclosure only: an end is taken in under stale heads as well."""
    agreement = filed(admitted)
    admitted.forward(days=3)

    assert isinstance(receive(admitted.agency, BANK, ending(agreement, admitted.bank)), bytes)
    assert state(admitted.agency, agreement) is State.TERMINATED


def test_the_same_document_again_changes_nothing_and_gets_the_same_digest(admitted: World) -> None:
    agreement = filed(admitted)
    raw = ending(agreement, admitted.bank)
    first = receive(admitted.agency, BANK, raw)
    before = len(admitted.agency.journal())

    assert receive(admitted.agency, BANK, raw) == first
    assert len(admitted.agency.journal()) == before


def test_documents_from_whom_they_do_not_concern_are_refused_and_journalled(admitted: World) -> None:
    agreement, agency = filed(admitted), admitted.agency
    both = documents(agency, agreement)[-1]
    elsewhere = msgspec.structs.replace(terms(admitted, name="0b"), recipient=HK)
    before = len(agency.journal())

    given = [
        receive(agency, HK, both),
        receive(agency, HK, ending(agreement, admitted.bank)),
        receive(agency, BANK, propose(elsewhere, agency.context.keys.document)),
        receive(agency, BANK, propose(terms(admitted, name="0c"), agency.context.keys.document)),
        receive(agency, BANK, ending(replace(agreement, digest=bytes(32)), admitted.bank)),
        receive(agency, BANK, ending(agreement, admitted.bank, key=admitted.hk.context.keys.document)),
        receive(agency, BANK, ending(agreement, admitted.bank)[:-1]),
        receive(agency, BANK, b"{}"),
    ]

    expected = [
        "AGREEMENT_MISSING", "AGREEMENT_MISSING", "AGREEMENT_MISSING", "SIGNATURE_INVALID", "AGREEMENT_MISSING",
        "SIGNATURE_INVALID", "MALFORMED", "MALFORMED",
    ]  # fmt: skip
    assert reasons(given) == expected
    assert [one.told for one in agency.journal()[before:]] == [("refused", reason) for reason in expected]
    assert state(agency, agreement) is State.ACTIVE
    assert len(agency.known().agreements) == 1


def test_nobody_fills_the_store_with_documents_of_one_agreement(admitted: World) -> None:
    agreement, agency = filed(admitted), admitted.agency

    def fill(work: UnitOfWork) -> None:
        for number in range(MOST_DOCUMENTS):
            raw = number.to_bytes(4, "big")
            row = AgreementDocumentRow(agreement=agreement.digest, digest=raw * 8, kind=termination.KIND, raw=raw)
            work.agreements.add(row)
        work.commit()

    agency.write(fill)

    assert reasons([receive(agency, BANK, ending(agreement, admitted.bank))]) == ["RISK_LIMIT"]


def test_nobody_fills_the_store_with_proposals(admitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agency, bank = admitted.agency, admitted.bank
    monkeypatch.setattr("node.operations.keep_agreements.MOST_PROPOSALS", 2)
    proposals = [propose(terms(admitted, name=name), agency.context.keys.document) for name in ("0a", "0b", "0c")]

    given = [receive(bank, AGENCY, raw) for raw in (*proposals, proposals[0])]

    assert reasons(given) == ["bytes", "bytes", "RISK_LIMIT", "bytes"]
    for agreement in bank.known().agreements.values():
        done(act(bank, sign_agreement, agreement))
    assert isinstance(receive(bank, AGENCY, proposals[2]), bytes)


def test_signatures_of_nobody_do_not_keep_an_agreement_from_being_filed(admitted: World) -> None:
    """The partner could add them to what it signed alone, and let the days for filing run out."""
    agreement, agency = signed(admitted), admitted.agency
    padded = propose(agreement.terms, admitted.bank.context.keys.document)
    for number in range(7):
        padded = countersign(padded, SigningKey(Purpose.DOCUMENT, bytes([number + 1]) * 32))
    assert isinstance(receive(agency, BANK, padded), bytes)

    done(act(agency, file_agreement, agreement))

    assert reasons(admitted.deliver(agency)) == ["bytes"]


def test_both_signatures_may_come_in_separate_envelopes(admitted: World) -> None:
    wanted, agency, bank = terms(admitted), admitted.agency, admitted.bank
    first = propose(wanted, agency.context.keys.document)
    second = propose(wanted, bank.context.keys.document)
    receive(bank, AGENCY, first)

    receive(agency, BANK, second)
    receive(agency, BANK, countersign(first, bank.context.keys.document))

    assert {agency.known().agreements[terms_digest(wanted)].signed_by, frozenset({AGENCY, BANK})} == {
        frozenset({AGENCY, BANK})
    }


def test_a_revoked_partner_is_signed_with_no_more_but_may_still_end(admitted: World) -> None:
    agreement = filed(admitted)
    admitted.revoke(admitted.hk, BANK)

    wanted = terms(admitted, name="0b")
    answer = admitted.agency.write(lambda work: draft_agreement(work, wanted, admitted.agency.office(work)))
    assert why(answer) == "hk-bank is not an admitted party"
    assert isinstance(receive(admitted.agency, BANK, ending(agreement, admitted.bank)), bytes)


def test_jobs_that_carry_documents_name_their_receiver(admitted: World) -> None:
    signed(admitted)
    agency = admitted.agency
    done(agency.write(lambda work: file_agreement(work, admitted.agreement(), agency.office(work))))

    (job,) = agency.read(lambda work: work.outbox.due(admitted.clock(), 10))
    assert (job.kind, job.peer) == (JobKind.FILE_AGREEMENT, SZ)


def test_quotas_stand_in_the_terms_that_both_signed(admitted: World) -> None:
    filed(admitted)

    (at_bank,) = admitted.bank.known().agreements.values()
    assert at_bank.terms.quotas == QUOTAS
