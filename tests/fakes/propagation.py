"""What members of a simulated network do: agree, load, push, ask, correct, delete; and what must hold at the end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agreements.agreement import Agreement
from agreements.terms import Manner, Quotas, Terms
from crypto import commitment
from crypto.document_token import DocumentTokens, document_tokens
from crypto.envelope import parse, read_payload
from crypto.frame import KIND, FrameHeader
from node.domain.correction import correct
from node.domain.dates import shanghai_day
from node.domain.drafting import Draft, Setting, complete
from node.domain.identifiers import Identifier, Problem, Scheme, parse_identifier
from node.domain.intake import Admitted, Intake, open_intake
from node.domain.jobs import JobState
from node.domain.operators import Role, SignedAct
from node.domain.records import Kind, Withheld
from node.domain.rows import Row
from node.domain.vocabulary import load_vocabulary
from node.operations.ask import Question, Target, plan_query
from node.operations.attest_consents import Attestation, attest_consents
from node.operations.change_records import (
    Changed,
    CorrectRecord,
    DeleteRecord,
    NotChanged,
    correct_record,
    delete_record,
)
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
from node.operations.push_records import Wanted, plan_push
from node.operations.record_rows import RecordRow
from node.operations.stored_records import record_from_row
from node.operations.withhold_records import ReleaseRecord, WithholdRecord, release_record, withhold_record
from registry.parties import Jurisdiction, PartyClass, PartyId
from tests.fakes.exchange import EVERYTHING, EVIDENCE, PURPOSE
from tests.fakes.forms import render
from tests.fakes.members import LAW, Member, Part
from tests.fakes.network import Network
from tests.unit.node.domain.given import PENALTY, REGISTRATION

SZ = PartyId("sz-authority")
HK = PartyId("hk-authority")
HOME = PartyId("sz-agency")
HOLDERS = tuple(PartyId(f"hk-bank-{letter}") for letter in "abc")

AUTHORITIES = (
    Part(party=SZ, party_class=PartyClass.CREDIT_DEPT, jurisdiction=Jurisdiction.CN_SZ),
    Part(party=HK, party_class=PartyClass.CREDIT_DEPT, jurisdiction=Jurisdiction.HK),
)
AGENCY = Part(party=HOME, party_class=PartyClass.MUNI_CREDIT_AGENCY, jurisdiction=Jurisdiction.CN_SZ)
BANKS = tuple(Part(party=one, party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK) for one in HOLDERS)
EVERYBODY = (*AUTHORITIES, AGENCY, *BANKS)

WIDE = Quotas(elements_per_epoch=10_000, elements_lifetime=100_000, queries_per_day=10_000, batch_size=50)


def _done(answer: object) -> Done:
    assert isinstance(answer, Done), answer
    return answer


def agree(network: Network, home: PartyId, holder: PartyId, *, push: bool = True, retention_days: int = 90) -> bytes:
    """Draft, propose, sign and file an agreement through everybody's couriers; its digest."""
    provider, recipient = network.members[home], network.members[holder]
    wanted = _terms(network, provider, recipient, push=push, retention_days=retention_days)
    digest = _done(provider.write(lambda work: draft_agreement(work, wanted, provider.office(work)))).agreement
    provider.write(lambda work: _done(propose_agreement(work, _held(provider, work, digest), provider.office(work))))
    network.run(home)
    recipient.write(lambda work: _done(sign_agreement(work, _held(recipient, work, digest), recipient.office(work))))
    network.run(holder)
    filer = provider if provider.part.jurisdiction is Jurisdiction.CN_SZ else recipient
    filer.write(lambda work: _done(file_agreement(work, _held(filer, work, digest), filer.office(work))))
    network.run(filer.party)
    network.run(filer.party)
    network.index()
    return digest


def _held(member: Member, work: UnitOfWork, digest: bytes) -> Agreement:
    return member.facts(work).agreements[digest]


def _terms(network: Network, provider: Member, recipient: Member, *, push: bool, retention_days: int) -> Terms:
    now = network.clock()
    draft = Draft(
        title="Exchange of records",
        recipient=recipient.party,
        stated_signing_date=shanghai_day(now),
        purposes=(PURPOSE,),
        effective_from=now,
        expires_at=now + timedelta(days=360),
        quotas=WIDE,
        kinds={kind: dict(fields) for kind, fields in EVERYTHING.items()},
        liability_contacts=("credit records desk",),
        manner=(Manner.PULL, Manner.PUSH) if push else (Manner.PULL,),
        retention_days=retention_days,
        epoch_days=366,
    )
    setting = Setting(
        provider=provider.card.card,
        recipient=recipient.card.card,
        law=LAW,
        epoch_key=lambda agreement, number: epoch_keys(provider.context, agreement, range(number, number + 1))[0],
    )
    return complete(draft, setting, provider.context.random(16).hex())


def enterprise(number: int) -> dict[str, str]:
    """An invented registration whose content can be searched for; only its coarse fields ever leave."""
    return REGISTRATION | {"uscc": "", "hk_cr": f"{3_000_000 + number:07d}", "address": address(number, 0)}


def penalty(number: int) -> dict[str, str]:
    """An invented penalty of that enterprise."""
    return PENALTY | {"uscc": "", "hk_cr": f"{3_000_000 + number:07d}", "decision_no": f"{number}"}


def address(number: int, version: int) -> str:
    """An address that no other version of any record has."""
    return f"No {number:05d}-{version:05d} Harbour Road"


def code(number: int) -> Identifier:
    parsed = parse_identifier(Scheme.HK_CR.value, f"{3_000_000 + number:07d}")
    assert not isinstance(parsed, Problem)
    return parsed


def intake(member: Member, kind: Kind = Kind.REGISTRATION) -> Intake:
    today = shanghai_day(member.clock())
    opened = open_intake(kind, LAW, provider=member.party, source_system="SZ-CREDIT", today=today)
    assert isinstance(opened, Intake)
    return opened


def ordered(member: Member, role: Role = Role.RECORDS) -> SignedAct:
    def act(work: UnitOfWork) -> SignedAct:
        signed = order(work, member.operator, role, EVIDENCE, member.context)
        assert isinstance(signed, SignedAct), signed
        work.commit()
        return signed

    return member.write(act)


def load(
    network: Network, home: PartyId, rows: Iterable[Mapping[str, str]], kind: Kind = Kind.REGISTRATION
) -> dict[str, int]:
    """Import rows at home and index them; how many of what."""
    member = network.members[home]
    numbered = [Row(number, dict(values)) for number, values in enumerate(rows, 2)]
    importing = Import(intake=intake(member, kind), order=ordered(member), law=member.settings.law)
    progress = list(import_rows(numbered, importing, member.store, member.context))
    network.index()
    return dict(progress[-1].outcomes) if progress else {}


def push(network: Network, home: PartyId, agreement: bytes, wanted: Wanted | None = None) -> int:
    """Order a push; its job."""
    member = network.members[home]

    def act(work: UnitOfWork) -> int:
        held = _held(member, work, agreement)
        job = plan_push(work, wanted or Wanted(), held, member.operator, LAW, member.context)
        assert isinstance(job, int), job
        return job

    return member.write(act)


def consent(network: Network, holder: PartyId, agreement: bytes, subjects: Sequence[Identifier]) -> None:
    member = network.members[holder]
    attestation = Attestation(
        agreement=member.known().agreements[agreement],
        subjects=subjects,
        kinds=frozenset(EVERYTHING),
        purposes=frozenset({PURPOSE}),
        valid_until=network.clock() + timedelta(days=300),
        evidence=EVIDENCE,
    )
    attested = member.write(lambda work: attest_consents(work, attestation, member.operator, LAW.rules, member.context))
    assert isinstance(attested, list), attested


def ask(
    network: Network, holder: PartyId, agreement: bytes, subjects: Sequence[Identifier],
    fields: Mapping[str, frozenset[str]] | None = None,
) -> int:  # fmt: skip
    """Order a query about subjects whose consent was attested; its job."""
    member = network.members[holder]
    question = Question(
        subjects=subjects,
        purpose=PURPOSE,
        asked=fields or {"101": frozenset(EVERYTHING["101"])},
        batch=len(subjects) > 1,
        patience=timedelta(days=30),
        rule_pack=LAW.rules.reference,
    )

    def act(work: UnitOfWork) -> int:
        target = Target.of(_held(member, work, agreement), network.clock())
        job = plan_query(work, question, target, member.operator, member.context)
        assert isinstance(job, int), job
        return job

    return member.write(act)


def corrected(network: Network, home: PartyId, record_no: int, changes: Mapping[str, str]) -> Changed | NotChanged:
    """Correct a record, as an operator orders it."""
    member = network.members[home]

    def act(work: UnitOfWork) -> Changed | NotChanged:
        row = work.records.find(record_no)
        assert row is not None
        admitted = correct(record_from_row(row), changes, intake(member, Kind(row.kind)))
        assert isinstance(admitted, Admitted), admitted
        command = CorrectRecord(record_no=record_no, admitted=admitted, basis="OWN_ERROR", document="note 1")
        return correct_record(work, command, member.operator, member.settings.law, member.context)

    return member.write(act)


def deleted(network: Network, home: PartyId, record_no: int, basis: str = "REVOKED") -> Changed | NotChanged:
    """Delete a record, as two operators order it."""
    member = network.members[home]
    command = DeleteRecord(record_no=record_no, basis=basis, document="decision 31")
    operators = (member.operator, member.second)
    return member.write(lambda work: delete_record(work, command, operators, member.settings.law, member.context))


def withheld(
    network: Network, home: PartyId, record_no: int, state: Withheld, basis: str,
    start: date | None = None, end: date | None = None,
) -> Changed | NotChanged:  # fmt: skip
    """Withhold a record, as an operator orders it."""
    member = network.members[home]
    command = WithholdRecord(
        record_no=record_no, state=state, basis=basis, document="case 8", starts_on=start, ends_on=end
    )  # fmt: skip
    law = member.settings.law
    return member.write(lambda work: withhold_record(work, command, member.operator, law, member.context))


def released(network: Network, home: PartyId, record_no: int, state: Withheld, basis: str) -> Changed | NotChanged:
    """Lift a state of a record, as two operators order it."""
    member = network.members[home]
    command = ReleaseRecord(record_no=record_no, state=state, basis=basis, document="judgment 9")
    operators, law = (member.operator, member.second), member.settings.law
    return member.write(lambda work: release_record(work, command, operators, law, member.context))


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as its holder has it."""

    alias: bytes
    version: int
    values: Mapping[str, object]
    salts: frozenset[str]


def copies(network: Network, holder: PartyId) -> list[Copy]:
    """Every copy that a member holds."""
    member = network.members[holder]

    def act(work: UnitOfWork) -> list[Copy]:
        held = []
        for raw in _frames(work):
            for row in work.received_frames.copies(raw):
                rendition = commitment.decode(row.rendition)
                salts = frozenset(one.salt for one in rendition.fields)
                held.append(Copy(row.alias, row.wire_version, rendition.values(), salts))
        return held

    return member.read(act)


def _frames(work: UnitOfWork) -> list[bytes]:
    headers = [raw for part in EVERYBODY for raw in work.received_frames.headers(part.party, 10_000)]
    return [bytes.fromhex(read_payload(parse(raw, KIND), FrameHeader).frame) for raw in headers]


def records(network: Network, home: PartyId) -> list[RecordRow]:
    """Every home record, tombstones too."""
    return list(network.members[home].read(lambda work: work.records.page(None, 0, 10_000)))


def by_alias(network: Network, home: PartyId) -> dict[bytes, RecordRow]:
    """Which record stands behind each alias that home has ever shown."""
    member = network.members[home]

    def act(work: UnitOfWork) -> dict[bytes, RecordRow]:
        rows = work.records.page(None, 0, 10_000)
        return {shown.alias: row for row in rows for shown in work.ledger.of_record(row.record_no)}

    return member.read(act)


def may_say(row: RecordRow, tokens: DocumentTokens) -> dict[str, list[object]]:
    """What may be told of a record now in every agreed field: as was agreed, or coarser, or not, where it is rare."""
    content, words = record_from_row(row).content, load_vocabulary()
    entry = words.catalogue.entries[row.kind]
    told: dict[str, list[object]] = {
        item.name: [render(content, {item.name: how}, words, tokens)[item.name] for how in item.precisions]
        for item in entry.items
    }
    return {name: [*forms, None] if name in entry.rare else forms for name, forms in told.items()}


def tokens_by_alias(network: Network, home: PartyId) -> dict[bytes, DocumentTokens]:
    """Home's document tokens under the agreement that each alias was shown under."""
    member = network.members[home]
    seed = member.context.keys.pseudonym_seed

    def act(work: UnitOfWork) -> dict[bytes, DocumentTokens]:
        known = member.facts(work).agreements
        tokens = {digest: document_tokens(seed, one.terms.agreement) for digest, one in known.items()}
        rows = work.records.page(None, 0, 10_000)
        shown = [one for row in rows for one in work.ledger.of_record(row.record_no)]
        return {one.alias: tokens[one.agreement] for one in shown}

    return member.read(act)


def differences(network: Network, home: PartyId, holders: Iterable[PartyId]) -> list[str]:
    """Where a holder's copy is not what home says now; empty when every copy is right."""
    known, tokens = by_alias(network, home), tokens_by_alias(network, home)
    wrong = []
    for holder in holders:
        for copy in copies(network, holder):
            row = known.get(copy.alias)
            if row is None:
                wrong.append(f"{holder} holds a copy of a record that home never showed")
            elif row.deleted_at is not None:
                wrong.append(f"{holder} holds a copy of a deleted record")
            elif row.withheld:
                wrong.append(f"{holder} holds a copy of a withheld record")
            elif any(value not in may_say(row, tokens[copy.alias])[name] for name, value in copy.values.items()):
                wrong.append(f"{holder} holds another version than home has now")
    return wrong


def result_of(network: Network, party: PartyId, job: int) -> dict[str, Any]:
    """What a job says of its end; nothing as long as it waits."""
    found = network.members[party].read(lambda work: work.outbox.find(job))
    assert found is not None
    return {} if found.result is None or found.state is JobState.WAITING else dict(json.loads(found.result))
