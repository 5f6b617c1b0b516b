from datetime import timedelta

import pytest
from msgspec.structs import replace

from agreements.agreement import State, fold, missing_filings, state_at
from agreements.documents import AgreementDocument, countersign, propose, read_document
from agreements.errors import WrongKey
from agreements.filing import FilingReceipt, Submission, file, issue_receipt
from agreements.terms import KIND, Terms
from crypto import envelope
from crypto.frame import filing_set_digest
from crypto.keys import Purpose
from registry.parties import Jurisdiction, PartyClass
from tests.unit.agreements.world import (
    AGENCY,
    BANK,
    DIGEST,
    END,
    FILED_AT,
    HK,
    IN_FORCE,
    LISTINGS,
    NOON,
    RULES,
    SNAPSHOT,
    START,
    SZ,
    TERMS,
    both_signed,
    desk,
    ended,
    filed,
    folded,
    key_of,
    listing,
    reason,
    snapshot_of,
    terms_with,
)

SECOND = timedelta(seconds=1)


def test_terms_that_nobody_known_signed_are_a_draft() -> None:
    drafted = envelope.sign(KIND, TERMS, [key_of("an operator", Purpose.OPERATOR)])

    assert state_at(folded(drafted), NOON) is State.DRAFT


def test_one_signature_proposes_and_two_sign() -> None:
    proposed = propose(TERMS, key_of(AGENCY))

    assert state_at(folded(proposed), NOON) is State.PROPOSED
    assert state_at(folded(countersign(proposed, key_of(BANK))), NOON) is State.SIGNED


def test_signatures_that_came_in_separate_envelopes_count_together() -> None:
    agreement = folded(propose(TERMS, key_of(AGENCY)), propose(TERMS, key_of(BANK)))

    assert agreement.is_signed


def test_a_frame_key_signs_no_agreement() -> None:
    by_frame_key = envelope.sign(KIND, TERMS, [key_of(AGENCY, Purpose.FRAME)])

    assert folded(by_frame_key).signed_by == frozenset()
    with pytest.raises(WrongKey):
        propose(TERMS, key_of(AGENCY, Purpose.FRAME))


def test_a_filed_agreement_is_active_from_its_effective_day_to_its_expiry() -> None:
    assert state_at(IN_FORCE, FILED_AT - SECOND) is State.SIGNED
    assert state_at(IN_FORCE, FILED_AT) is State.ACTIVE
    assert state_at(IN_FORCE, END - SECOND) is State.ACTIVE
    assert state_at(IN_FORCE, END) is State.EXPIRED


def test_an_agreement_filed_before_its_effective_day_waits_for_it() -> None:
    early = folded(both_signed(), filed(at=START - timedelta(hours=1)))

    assert state_at(early, START - SECOND) is State.FILED
    assert state_at(early, START) is State.ACTIVE


def test_the_shenzhen_receipt_is_the_one_required_and_missing_until_it_comes() -> None:
    assert missing_filings(folded(both_signed())) == {Jurisdiction.CN_SZ}
    assert missing_filings(IN_FORCE) == frozenset()


def test_an_agreement_that_needs_no_filing_anywhere_never_flows() -> None:
    moved = listing(AGENCY, Jurisdiction.HK, PartyClass.MUNI_CREDIT_AGENCY)
    agreement = fold([both_signed(), filed()], snapshot_of(*LISTINGS[:2], moved, LISTINGS[3]), RULES)

    assert agreement is not None
    assert (agreement.is_signed, agreement.required) == (True, frozenset())
    assert state_at(agreement, NOON) is State.SIGNED


def test_a_receipt_by_an_authority_that_is_not_asked_for_counts_nothing() -> None:
    decided = file(Submission(document=both_signed(), filed_by=AGENCY, receipt_no="SZ-1"), FILED_AT, desk(authority=SZ))
    assert isinstance(decided, FilingReceipt)
    by_another = issue_receipt(replace(decided, authority=HK), key_of(HK))

    assert state_at(folded(both_signed(), by_another), NOON) is State.SIGNED


def test_of_two_receipts_the_earlier_counts_and_names_the_filing_set() -> None:
    first, second = filed(), filed(at=FILED_AT + SECOND, number="SZ-2026-2")

    agreement = folded(both_signed(), second, first)

    assert agreement.filed_at == FILED_AT
    assert agreement.filing_set == filing_set_digest([envelope.parse(first, "filing-receipt").digest])


@pytest.mark.parametrize("party", [AGENCY, BANK])
def test_either_party_ends_it_alone(party: str) -> None:
    agreement = folded(both_signed(), filed(), ended(AGENCY if party == AGENCY else BANK, NOON))

    assert state_at(agreement, NOON - SECOND) is State.ACTIVE
    assert state_at(agreement, NOON) is State.TERMINATED
    assert state_at(agreement, END) is State.TERMINATED


def test_a_termination_works_no_earlier_than_it_was_issued() -> None:
    agreement = folded(both_signed(), filed(), ended(BANK, START, issued_at=NOON))

    assert agreement.terminated_at == NOON


def test_a_termination_by_somebody_else_ends_nothing() -> None:
    assert folded(both_signed(), filed(), ended(SZ, NOON)).terminated_at is None


def test_rival_terms_with_one_signature_do_not_displace_signed_ones() -> None:
    rivals = [terms_with(title=f"Rival {number}") for number in range(8)]

    agreement = folded(both_signed(), *(propose(rival, key_of(AGENCY)) for rival in rivals))

    assert agreement.digest == DIGEST
    assert len(agreement.rivals) == 8


def test_of_rivals_that_both_signed_the_lowest_digest_counts() -> None:
    rivals: list[Terms] = [TERMS, *(terms_with(title=f"Rival {number}") for number in range(4))]

    agreement = folded(*(both_signed(rival) for rival in rivals))

    assert agreement.digest < min(agreement.rivals)


def test_no_readable_terms_are_no_agreement() -> None:
    assert fold([b"{}", filed()], SNAPSHOT, RULES) is None


def test_a_document_with_a_false_signature_is_refused_and_changes_nothing() -> None:
    sound = both_signed()
    forged = sound.replace(b'"sig":"', b'"sig":"AAAA', 1)
    damaged = bytearray(sound)
    place = sound.index(b'"sig":"') + 20
    damaged[place] = ord("A") if damaged[place] != ord("A") else ord("B")

    assert reason(read_document(forged, SNAPSHOT, RULES)) == "MALFORMED"
    assert reason(read_document(bytes(damaged), SNAPSHOT, RULES)) == "SIGNATURE_INVALID"
    assert fold([bytes(damaged)], SNAPSHOT, RULES) is None


def test_an_unknown_field_in_a_payload_is_named_as_such() -> None:
    signed = envelope.parse(both_signed(), KIND)
    wider = envelope.sign(KIND, signed.payload[:-1] + b',"zz":1}', [key_of(AGENCY)])

    assert reason(read_document(wider, SNAPSHOT, RULES)) == "UNKNOWN_FIELD"


def test_a_receipt_or_termination_not_signed_by_its_issuer_is_refused() -> None:
    receipt = envelope.parse(filed(), "filing-receipt")
    by_the_bank = envelope.sign("filing-receipt", receipt.payload, [key_of(BANK)])

    assert reason(read_document(by_the_bank, SNAPSHOT, RULES)) == "SIGNATURE_INVALID"


def test_a_document_says_what_it_is_and_which_agreement_it_belongs_to() -> None:
    documents = [read_document(raw, SNAPSHOT, RULES) for raw in (both_signed(), filed(), ended(BANK, NOON))]

    assert [one.kind for one in documents if isinstance(one, AgreementDocument)] == [
        "agreement",
        "filing-receipt",
        "termination",
    ]
    assert {one.agreement for one in documents if isinstance(one, AgreementDocument)} == {DIGEST}
