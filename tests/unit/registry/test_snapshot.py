from dataclasses import replace
from datetime import datetime

from crypto.keys import Purpose
from registry.norms.shelf import open_pack, shipped_shelf
from registry.parties import Jurisdiction, PartyId
from registry.snapshot import Conflict, Dispute, Listing, Snapshot, Standing, fold, standing
from registry.statements import RevocationReason
from tests.unit.registry.cast import AGENCY, BANK, DAY, HONG_KONG, MINUTE, NOON, SHENZHEN, TODAY, Actor, Authority

NEW_AGENCY = replace(AGENCY, round=2)
(RULES,) = shipped_shelf().referred("rules/SZ-DRAFT-82")
LATER = open_pack(RULES.raw.replace(b"version = 1", b"version = 2", 1), "later")


def agency_as_of(office: Authority, as_of: datetime = NOON) -> Listing:
    listing = fold([office.seen_by()], [office.card], as_of).party(AGENCY.party)
    assert listing is not None
    return listing


def two_jurisdictions() -> Snapshot:
    shenzhen, hong_kong = Authority(SHENZHEN), Authority(HONG_KONG)
    shenzhen.admits(AGENCY.card())
    hong_kong.admits(BANK.card())
    mirrors = [hong_kong.seen_by(at=NOON + MINUTE), shenzhen.seen_by()]
    return fold(mirrors, [shenzhen.card, hong_kong.card], NOON + MINUTE)


def test_admitted_parties_and_pinned_authorities_are_active() -> None:
    snapshot = two_jurisdictions()

    assert [one.party for one in snapshot.active()] == [
        BANK.party,
        HONG_KONG.party,
        AGENCY.party,
        SHENZHEN.party,
    ]
    assert snapshot.conflicts == ()


def test_a_listing_names_its_authority_and_since_when() -> None:
    listing = two_jurisdictions().party(AGENCY.party)

    assert listing is not None
    assert (listing.authority, listing.status, listing.since) == (SHENZHEN.party, Standing.ADMITTED, NOON)


def test_each_jurisdiction_has_its_authority() -> None:
    snapshot = two_jurisdictions()
    authority = snapshot.authority_of(Jurisdiction.HK)

    assert authority is not None
    assert authority.party == HONG_KONG.party
    assert snapshot.authority_of(Jurisdiction.MO) is None


def test_the_snapshot_knows_when_each_authority_was_heard() -> None:
    snapshot = two_jurisdictions()

    assert snapshot.head_times == {SHENZHEN.party: NOON, HONG_KONG.party: NOON + MINUTE}
    assert snapshot.newest_authority_time == NOON + MINUTE
    assert fold([], [Authority(SHENZHEN).card], NOON).newest_authority_time is None


def test_a_party_is_found_by_its_certificate() -> None:
    snapshot = two_jurisdictions()
    listing = snapshot.by_certificate(BANK.card().certificate_sha256)

    assert listing is not None
    assert listing.party == BANK.party
    assert snapshot.by_certificate(bytes(32)) is None


def test_the_log_of_an_authority_that_is_not_pinned_counts_for_nothing() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())

    assert fold([office.seen_by()], [Authority(HONG_KONG).card], NOON).party(AGENCY.party) is None


def test_a_card_of_the_same_authority_that_is_not_pinned_counts_for_nothing() -> None:
    office = Authority(replace(SHENZHEN, round=2))
    office.admits(AGENCY.card())

    assert fold([office.seen_by()], [SHENZHEN.card()], NOON).party(AGENCY.party) is None


def test_nobody_is_listed_before_the_first_head_that_covers_the_admission() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card(), effective_at=NOON - DAY)

    assert fold([office.seen_by()], [office.card], NOON - MINUTE).party(AGENCY.party) is None


def test_a_revoked_party_is_listed_as_revoked_with_the_reason() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party, NOON + MINUTE, RevocationReason.UNLAWFUL_CONDUCT)
    listing = agency_as_of(office, NOON + MINUTE)

    assert (listing.status, listing.since) == (Standing.REVOKED, NOON + MINUTE)
    assert listing.turns[-1].reason is RevocationReason.UNLAWFUL_CONDUCT
    assert not listing.is_active


def test_a_revocation_of_tomorrow_works_tomorrow() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party, NOON + DAY)

    assert agency_as_of(office, NOON + DAY - MINUTE).is_active
    assert not agency_as_of(office, NOON + DAY).is_active


def test_the_same_card_does_not_bring_a_revoked_party_back() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party)
    office.admits(AGENCY.card())
    snapshot = fold([office.seen_by()], [office.card], NOON)

    listing = snapshot.party(AGENCY.party)
    assert listing is not None
    assert listing.status is Standing.REVOKED
    assert snapshot.conflicts == (
        Conflict(dispute=Dispute.SERIAL_NOT_HIGHER, party=AGENCY.party, authority=SHENZHEN.party),
    )


def test_a_new_card_brings_a_revoked_party_back_and_keeps_the_old_keys_for_evidence() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party)
    office.admits(NEW_AGENCY.card(), NOON + MINUTE)
    snapshot = fold([office.seen_by()], [office.card], NOON + MINUTE)
    keys = snapshot.keys_of(AGENCY.party)

    assert agency_as_of(office, NOON + MINUTE).is_active
    assert agency_as_of(office, NOON + MINUTE).card.card.serial == 2
    assert AGENCY.signing(Purpose.DOCUMENT).key_id in keys
    assert NEW_AGENCY.signing(Purpose.DOCUMENT).key_id in keys


def test_a_replaced_card_loses_its_certificate() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.admits(NEW_AGENCY.card())
    snapshot = fold([office.seen_by()], [office.card], NOON)

    assert snapshot.by_certificate(AGENCY.card().certificate_sha256) is None
    assert snapshot.by_certificate(NEW_AGENCY.card().certificate_sha256) is not None


def test_an_old_admission_that_starts_late_does_not_lift_a_later_revocation() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.admits(NEW_AGENCY.card(), effective_at=NOON + DAY)
    office.revokes(AGENCY.party)

    assert not agency_as_of(office, NOON + DAY).is_active


def test_a_new_card_now_does_not_lift_a_revocation_announced_for_tomorrow() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party, NOON + DAY)
    office.admits(NEW_AGENCY.card())

    assert agency_as_of(office).is_active
    assert not agency_as_of(office, NOON + DAY).is_active


def test_the_revocation_of_a_party_never_admitted_lists_nobody() -> None:
    office = Authority(SHENZHEN)
    office.revokes(AGENCY.party)

    assert fold([office.seen_by()], [office.card], NOON).party(AGENCY.party) is None


def test_a_card_that_starts_later_is_not_used_before() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.admits(NEW_AGENCY.card(), effective_at=NOON + DAY)

    assert agency_as_of(office).card == AGENCY.card()
    assert agency_as_of(office, NOON + DAY).card == NEW_AGENCY.card()


def test_one_authority_cannot_revoke_the_party_of_another() -> None:
    shenzhen, hong_kong = Authority(SHENZHEN), Authority(HONG_KONG)
    shenzhen.admits(AGENCY.card())
    hong_kong.revokes(AGENCY.party)
    snapshot = fold([shenzhen.seen_by(), hong_kong.seen_by()], [hong_kong.card, shenzhen.card], NOON)

    assert standing(snapshot.party(AGENCY.party), NOON) is Standing.ADMITTED
    assert snapshot.conflicts == ()


def test_of_two_authorities_that_claim_one_party_the_first_pinned_is_followed() -> None:
    double = Actor(party=AGENCY.party, jurisdiction=Jurisdiction.HK, party_class=BANK.party_class, round=7)
    shenzhen, hong_kong = Authority(SHENZHEN), Authority(HONG_KONG)
    shenzhen.admits(AGENCY.card())
    hong_kong.admits(double.card())
    mirrors = [hong_kong.seen_by(), shenzhen.seen_by()]
    pins = [shenzhen.card, hong_kong.card]
    snapshot = fold(mirrors, pins, NOON)
    listing = snapshot.party(AGENCY.party)
    swapped = fold(mirrors, pins[::-1], NOON).party(AGENCY.party)

    assert listing is not None
    assert swapped is not None
    assert (listing.authority, swapped.authority) == (SHENZHEN.party, HONG_KONG.party)
    assert snapshot.conflicts == (
        Conflict(dispute=Dispute.PARTY_CLAIMED_TWICE, party=AGENCY.party, authority=HONG_KONG.party),
    )


def test_no_institution_takes_the_name_of_a_pinned_authority() -> None:
    impostor = replace(BANK, party=SHENZHEN.party)
    hong_kong = Authority(HONG_KONG)
    hong_kong.admits(impostor.card())
    snapshot = fold([hong_kong.seen_by()], [hong_kong.card, SHENZHEN.card()], NOON)
    listing = snapshot.party(SHENZHEN.party)

    assert listing is not None
    assert listing.card == SHENZHEN.card()
    assert [one.dispute for one in snapshot.conflicts] == [Dispute.PARTY_CLAIMED_TWICE]


class Copycat(Actor):
    """An institution whose card shows the certificate of the agency."""

    def _seed(self, purpose: Purpose) -> bytes:
        return AGENCY._seed(purpose) if purpose is Purpose.TLS else super()._seed(purpose)


def test_whoever_copies_a_certificate_does_not_get_its_calls() -> None:
    copycat = Copycat(party=PartyId("sz-aaa"), jurisdiction=Jurisdiction.CN_SZ, party_class=BANK.party_class)
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.admits(copycat.card(), NOON + MINUTE)
    snapshot = fold([office.seen_by()], [office.card], NOON + MINUTE)
    listing = snapshot.by_certificate(AGENCY.card().certificate_sha256)

    assert copycat.card().certificate_sha256 == AGENCY.card().certificate_sha256
    assert listing is not None
    assert listing.party == AGENCY.party
    assert snapshot.conflicts == (
        Conflict(dispute=Dispute.CERTIFICATE_CLAIMED_TWICE, party=PartyId("sz-aaa"), authority=SHENZHEN.party),
    )


def test_an_authority_pinned_twice_uses_its_newest_card_and_keeps_its_older_keys() -> None:
    newer = replace(SHENZHEN, round=2)
    snapshot = fold([], [newer.card(), SHENZHEN.card()], NOON)
    listing = snapshot.party(SHENZHEN.party)

    assert listing is not None
    assert listing.card == newer.card()
    assert listing.superseded == (SHENZHEN.card(),)
    assert snapshot.authorities == (SHENZHEN.party,)


def test_standing_is_told_for_earlier_moments_too() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    office.revokes(AGENCY.party, NOON + DAY)
    listing = agency_as_of(office, NOON + DAY)

    assert standing(listing, NOON - MINUTE) is Standing.UNKNOWN
    assert standing(listing, NOON) is Standing.ADMITTED
    assert standing(listing, NOON + DAY) is Standing.REVOKED
    assert standing(None, NOON) is Standing.UNKNOWN


def test_an_unknown_party_has_no_keys() -> None:
    assert two_jurisdictions().keys_of(PartyId("nobody")) == {}


def test_what_an_authority_adopts_is_known_for_its_jurisdiction_once_a_head_covers_it() -> None:
    office = Authority(SHENZHEN)
    office.adopts(RULES, start=TODAY - DAY)
    mirror = office.seen_by()

    (adopted,) = fold([mirror], [office.card], NOON).norms[Jurisdiction.CN_SZ]

    assert (adopted.reference, adopted.digest, adopted.works_from) == ("rules/SZ-DRAFT-82@1", RULES.digest, NOON)
    assert fold([mirror], [office.card], NOON - MINUTE).norms[Jurisdiction.CN_SZ] == ()
    assert Jurisdiction.HK not in fold([mirror], [office.card], NOON).norms


def test_a_second_authority_of_a_jurisdiction_adds_nothing_to_what_the_first_adopted() -> None:
    first, second = Authority(SHENZHEN), Authority(replace(SHENZHEN, party=PartyId("sz-second-dept")))
    first.adopts(RULES)
    second.adopts(LATER)
    mirrors = [second.seen_by(), first.seen_by()]

    norms = fold(mirrors, [first.card, second.card], NOON).norms[Jurisdiction.CN_SZ]

    assert [one.reference for one in norms] == ["rules/SZ-DRAFT-82@1"]


def test_an_authority_that_contradicts_itself_over_norms_is_listed_with_the_place() -> None:
    office = Authority(SHENZHEN)
    office.adopts(RULES)
    office.adopts(LATER)

    assert fold([office.seen_by()], [office.card], NOON).conflicts == (
        Conflict(
            dispute=Dispute.NORMS_CONTRADICTED,
            party=SHENZHEN.party,
            authority=SHENZHEN.party,
            place="rules/SZ-DRAFT-82, statements 0 and 1",
        ),
    )


def test_norms_and_parties_stand_in_one_log() -> None:
    office = Authority(SHENZHEN)
    office.adopts(RULES)
    office.admits(AGENCY.card())
    office.adopts(LATER, start=TODAY + DAY)
    snapshot = fold([office.seen_by()], [office.card], NOON)

    assert [one.party for one in snapshot.active()] == [AGENCY.party, SHENZHEN.party]
    assert [one.version for one in snapshot.norms[Jurisdiction.CN_SZ]] == [1, 2]
    assert snapshot.conflicts == ()
