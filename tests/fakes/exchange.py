"""What the members of the small network do together, each in a few lines: agree, file, load, index, consent, ask."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from agreements.agreement import Agreement
from agreements.authorisation import Ask, Authorised, Issuer, authorise
from agreements.consent import AttestedConsent, open_consent
from agreements.terms import Quotas, Terms
from crypto.pseudonym import blind, subject_input
from node.domain.dates import shanghai_day
from node.domain.drafting import Draft, Setting, complete
from node.domain.identifiers import Identifier, Problem, Scheme, parse_identifier
from node.domain.intake import Intake, open_intake
from node.domain.operators import Role, SignedAct
from node.domain.records import Kind
from node.domain.rows import Row
from node.operations.answer_queries import answer_queries
from node.operations.ask import Asker
from node.operations.asked import Answered, AskedItem, EvaluateAsked, QueryAsked, RefusedAnswer
from node.operations.attest_consents import Attestation, attest_consents
from node.operations.build_index import crowds_needed, extend_index, indexes_needed
from node.operations.charge_evaluations import charge_evaluations
from node.operations.coarsen import extend_crowds
from node.operations.import_records import Import, import_rows
from node.operations.keep_agreements import (
    Done,
    draft_agreement,
    epoch_keys,
    file_agreement,
    propose_agreement,
    sign_agreement,
)
from node.operations.operators import order
from node.operations.ports import UnitOfWork
from registry.norms.catalogue import Precision
from tests.fakes.members import LAW, Member
from tests.fakes.world import BANK, World
from tests.unit.node.domain.given import PENALTY, REGISTRATION

PURPOSE = "CROSS_BORDER_FINANCING"
QUOTAS = Quotas(elements_per_epoch=20, elements_lifetime=30, queries_per_day=12, batch_size=5)
EVERYTHING = {
    kind: {item.name: item.precisions[0] for item in LAW.catalogue.entries[kind].items} for kind in ("101", "201")
}
ALL_FIELDS = {kind: frozenset(fields) for kind, fields in EVERYTHING.items()}
EVIDENCE = sha256(b"signed forms").digest()


def identifier(scheme: Scheme, code: str) -> Identifier:
    parsed = parse_identifier(scheme.value, code)
    assert not isinstance(parsed, Problem), parsed
    return parsed


SHOWN = identifier(Scheme.CN_USCC, REGISTRATION["uscc"])
"""A registration and a penalty that is still shown."""
SHOWN_ABROAD = identifier(Scheme.HK_CR, "1234567")
"""The same enterprise by its other code."""
WITHHELD = identifier(Scheme.HK_CR, "2345678")
"""Nothing but a penalty that is not shown any more."""
ABSENT = identifier(Scheme.HK_CR, "3456789")
"""No enterprise here has this code."""
PERSON = identifier(Scheme.CN_USCC, "92440300MA5TERT31B")
"""An individual business, which is one natural person."""
OTHERS = tuple(identifier(Scheme.HK_CR, f"400000{digit}") for digit in range(4))
"""A registration each."""
EVERYBODY = (SHOWN, SHOWN_ABROAD, WITHHELD, ABSENT, *OTHERS)

REGISTRATIONS = (
    REGISTRATION | {"hk_cr": SHOWN_ABROAD.value},
    *(REGISTRATION | {"uscc": "", "hk_cr": one.value} for one in OTHERS),
)


def crowd_of(row: Mapping[str, str], count: int = LAW.catalogue.deidentification.k - 1) -> list[dict[str, str]]:
    """Rows like one, of as many other enterprises as it takes that the record may be shown as it is."""
    return [dict(row) | {"uscc": "", "hk_cr": f"700000{number}"} for number in range(count)]


PENALTIES = (
    PENALTY,
    PENALTY | {"uscc": "", "hk_cr": WITHHELD.value, "decided_on": "2019-03-05", "decision_no": "深市监罚〔2019〕1号"},
)


def terms(
    world: World, quotas: Quotas = QUOTAS, kinds: Mapping[str, Mapping[str, Precision]] = EVERYTHING, name: str = "0a"
) -> Terms:
    """Complete terms between agency and bank, in force for half a year from now, in two epochs."""
    now, agency = world.clock(), world.agency
    draft = Draft(
        title="Cross-border financing",
        recipient=BANK,
        stated_signing_date=shanghai_day(now),
        purposes=(PURPOSE,),
        effective_from=now,
        expires_at=now + timedelta(days=180),
        quotas=quotas,
        kinds={kind: dict(fields) for kind, fields in kinds.items()},
        liability_contacts=("credit records desk",),
    )
    setting = Setting(
        provider=agency.card.card,
        recipient=world.bank.card.card,
        law=LAW,
        epoch_key=lambda agreement, number: epoch_keys(agency.context, agreement, range(number, number + 1))[0],
    )
    return complete(draft, setting, name * 16)


def done(answer: object) -> Done:
    assert isinstance(answer, Done), answer
    return answer


def drafted(world: World, wanted: Terms | None = None) -> Agreement:
    """A draft at the agency."""
    agency, agreed = world.agency, wanted or terms(world)
    digest = done(agency.write(lambda work: draft_agreement(work, agreed, agency.office(work)))).agreement
    return agency.known().agreements[digest]


def signed(world: World, wanted: Terms | None = None) -> Agreement:
    """An agreement that both signed, known to both."""
    agency, bank = world.agency, world.bank
    digest = drafted(world, wanted).digest
    agency.write(lambda work: done(propose_agreement(work, agency.facts(work).agreements[digest], agency.office(work))))
    world.deliver(agency)
    bank.write(lambda work: done(sign_agreement(work, bank.facts(work).agreements[digest], bank.office(work))))
    world.deliver(bank)
    return agency.known().agreements[digest]


def filed(world: World, wanted: Terms | None = None) -> Agreement:
    """An agreement that is filed, with the receipt at both parties."""
    agency, agreement = world.agency, signed(world, wanted)
    agency.write(lambda work: done(file_agreement(work, agreement, agency.office(work))))
    world.deliver(agency)
    world.deliver(agency)
    return agency.known().agreements[agreement.digest]


def ordered(member: Member, role: Role, subject: bytes = EVIDENCE) -> SignedAct:
    """An order of the member's operator, on file."""

    def act(work: UnitOfWork) -> SignedAct:
        signed_act = order(work, member.operator, role, subject, member.context)
        assert isinstance(signed_act, SignedAct)
        work.commit()
        return signed_act

    return member.write(act)


def intake(member: Member, kind: Kind) -> Intake:
    today = shanghai_day(member.clock())
    law = member.known().law
    opened = open_intake(kind, law, provider=member.party, source_system="SZ-CREDIT", today=today)
    assert isinstance(opened, Intake)
    return opened


def load(world: World, kind: Kind, *rows: Mapping[str, str]) -> dict[str, int]:
    """Import rows at the agency; how many of what."""
    agency = world.agency
    numbered = [Row(number, dict(values)) for number, values in enumerate(rows, 2)]
    act = ordered(agency, Role.RECORDS)
    ordering = Import(intake=intake(agency, kind), order=act, law=agency.known().law)
    progress = list(import_rows(numbered, ordering, agency.store, agency.context))
    return dict(progress[-1].outcomes) if progress else {}


def index(world: World) -> None:
    """Bring the agency's indexes and crowds up to date."""
    agency = world.agency
    for needed in indexes_needed(agency.known(), agency.party, world.clock()):
        while extend_index(agency.store, needed, lambda name, epoch, inputs: agency.pseudonyms(name, epoch, [*inputs])):
            pass
    for ladder in crowds_needed(agency.known(), agency.party, world.clock()):
        while extend_crowds(agency.store, ladder):
            pass


def consent(
    world: World, subjects: Sequence[Identifier] = EVERYBODY, good_for: timedelta = timedelta(days=170)
) -> list[bytes]:
    """The bank attests the consent of subjects, for every kind."""
    bank, agreement = world.bank, world.agreement()
    attestation = Attestation(
        agreement=agreement,
        subjects=subjects,
        kinds=frozenset(EVERYTHING),
        purposes=frozenset({PURPOSE}),
        valid_until=world.clock() + good_for,
        evidence=EVIDENCE,
    )
    ids = bank.write(partial(_attest, attestation, bank))
    assert isinstance(ids, list), ids
    return ids


def _attest(attestation: Attestation, bank: Member, work: UnitOfWork) -> object:
    return attest_consents(work, attestation, bank.operator, LAW.rules, bank.context)


def set_up(world: World) -> None:
    """Everything before the first query: an agreement in force, records, index and consents."""
    filed(world)
    load(world, Kind.REGISTRATION, *REGISTRATIONS)
    load(world, Kind.PENALTY, *PENALTIES)
    index(world)
    consent(world)


def pseudonym(world: World, subject: Identifier, epoch: int = 1) -> bytes:
    """What the bank would arrive at after an evaluation."""
    inputs = [subject_input(subject.scheme.value, subject.value)]
    return world.agency.pseudonyms(world.agreement().terms.agreement, epoch, inputs)[0]


def authorisation(world: World, subject: Identifier, kinds: frozenset[str], epoch: int = 1) -> bytes:
    """The bank's authorisation to ask about one subject now."""
    bank, agreement = world.bank, world.agreement()
    row = bank.read(
        lambda work: work.consents.of_subject(
            bytes.fromhex(agreement.terms.agreement), subject.scheme.value, subject.value
        )[0]
    )
    attested = open_consent(row.raw, bank.known().snapshot.keys_of, LAW.rules.reference)
    assert isinstance(attested, AttestedConsent)
    ask = Ask(
        agreement=agreement.digest,
        agreement_id=agreement.terms.agreement,
        epoch=epoch,
        pseudonym=pseudonym(world, subject, epoch),
        requester=bank.party,
        purpose=PURPOSE,
        kinds=kinds,
    )
    issuer = Issuer(key=bank.context.keys.document, random=bank.context.random, rules=LAW.rules)
    made = authorise(ask, attested, world.clock(), issuer)
    assert isinstance(made, Authorised), made
    return made.raw


def question(
    world: World,
    *subjects: Identifier,
    asked: Mapping[str, frozenset[str]] | None = None,
    batch: bool = False,
    epoch: int = 1,
) -> QueryAsked:
    """A query as it comes off the wire, with an authorisation for each subject."""
    fields = ALL_FIELDS if asked is None else asked
    items = tuple(
        AskedItem(
            pseudonym=pseudonym(world, one, epoch), authorisation=authorisation(world, one, frozenset(fields), epoch)
        )
        for one in subjects
    )
    return QueryAsked(
        peer=BANK,
        digest=world.bank.context.random(32),
        agreement=world.agreement().digest,
        epoch=epoch,
        purpose=PURPOSE,
        asked=fields,
        items=items,
        batch=batch,
        checkpoint=b"",
    )


def answers(world: World, *asked: QueryAsked) -> list[Answered | RefusedAnswer]:
    """What the agency answers to messages that came together."""
    return world.agency.write(lambda work: answer_queries(work, asked, world.agency.desk(work)))


def answer(world: World, asked: QueryAsked) -> Answered:
    (only,) = answers(world, asked)
    assert isinstance(only, Answered), only
    return only


def reasons(given: Sequence[object]) -> list[str]:
    """The reason of each refusal; what is none is named as its type."""
    return [one.refused.reason.value if isinstance(one, RefusedAnswer) else type(one).__name__ for one in given]


def evaluation(world: World, elements: int = 1, **changed: object) -> EvaluateAsked:
    """An evaluation request as it comes off the wire."""
    facts: dict[str, Any] = {
        "peer": BANK,
        "digest": world.bank.context.random(32),
        "agreement": world.agreement().digest,
        "epoch": 1,
        "blinded": tuple(blind([b"an input"] * elements).blinded) if elements else (),
        "checkpoint": b"",
    }
    return EvaluateAsked(**(facts | changed))


def charges(world: World, *asked: EvaluateAsked) -> list[object]:
    return [*world.agency.write(lambda work: charge_evaluations(work, asked, world.agency.desk(work)))]


def asker(world: World, work: UnitOfWork) -> Asker:
    """What the bank prepares and accepts with."""
    bank = world.bank
    facts = bank.facts(work)
    return Asker(
        agreement=facts.agreements[world.agreement().digest],
        facts=facts,
        settings=bank.settings,
        context=bank.context,
    )
