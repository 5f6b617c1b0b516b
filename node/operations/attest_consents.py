"""Attest that subjects consented: the documents stay here, only commitments to them ever travel (S 28, 32, 35)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agreements.agreement import Agreement
from agreements.consent import Consent, ConsentType, Form, SubjectName, Use, attest, check_consent
from agreements.refusal import Refused
from crypto.keys import Suite
from node.domain.context import Context
from node.domain.identification import refuse_persons
from node.domain.identifiers import Identifier
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.operators import Role, SigningOperator
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.rows import ConsentRow
from node.operations.write_down import write_down
from registry.norms.rule_pack import RulePack


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What is attested of every subject in one order; `evidence` is the SHA-256 of the signed paper or file.

    The last three are what the form says of how the consent came about (S 24, 25): by itself and tied to no other
    matter, without a service that depends on it, after a warning of what may follow from it.
    """

    agreement: Agreement
    subjects: Sequence[Identifier]
    kinds: frozenset[str]
    purposes: frozenset[str]
    valid_until: datetime
    evidence: bytes
    form: Form = Form.WRITTEN
    conditions: str = ""
    standalone: bool = True
    service_not_conditioned: bool = True
    adverse_warning: bool = True


def attest_consents(
    work: UnitOfWork, attestation: Attestation, operator: SigningOperator, rules: RulePack, context: Context
) -> list[bytes] | Refused | NotAllowed:
    """Keep one attested consent for each subject, all or none; give their ids. Nobody may be a natural person."""
    refused = refuse_persons(attestation.subjects, rules.reference)
    if refused is not None:
        return refused
    ordered = order(work, operator, Role.CONSENTS, attestation.evidence, context)
    if isinstance(ordered, NotAllowed):
        return ordered
    consents = [_consent(subject, attestation, context) for subject in attestation.subjects]
    for consent in consents[:1]:
        refused = _unfit(consent, attestation, rules, context)
        if refused is not None:
            return refused
    for consent in consents:
        work.consents.add(_row(consent, attestation, context))
    detail: Detail = {"count": len(consents), "order": ordered.digest.hex()}
    entry = EntryFacts(act=Act.CONSENT, detail=detail, agreement=attestation.agreement.digest)
    write_down(work, entry, context)
    work.commit()
    return [bytes.fromhex(consent.consent) for consent in consents]


def _consent(subject: Identifier, attestation: Attestation, context: Context) -> Consent:
    now = context.now()
    return Consent(
        consent=context.random(16).hex(),
        attested_by=context.node,
        subject=SubjectName(scheme=subject.scheme.value, value=subject.value),
        type=ConsentType.QUERY,
        agreement=attestation.agreement.terms.agreement,
        kinds=tuple(sorted(attestation.kinds)),
        purposes=tuple(sorted(attestation.purposes)),
        method="QUERY",
        conditions=attestation.conditions,
        valid_from=now,
        valid_until=attestation.valid_until,
        standalone=attestation.standalone,
        service_not_conditioned=attestation.service_not_conditioned,
        adverse_warning=attestation.adverse_warning,
        form=attestation.form,
        evidence=attestation.evidence.hex(),
        attested_at=now,
        suite=Suite.ONE,
    )


def _unfit(consent: Consent, attestation: Attestation, rules: RulePack, context: Context) -> Refused | None:
    """All consents of one order are alike but for the subject, so one purpose after the other is checked on one."""
    for purpose in sorted(attestation.purposes):
        use = Use(agreement=consent.agreement, kinds=attestation.kinds, purpose=purpose)
        refused = check_consent(consent, use, context.now(), rules)
        if refused is not None:
            return refused
    return None


def _row(consent: Consent, attestation: Attestation, context: Context) -> ConsentRow:
    return ConsentRow(
        consent=bytes.fromhex(consent.consent),
        agreement=bytes.fromhex(consent.agreement),
        scheme=consent.subject.scheme,
        value=consent.subject.value,
        valid_until=attestation.valid_until,
        raw=attest(consent, context.keys.document),
    )
