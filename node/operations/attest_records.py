"""Attest what the rows of a file need an institution's word for; the journal names the document (S 20, 26)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from agreements.attestation import KIND, MOST, Attestation, WaiverReason, sign_attestation
from crypto import envelope
from crypto.keys import Suite
from node.domain.attestations import ToAttest
from node.domain.context import Context
from node.domain.grounds import granted
from node.domain.intake import Intake, Rejected, admit
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.operators import Role, SigningOperator
from node.domain.rows import BadRow, Row
from node.operations.import_records import unread
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.write_down import write_down
from registry.norms.law import Law
from registry.norms.rule_pack import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What is to be attested of a file, if anything, and which of its rows nobody would take in."""

    attestation: Attestation | None
    refused: tuple[Rejected, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A signed attestation and the digest that names it."""

    attestation: Attestation = field(repr=False)
    digest: bytes
    raw: bytes = field(repr=False)


def gather(
    rows: Iterable[Row | BadRow],
    intake: Intake,
    needed: ToAttest,
    reason: WaiverReason,
    until: datetime,
    context: Context,
) -> Gathered | NotAllowed:
    """Read a file as an import would, and gather what its rows need attested; `intake` asks for no attestation.

    `needed` knows the declarations and keys by which rows of self-declarations are judged, and is filled.
    """
    refused = []
    for row in rows:
        answer = admit(row, intake) if isinstance(row, Row) else unread(row)
        if isinstance(answer, Rejected):
            refused.append(answer)
            continue
        finding = needed.take(answer.subject, intake.declared(answer.record), reason)
        if finding is not None:
            refused.append(Rejected(row=answer.row, reason=finding.reason, problem=finding.problem))
    declarations, identifiers = needed.in_order()
    if not declarations and not identifiers:
        return Gathered(attestation=None, refused=tuple(refused))
    if max(len(declarations), len(identifiers)) > MOST:
        return NotAllowed(why=f"one attestation covers at most {MOST} rows: divide the file")
    attestation = Attestation(
        attested_at=context.now(),
        declarations=declarations,
        expires_at=until,
        identifiers=identifiers,
        issuer=context.node,
        suite=Suite.ONE,
    )
    return Gathered(attestation=attestation, refused=tuple(refused))


def issue(attestation: Attestation, context: Context) -> Issued:
    """Sign an attestation, to be kept somewhere before `attest_records` says that it was given."""
    raw = sign_attestation(attestation, context.keys.document)
    return Issued(attestation=attestation, digest=envelope.parse(raw, KIND).digest, raw=raw)


def attest_records(
    work: UnitOfWork, issued: Issued, operator: SigningOperator, law: Law, context: Context
) -> Issued | NotAllowed:
    """Give an attestation on an operator's order; order and entry name its digest and nobody whom it is about."""
    ordered = order(work, operator, Role.RECORDS, issued.digest, context)
    if isinstance(ordered, NotAllowed):
        return ordered
    detail: Detail = {
        "attestation": issued.digest.hex(),
        "declarations": len(issued.attestation.declarations),
        "identifiers": len(issued.attestation.identifiers),
        "order": ordered.digest.hex(),
        **granted(law, Ground.ATTEST),
    }
    write_down(work, EntryFacts(act=Act.RECORDS, detail=detail), context)
    work.commit()
    return issued
