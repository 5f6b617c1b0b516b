"""Asking: plan a query, make its messages once. Nothing here sends.

A query is a job. Its payload is a `Plan` that grows as the courier goes on: first the subjects, then the messages
exactly as they will be sent (so that a try after a crash is the same request), then what was answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice

import msgspec

from agreements.agreement import Agreement
from agreements.authorisation import Ask, Authorised, Issuer, authorise
from agreements.consent import AttestedConsent, open_consent
from agreements.refusal import Refusal, Refused
from agreements.terms import epoch_at
from crypto.canonical import Hex16, Hex32
from crypto.pseudonym import MOST_ELEMENTS
from node.domain.context import Context
from node.domain.identification import refuse_persons
from node.domain.identifiers import Identifier
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.operators import Role, SigningOperator
from node.operations.accept_frames import Recipient
from node.operations.asked import AskedItem
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.write_down import write_down
from registry.parties import PartyId

MOST_SUBJECTS = 10_000
"""Subjects in one query command; more are asked for in several."""
ASKED_FOR = timedelta(hours=1)
"""How long a person's query is asked of a provider that is not reached: as long as anybody waits for one."""


class PlannedSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One subject to ask about, by an identifier that the requester supplied itself."""

    scheme: str
    value: str

    def __repr__(self) -> str:
        return "PlannedSubject(...)"


class PlannedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a message. `salt` opens the authorisation's commitment to the consent `consent`."""

    subject: int
    pseudonym: Hex16
    authorisation: bytes
    consent: str | None
    salt: str


class ItemRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal as the result of a query tells it.

    `subject` is a position in the plan, None for a whole message; `leaf` names the entry in the refuser's journal.
    """

    reason: str
    article: str
    subject: int | None = None
    by: str = ""
    leaf: str = ""


class PlannedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it is sent, and what came of it: a frame id, or refusals."""

    request: Hex16
    checkpoint: bytes
    items: tuple[PlannedItem, ...]
    frame: Hex16 | None = None
    refused: tuple[ItemRefused, ...] = ()
    done: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A query job's payload."""

    agreement: Hex32
    epoch: int
    purpose: str
    asked: dict[str, tuple[str, ...]]
    subjects: tuple[PlannedSubject, ...]
    batch: bool
    messages: tuple[PlannedMessage, ...] = ()
    prepared: bool = False


class QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished query job says: the frames that were accepted, and everything that was refused."""

    frames: tuple[Hex16, ...] = ()
    refused: tuple[ItemRefused, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person asks: fields by kind (no fields: all that the agreement grants of the kind).

    `patience` is how long a provider that is not reached is asked; `rule_pack` is the one that this node goes by.
    """

    subjects: Sequence[Identifier]
    purpose: str
    asked: Mapping[str, frozenset[str]]
    batch: bool
    patience: timedelta
    rule_pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to ask under what: an agreement's digest, its provider, and the epoch."""

    agreement: bytes
    provider: PartyId
    epoch: int

    @classmethod
    def of(cls, agreement: Agreement, at: datetime) -> "Target":
        """The target that an agreement held here names; outside its validity, its last epoch."""
        epoch = epoch_at(agreement.terms, at) or agreement.terms.epochs[-1]
        return cls(agreement=agreement.digest, provider=agreement.terms.provider, epoch=epoch.number)


def plan_query(
    work: UnitOfWork, question: Question, target: Target, operator: SigningOperator, context: Context
) -> int | NotAllowed | Refused:
    """Queue one query as a job; what may be asked is for home to decide, and it will say why not.

    Only that nobody asks about a natural person is decided here, before anything is blinded: home could not see it.
    """
    refused = refuse_persons(question.subjects, question.rule_pack)
    if refused is not None:
        return refused
    now = context.now()
    plan = Plan(
        agreement=target.agreement.hex(),
        epoch=target.epoch,
        purpose=question.purpose,
        asked={kind: tuple(sorted(fields)) for kind, fields in sorted(question.asked.items())},
        subjects=tuple(PlannedSubject(scheme=one.scheme.value, value=one.value) for one in question.subjects),
        batch=question.batch,
    )
    job = NewJob(
        kind=JobKind.QUERY,
        peer=target.provider,
        key=f"query:{context.random(16).hex()}",
        payload=msgspec.json.encode(plan),
        give_up_at=now + question.patience,
    )
    ordered = order(work, operator, Role.QUERIES, _subject(job), context)
    if isinstance(ordered, NotAllowed):
        return ordered
    number = work.outbox.add(job, now)
    detail: Detail = {"count": len(plan.subjects), "order": ordered.digest.hex(), "purpose": plan.purpose}
    entry = EntryFacts(act=Act.ASKED, detail=detail, counterparty=job.peer, agreement=target.agreement)
    write_down(work, entry, context)
    work.commit()
    return number


def _subject(job: NewJob) -> bytes:
    """What the operator signs for: this query. Its random name keeps anybody from guessing at the identifiers."""
    return sha256(b"creditport/query/v1" + job.key.encode() + job.payload).digest()


def unknown_subjects(work: UnitOfWork, plan: Plan) -> list[PlannedSubject]:
    """Which subjects of the plan have no evaluated pseudonym here yet; each once."""
    wanted = list(dict.fromkeys((one.scheme, one.value) for one in plan.subjects))
    known = work.known_pseudonyms.lookup(bytes.fromhex(plan.agreement), plan.epoch, wanted)
    return [PlannedSubject(scheme=scheme, value=value) for scheme, value in wanted if (scheme, value) not in known]


def chunks(subjects: Sequence[PlannedSubject]) -> list[list[PlannedSubject]]:
    """The subjects in portions of one evaluation each."""
    remaining = iter(subjects)
    portions = []
    while portion := list(islice(remaining, MOST_ELEMENTS)):
        portions.append(portion)
    return portions


def keep_pseudonyms(
    work: UnitOfWork, plan: Plan, subjects: Sequence[PlannedSubject], pseudonyms: Sequence[bytes]
) -> None:
    """Keep what was evaluated, so that no identifier is evaluated (and charged) twice in an epoch."""
    rows = {(one.scheme, one.value): name for one, name in zip(subjects, pseudonyms, strict=True)}
    work.known_pseudonyms.add(bytes.fromhex(plan.agreement), plan.epoch, rows)
    work.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker(Recipient):
    """What preparing and accepting need: the agreement, and what any recipient goes by."""

    agreement: Agreement


def prepare(work: UnitOfWork, job: int, plan: Plan, asker: Asker, checkpoint: bytes) -> Plan:
    """Make the messages of a plan, with one authorisation for each subject, and keep them before anything is sent.

    Where they were made before, those that were answered stay; the others are made anew.
    A subject without a consent that carries the question gets an empty authorisation: whether one is needed is for
    home to say (S 28), and it says so in its answer.
    """
    wanted = [(one.scheme, one.value) for one in plan.subjects]
    names = work.known_pseudonyms.lookup(bytes.fromhex(plan.agreement), plan.epoch, wanted)
    size = asker.agreement.terms.quotas.batch_size if plan.batch else 1
    answered = {place: one for place, one in enumerate(plan.messages) if one.done and not came_late(one)}
    now = asker.context.now()
    messages = []
    for place, first in enumerate(range(0, len(wanted), size)):
        if place in answered:
            messages.append(answered[place])
            continue
        part = range(first, min(first + size, len(wanted)))
        items = tuple(_item(work, plan, one, names[wanted[one]], asker, now) for one in part)
        messages.append(PlannedMessage(request=asker.context.random(16).hex(), checkpoint=checkpoint, items=items))
    prepared = msgspec.structs.replace(plan, messages=tuple(messages), prepared=True)
    work.outbox.retry(job, now, msgspec.json.encode(prepared))
    work.commit()
    return prepared


def came_late(message: PlannedMessage) -> bool:
    """Whether home says that a message came when its authorisations were over, and shows and charges nothing of it.

    Only home can say so: what it answered in time, and whose answer was lost, it answers once more for nothing.
    """
    reasons = [one.reason for one in message.refused]
    return message.done and len(reasons) == len(message.items) and Refusal.CONSENT_EXPIRED in reasons


def asked_items(message: PlannedMessage) -> tuple[AskedItem, ...]:
    """The items as they go on the wire."""
    return tuple(
        AskedItem(pseudonym=bytes.fromhex(one.pseudonym), authorisation=one.authorisation) for one in message.items
    )


def _item(work: UnitOfWork, plan: Plan, place: int, pseudonym: bytes, asker: Asker, at: datetime) -> PlannedItem:
    subject = plan.subjects[place]
    ask = Ask(
        agreement=asker.agreement.digest,
        agreement_id=asker.agreement.terms.agreement,
        epoch=plan.epoch,
        pseudonym=pseudonym,
        requester=asker.context.node,
        purpose=plan.purpose,
        kinds=frozenset(plan.asked),
    )
    rows = work.consents.of_subject(bytes.fromhex(ask.agreement_id), subject.scheme, subject.value)
    for row in rows:
        authorised, consent = _authorise(row.raw, ask, asker, at)
        if isinstance(authorised, Authorised):
            return PlannedItem(
                subject=place, pseudonym=pseudonym.hex(), authorisation=authorised.raw,
                consent=consent, salt=authorised.salt.hex(),
            )  # fmt: skip
    return PlannedItem(subject=place, pseudonym=pseudonym.hex(), authorisation=b"", consent=None, salt="")


def _authorise(raw: bytes, ask: Ask, asker: Asker, at: datetime) -> tuple[Authorised | Refused, str]:
    rules = asker.facts.law.rules
    attested = open_consent(raw, asker.facts.snapshot.keys_of, rules.reference)
    if not isinstance(attested, AttestedConsent):
        return attested, ""
    issuer = Issuer(key=asker.context.keys.document, random=asker.context.random, rules=rules)
    return authorise(ask, attested, at, issuer), attested.consent.consent
