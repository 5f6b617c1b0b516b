"""A small world for the tests: two authorities, a Shenzhen agency, a Hong Kong bank, one agreement."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from agreements.agreement import Agreement, fold
from agreements.authorisation import (
    Ask,
    Authorised,
    Issuer,
    OpenedAuthorisation,
    authorise,
    open_authorisation,
)
from agreements.consent import (
    AttestedConsent,
    Consent,
    ConsentType,
    Form,
    SubjectName,
    attest,
    open_consent,
)
from agreements.documents import countersign, propose
from agreements.filing import Desk, FilingReceipt, Submission, file, issue_receipt
from agreements.permission import Facts, Item, Question
from agreements.refusal import Refused
from agreements.signatures import document_keys
from agreements.termination import Ending, Termination, terminate
from agreements.terms import (
    Direction,
    Epoch,
    ExportPath,
    FieldTerms,
    KindTerms,
    Manner,
    Quotas,
    Terms,
    terms_digest,
)
from crypto.keys import Algorithm, PublicKey, Purpose, SigningKey
from crypto.pseudonym import public_key
from registry.norms.calendar import load_calendar
from registry.norms.catalogue import Nature, Precision, load_catalogue
from registry.norms.rule_pack import load_rule_pack
from registry.parties import Jurisdiction, ListedCard, PartyClass, PartyId, draft_card
from registry.snapshot import Listing, Snapshot, Standing, Turn

AGENCY: Final = PartyId("sz-agency")
BANK: Final = PartyId("hk-bank")
SZ: Final = PartyId("sz-authority")
HK: Final = PartyId("hk-authority")

START: Final = datetime(2026, 5, 1, tzinfo=UTC)
MIDDLE: Final = datetime(2026, 11, 1, tzinfo=UTC)
END: Final = datetime(2027, 5, 1, tzinfo=UTC)
NOON: Final = datetime(2026, 6, 1, 4, tzinfo=UTC)
SIGNED_ON: Final = date(2026, 4, 30)
FILED_AT: Final = datetime(2026, 5, 6, 2, tzinfo=UTC)

RULES: Final = load_rule_pack()
CATALOGUE: Final = load_catalogue()
CALENDAR: Final = load_calendar()
AGREEMENT_ID: Final = "0a" * 16
PSEUDONYM: Final = bytes(range(16))
PURPOSE: Final = "CROSS_BORDER_FINANCING"
SEED: Final = b"\x07" * 32


def key_of(party: str, purpose: Purpose = Purpose.DOCUMENT) -> SigningKey:
    return SigningKey(purpose, sha256(f"{party}/{purpose}".encode()).digest())


def fixed(size: int) -> bytes:
    return b"\x05" * size


def listing(party: PartyId, place: Jurisdiction, party_class: PartyClass, **changed: Any) -> Listing:
    purposes = [Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL]
    if party_class.is_authority:
        purposes.append(Purpose.REGISTRY)
    keys = {purpose: key_of(party, purpose).public for purpose in purposes}
    keys[Purpose.SEAL] = PublicKey(Purpose.SEAL, Algorithm.X25519, b"\x09" + bytes(31))
    card = draft_card(
        party=party,
        name_zh="某机构",
        name_en="An institution",
        jurisdiction=place,
        party_class=party_class,
        endpoint="localhost:443",
        keys=keys.values(),
        certificate=party.encode(),
        serial=1,
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    listed = ListedCard(
        card=card,
        digest=sha256(party.encode()).digest(),
        raw=b"",
        keys=MappingProxyType({key.key_id: key for key in keys.values()}),
        certificate_sha256=sha256(party.encode()).digest(),
    )
    turn = Turn(at=card.issued_at, standing=changed.get("standing", Standing.ADMITTED))
    return Listing(card=listed, authority=SZ if place is Jurisdiction.CN_SZ else HK, turns=(turn,))


def snapshot_of(*listings: Listing) -> Snapshot:
    return Snapshot(
        as_of=NOON,
        listings=MappingProxyType({one.party: one for one in listings}),
        certificates=MappingProxyType({}),
        authorities=tuple(one.party for one in listings if one.card.card.party_class.is_authority),
        head_times=MappingProxyType({}),
        conflicts=(),
    )


LISTINGS: Final = (
    listing(SZ, Jurisdiction.CN_SZ, PartyClass.CREDIT_DEPT),
    listing(HK, Jurisdiction.HK, PartyClass.CREDIT_DEPT),
    listing(AGENCY, Jurisdiction.CN_SZ, PartyClass.MUNI_CREDIT_AGENCY),
    listing(BANK, Jurisdiction.HK, PartyClass.FIN_INST),
)
SNAPSHOT: Final = snapshot_of(*LISTINGS)

EPOCHS: Final = (
    Epoch(number=1, starts=START, ends=MIDDLE, public_key=public_key(SEED, AGREEMENT_ID, 1).hex()),
    Epoch(number=2, starts=MIDDLE, ends=END, public_key=public_key(SEED, AGREEMENT_ID, 2).hex()),
)
TERMS: Final = Terms(
    agreement=AGREEMENT_ID,
    version=1,
    title="Cross-border financing",
    provider=AGENCY,
    recipient=BANK,
    direction=Direction.SOUTHBOUND,
    stated_signing_date=SIGNED_ON,
    kinds=(
        KindTerms(
            kind="101",
            fields=(
                FieldTerms(name="capital_band", precision=Precision.BAND),
                FieldTerms(name="established", precision=Precision.YEAR),
                FieldTerms(name="status_code", precision=Precision.EXACT_CODE),
            ),
        ),
        KindTerms(kind="201", fields=(FieldTerms(name="decision", precision=Precision.MONTH),)),
    ),
    natures=(Nature.PUBLIC,),
    purposes=("CROSS_BORDER_FINANCING", "CROSS_BORDER_TRADE"),
    manner=(Manner.PULL,),
    deid_profile="SZ-DEID-1",
    retention_days=90,
    quotas=Quotas(elements_per_epoch=1000, elements_lifetime=1500, queries_per_day=10, batch_size=50),
    effective_from=START,
    expires_at=END,
    epochs=EPOCHS,
    onward_transfer=False,
    export_path=ExportPath.NO_PERSONAL_NO_IMPORTANT,
    rule_pack=RULES.reference,
    catalogue=CATALOGUE.reference,
    calendar="CN-MAINLAND",
    liability_contacts=("Data protection office of the agency", "Compliance office of the bank"),
    suite=1,
)
DIGEST: Final = terms_digest(TERMS)


def terms_with(**changed: Any) -> Terms:
    return replace(TERMS, **changed)


def both_signed(terms: Terms = TERMS) -> bytes:
    return countersign(propose(terms, key_of(terms.provider)), key_of(terms.recipient))


def desk(**changed: Any) -> Desk:
    facts: dict[str, Any] = {
        "authority": SZ,
        "snapshot": SNAPSHOT,
        "rules": RULES,
        "catalogue": CATALOGUE,
        "calendar": CALENDAR,
    }
    return Desk(**facts | changed)


def filed(terms: Terms = TERMS, at: datetime = FILED_AT, number: str = "SZ-2026-1") -> bytes:
    receipt = file(Submission(document=both_signed(terms), filed_by=AGENCY, receipt_no=number), at, desk())
    assert isinstance(receipt, FilingReceipt)
    return issue_receipt(receipt, key_of(SZ))


def ended(by: PartyId, at: datetime, issued_at: datetime | None = None, terms: Terms = TERMS) -> bytes:
    declared = Termination(
        agreement=terms_digest(terms).hex(),
        party=by,
        reason=Ending.END_OF_COOPERATION,
        effective_at=at,
        issued_at=issued_at or at,
        suite=1,
    )
    return terminate(declared, key_of(by))


def folded(*documents: bytes) -> Agreement:
    agreement = fold(documents, SNAPSHOT, RULES)
    assert agreement is not None
    return agreement


IN_FORCE: Final = folded(both_signed(), filed())

CONSENT: Final = Consent(
    consent="0c" * 16,
    attested_by=BANK,
    subject=SubjectName(scheme="CN-USCC", value="91440300MA5TERT15Q"),
    type=ConsentType.QUERY,
    agreement=AGREEMENT_ID,
    kinds=("101", "201"),
    purposes=(PURPOSE,),
    method="query by the bank",
    conditions="none",
    valid_from=START,
    valid_until=datetime(2027, 5, 1, tzinfo=UTC),
    standalone=True,
    service_not_conditioned=True,
    adverse_warning=True,
    form=Form.WRITTEN,
    evidence="0e" * 32,
    attested_at=START,
    suite=1,
)


def attested(consent: Consent = CONSENT) -> AttestedConsent:
    opened = open_consent(attest(consent, key_of(consent.attested_by)), SNAPSHOT.keys_of, RULES.reference)
    assert isinstance(opened, AttestedConsent)
    return opened


ASK: Final = Ask(
    agreement=DIGEST,
    agreement_id=AGREEMENT_ID,
    epoch=1,
    pseudonym=PSEUDONYM,
    requester=BANK,
    purpose=PURPOSE,
    kinds=frozenset({"101"}),
)
ISSUER: Final = Issuer(key=key_of(BANK), random=fixed, rules=RULES)
BANK_KEYS: Final = document_keys(SNAPSHOT.keys_of(BANK))


def authorised(ask: Ask = ASK, at: datetime = NOON) -> Authorised:
    made = authorise(ask, attested(), at, ISSUER)
    assert isinstance(made, Authorised)
    return made


def opened(raw: bytes) -> OpenedAuthorisation:
    authorisation = open_authorisation(raw, BANK_KEYS, RULES.reference)
    assert isinstance(authorisation, OpenedAuthorisation)
    return authorisation


ASKED: Final[Mapping[str, frozenset[str]]] = {"101": frozenset({"capital_band", "established"})}
QUESTION: Final = Question(peer=BANK, agreement=DIGEST, epoch=1, purpose=PURPOSE, asked=ASKED)
ITEM: Final = Item(pseudonym=PSEUDONYM, authorisation=opened(authorised().raw))
FACTS: Final = Facts(
    home=AGENCY,
    agreement=IN_FORCE,
    peer=Standing.ADMITTED,
    peer_class=PartyClass.FIN_INST,
    registry_fresh=True,
    catalogue=CATALOGUE,
    rules=RULES,
)


def reason(answer: object) -> str:
    """The reason of a refusal; what is not one is named as its type."""
    return answer.reason.value if isinstance(answer, Refused) else type(answer).__name__
