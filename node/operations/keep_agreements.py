"""Agreements at a node: draft, propose, sign, file, end them, and take in what the other side sends."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec

from agreements import filing, termination
from agreements.agreement import Agreement, State, state_at
from agreements.checking import check_terms
from agreements.documents import AgreementDocument, countersign, read_document
from agreements.filing import Desk, Submission, file, issue_receipt
from agreements.refusal import Refusal, Refused, refuse
from agreements.termination import Ending, Termination, terminate
from agreements.terms import KIND as TERMS_KIND
from agreements.terms import Terms
from crypto import envelope
from crypto.keys import Suite
from crypto.pseudonym import public_key
from node.domain.context import Context
from node.domain.grounds import refused_for
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.operators import Role, SigningOperator
from node.operations.asked import RefusedAnswer
from node.operations.facts import NodeFacts, Settings
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.rows import AgreementDocumentRow
from node.operations.time_filing import time_filing
from node.operations.write_down import write_down
from registry.parties import PartyId

MOST_DOCUMENTS = 64
"""Documents kept of one agreement; an honest one has fewer than ten."""

MOST_PROPOSALS = 256
"""Terms kept of one peer that this node has not signed; all of them are folded again whenever anything changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPossible:
    """What was ordered cannot be done now, and why, in one sentence."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The agreement's digest, and the job that tells the other side (None if there is nothing to send)."""

    agreement: bytes
    job: int | None


class DocumentPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What a job that carries one document holds: the agreement's digest in hex, and the document in base64."""

    agreement: str
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything an order about agreements needs: the facts of now, our settings, our context, and who orders."""

    facts: NodeFacts
    settings: Settings
    context: Context
    operator: SigningOperator


def epoch_keys(context: Context, agreement_id: str, numbers: range) -> list[str]:
    """The public keys that the agreement pins, one for each epoch, derived from this node's seed."""
    seed = context.keys.pseudonym_seed
    return [public_key(seed, agreement_id, number).hex() for number in numbers]


def draft_agreement(work: UnitOfWork, terms: Terms, office: Office) -> Done | NotPossible:
    """Keep drafted terms, signed by the operator who drafted them; nothing leaves the node."""
    if terms.provider != office.context.node:
        return NotPossible(why="the provider drafts, since the epoch keys are derived from its seed")
    problem = _first_problem(terms, office)
    if problem is not None:
        return problem
    raw = envelope.sign(TERMS_KIND, terms, [office.operator.key])
    digest = envelope.parse(raw, TERMS_KIND).digest
    ordered = order(work, office.operator, Role.CONTRACTS, digest, office.context)
    if isinstance(ordered, NotAllowed):
        return NotPossible(why=ordered.why)
    _keep(work, AgreementDocumentRow(agreement=digest, digest=digest, kind=TERMS_KIND, raw=raw))
    _journal(work, office.context, Act.AGREEMENT, digest, _detail("drafted", digest, ordered.digest))
    work.commit()
    return Done(agreement=digest, job=None)


def propose_agreement(work: UnitOfWork, agreement: Agreement, office: Office) -> Done | NotPossible:
    """Sign drafted terms with the provider's key and send them to the recipient."""
    if agreement.terms.provider != office.context.node:
        return NotPossible(why="only the provider proposes")
    return _sign(work, agreement, office, "proposed", agreement.terms.recipient)


def sign_agreement(work: UnitOfWork, agreement: Agreement, office: Office) -> Done | NotPossible:
    """Check proposed terms against registry and law, add our signature, and send them back."""
    if agreement.terms.recipient != office.context.node:
        return NotPossible(why="the recipient signs what the provider proposed")
    if agreement.terms.provider not in agreement.signed_by:
        return NotPossible(why="the provider has not signed these terms")
    return _sign(work, agreement, office, "signed", agreement.terms.provider)


def file_agreement(work: UnitOfWork, agreement: Agreement, office: Office) -> Done | NotPossible:
    """Send an agreement that both signed to the authority of our jurisdiction (S 34)."""
    if not agreement.is_signed:
        return NotPossible(why="both parties sign before an agreement is filed")
    jurisdiction = office.settings.own.card.jurisdiction
    if jurisdiction not in agreement.required:
        needed = ", ".join(sorted(agreement.required)) or "nobody"
        return NotPossible(why=f"filing is due with {needed}; the party there files")
    authority = office.facts.snapshot.authority_of(jurisdiction)
    if authority is None:
        return NotPossible(why=f"no authority of {jurisdiction} is pinned at this node")
    ordered = order(work, office.operator, Role.CONTRACTS, agreement.digest, office.context)
    if isinstance(ordered, NotAllowed):
        return NotPossible(why=ordered.why)
    payload = _payload(agreement.digest, _signed_terms(work, agreement, office))
    key = f"file:{agreement.digest.hex()}:{office.context.random(8).hex()}"
    job = NewJob(kind=JobKind.FILE_AGREEMENT, peer=authority.party, key=key, payload=payload)
    number = work.outbox.add(job, office.context.now())
    detail = _detail("filing.sent", agreement.digest, ordered.digest)
    _journal(work, office.context, Act.FILING, agreement.digest, detail)
    work.commit()
    return Done(agreement=agreement.digest, job=number)


def terminate_agreement(work: UnitOfWork, agreement: Agreement, reason: Ending, office: Office) -> Done | NotPossible:
    """Declare the end of an agreement; it works here at once, and at the other side when it arrives."""
    context = office.context
    if context.node not in agreement.terms.parties:
        return NotPossible(why="only a party ends an agreement")
    ordered = order(work, office.operator, Role.CONTRACTS, agreement.digest, context)
    if isinstance(ordered, NotAllowed):
        return NotPossible(why=ordered.why)
    at = context.now()
    declared = Termination(
        agreement=agreement.digest.hex(), party=context.node, reason=reason,
        effective_at=at, issued_at=at, suite=Suite.ONE,
    )  # fmt: skip
    raw = terminate(declared, context.keys.document)
    digest = envelope.parse(raw, termination.KIND).digest
    _keep(work, AgreementDocumentRow(agreement=agreement.digest, digest=digest, kind=termination.KIND, raw=raw))
    number = _send(work, _other(agreement.terms, context.node), agreement.digest, digest, raw, context)
    _journal(work, context, Act.AGREEMENT, agreement.digest, _detail("terminated", digest, ordered.digest))
    work.commit()
    return Done(agreement=agreement.digest, job=number)


def receive_document(
    work: UnitOfWork, peer: PartyId, raw: bytes, facts: NodeFacts, context: Context
) -> bytes | RefusedAnswer:
    """Take in a document of an agreement from its other party; give its digest, or a journalled refusal."""
    document = read_document(raw, facts.snapshot, facts.law.rules)
    refused = _judge(document, peer, facts, context.node, work) if isinstance(document, AgreementDocument) else document
    if refused is not None:
        return _refuse(work, peer, refused, context)
    if isinstance(document, AgreementDocument):
        row = AgreementDocumentRow(
            agreement=document.agreement, digest=document.digest, kind=document.kind, raw=document.raw
        )
        if _keep(work, row):
            detail: Detail = {"document": document.digest.hex(), "done": "received", "kind": document.kind}
            _journal(work, context, Act.AGREEMENT, document.agreement, detail, peer)
            time_filing(work, document.agreement, facts, context)
        work.commit()
        return document.digest
    raise AssertionError("a document that does not read is refused above")


def take_filing(
    work: UnitOfWork, peer: PartyId, raw: bytes, facts: NodeFacts, settings: Settings, context: Context
) -> bytes | RefusedAnswer:
    """As an authority: file an agreement and give the signed receipt; the same agreement again gets the first one."""
    rules = facts.law.rules
    if not settings.own.card.party_class.is_authority:
        refused = refuse(Refusal.PARTY_NOT_ELIGIBLE, rules.reference, "receiver: expected an authority")
        return _refuse(work, peer, refused, context)
    if facts.fault is not None:
        return _refuse(work, peer, refuse(facts.fault[0], rules.reference, facts.fault[1]), context)
    desk = Desk(
        authority=context.node, snapshot=facts.snapshot, rules=rules,
        catalogue=facts.law.catalogue, calendar=facts.law.calendar,
    )  # fmt: skip
    receipt_no = f"{settings.own.card.jurisdiction}-{context.now():%Y%m%d}-{context.random(6).hex().upper()}"
    decided = file(Submission(document=raw, filed_by=peer, receipt_no=receipt_no), context.now(), desk)
    if isinstance(decided, Refused):
        return _refuse(work, peer, decided, context)
    agreement = bytes.fromhex(decided.agreement)
    first = _known_receipt(work, agreement)
    if first is not None:
        return first
    receipt = issue_receipt(decided, context.keys.document)
    digest = envelope.parse(receipt, filing.KIND).digest
    _keep(work, AgreementDocumentRow(agreement=agreement, digest=agreement, kind=TERMS_KIND, raw=raw))
    _keep(work, AgreementDocumentRow(agreement=agreement, digest=digest, kind=filing.KIND, raw=receipt))
    detail: Detail = {
        "due": decided.due_on.isoformat(), "late": int(decided.late), "receipt": digest.hex(),
    }  # fmt: skip
    _journal(work, context, Act.FILING, agreement, detail, peer)
    work.commit()
    return receipt


def keep_receipt(
    work: UnitOfWork, authority: PartyId, agreement: Agreement, raw: bytes, facts: NodeFacts,
    context: Context,
) -> bytes | Refused:  # fmt: skip
    """Keep the receipt that the authority gave us, and pass it on to the other party."""
    rules = facts.law.rules
    document = read_document(raw, facts.snapshot, rules)
    if isinstance(document, Refused):
        return document
    if document.kind != filing.KIND or document.agreement != agreement.digest or document.signed_by != {authority}:
        return refuse(
            Refusal.SIGNATURE_INVALID,
            rules.reference,
            "receipt: expected this agreement's, by this authority",
        )
    row = AgreementDocumentRow(agreement=agreement.digest, digest=document.digest, kind=filing.KIND, raw=raw)
    if _keep(work, row):
        _send(work, _other(agreement.terms, context.node), agreement.digest, document.digest, raw, context)
        detail: Detail = {"done": "filed", "receipt": document.digest.hex()}
        _journal(work, context, Act.FILING, agreement.digest, detail, authority)
        time_filing(work, agreement.digest, facts, context)
    return document.digest


def _sign(work: UnitOfWork, agreement: Agreement, office: Office, done: str, to: PartyId) -> Done | NotPossible:
    context = office.context
    ordered = order(work, office.operator, Role.CONTRACTS, agreement.digest, context)
    if isinstance(ordered, NotAllowed):
        return NotPossible(why=ordered.why)
    if context.node in agreement.signed_by:
        return NotPossible(why="this node has already signed")
    if state_at(agreement, context.now()) in {State.TERMINATED, State.EXPIRED}:
        return NotPossible(why="these terms are over")
    problem = _first_problem(agreement.terms, office)
    if problem is not None:
        return problem
    raw = countersign(_signed_terms(work, agreement, office), context.keys.document)
    row = AgreementDocumentRow(agreement=agreement.digest, digest=agreement.digest, kind=TERMS_KIND, raw=raw)
    _keep(work, row)
    number = _send(work, to, agreement.digest, agreement.digest, raw, context)
    detail = _detail(done, agreement.digest, ordered.digest)
    _journal(work, context, Act.AGREEMENT, agreement.digest, detail, to)
    time_filing(work, agreement.digest, office.facts, context)
    work.commit()
    return Done(agreement=agreement.digest, job=number)


def _first_problem(terms: Terms, office: Office) -> NotPossible | None:
    """What registry and law have against these terms, the first thing first."""
    provider, recipient = (office.facts.snapshot.party(one) for one in (terms.provider, terms.recipient))
    if provider is None or recipient is None or not (provider.is_active and recipient.is_active):
        missing = terms.recipient if provider is not None and provider.is_active else terms.provider
        return NotPossible(why=f"{missing} is not an admitted party")
    law, fault = office.facts.law, office.facts.fault
    if fault is not None:
        return NotPossible(why=f"{fault[0]}: {fault[1]}")
    problems = check_terms(terms, provider.card.card, recipient.card.card, law.rules, law.catalogue)
    if problems:
        return NotPossible(why=f"{problems[0].reason}: {problems[0].detail}")
    return None


def _judge(
    document: AgreementDocument,
    peer: PartyId,
    facts: NodeFacts,
    node: PartyId,
    work: UnitOfWork,
) -> Refused | None:
    rules = facts.law.rules
    if isinstance(document.payload, Terms):
        if {peer, node} != document.payload.parties:
            return refuse(Refusal.AGREEMENT_MISSING, rules.reference, "parties: expected sender and receiver")
        if peer not in document.signed_by:
            return refuse(Refusal.SIGNATURE_INVALID, rules.reference, "signatures: expected the sender's")
        if len(_proposals(peer, facts, node) - {document.agreement}) >= MOST_PROPOSALS:
            return refuse(Refusal.RISK_LIMIT, rules.reference, f"proposals: expected at most {MOST_PROPOSALS} unsigned")
    else:
        agreement = facts.agreements.get(document.agreement)
        if agreement is None or {peer, node} != agreement.terms.parties:
            return refuse(
                Refusal.AGREEMENT_MISSING,
                rules.reference,
                "agreement: expected one between sender and receiver",
            )
    if len(work.agreements.documents(document.agreement)) >= MOST_DOCUMENTS:
        return refuse(Refusal.RISK_LIMIT, rules.reference, f"documents: expected at most {MOST_DOCUMENTS}")
    return None


def _proposals(peer: PartyId, facts: NodeFacts, node: PartyId) -> set[bytes]:
    """The terms of a peer that this node has not signed: only their number is the peer's to choose."""
    held = facts.agreements.values()
    return {one.digest for one in held if peer in one.signed_by and node in one.terms.parties - one.signed_by}


def _refuse(work: UnitOfWork, peer: PartyId, refused: Refused, context: Context) -> RefusedAnswer:
    detail = refused_for(refused)
    entry = EntryFacts(act=Act.REFUSED, detail=detail, counterparty=peer)
    leaf = write_down(work, entry, context)
    work.commit()
    return RefusedAnswer(refused=refused, leaf=leaf)


def _signed_terms(work: UnitOfWork, agreement: Agreement, office: Office) -> bytes:
    """The envelope of the terms that most of the parties signed; ties fall to the first that came.

    Only their signatures count: others prove nothing, and whoever adds them must not keep us from filing.
    """
    snapshot, rules = office.facts.snapshot, office.facts.law.rules
    rows = work.agreements.documents(agreement.digest)
    read = [read_document(row.raw, snapshot, rules) for row in rows if row.kind == TERMS_KIND]
    return max((one for one in read if isinstance(one, AgreementDocument)), key=lambda one: len(one.signed_by)).raw


def _known_receipt(work: UnitOfWork, agreement: bytes) -> bytes | None:
    rows = work.agreements.documents(agreement)
    return next((row.raw for row in rows if row.kind == filing.KIND), None)


def _keep(work: UnitOfWork, row: AgreementDocumentRow) -> bool:
    if not work.agreements.add(row):
        return False
    work.generation.move()
    return True


def _send(work: UnitOfWork, to: PartyId, agreement: bytes, digest: bytes, raw: bytes, context: Context) -> int:
    key = f"document:{to}:{digest.hex()}:{sha256(raw).hexdigest()[:16]}"
    job = NewJob(kind=JobKind.DELIVER_DOCUMENT, peer=to, key=key, payload=_payload(agreement, raw))
    return work.outbox.add(job, context.now())


def _payload(agreement: bytes, raw: bytes) -> bytes:
    return msgspec.json.encode(DocumentPayload(agreement=agreement.hex(), document=raw))


def _other(terms: Terms, node: PartyId) -> PartyId:
    return terms.recipient if node == terms.provider else terms.provider


def _detail(done: str, document: bytes, ordered: bytes) -> Detail:
    return {"document": document.hex(), "done": done, "order": ordered.hex()}


def _journal(
    work: UnitOfWork, context: Context, act: Act, agreement: bytes, detail: Detail,
    counterparty: PartyId | None = None,
) -> None:  # fmt: skip
    entry = EntryFacts(act=act, detail=detail, agreement=agreement, counterparty=counterparty or PartyId("-"))
    write_down(work, entry, context)
