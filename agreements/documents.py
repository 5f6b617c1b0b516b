"""Making and reading the documents that an agreement consists of."""

from contextlib import suppress
from dataclasses import dataclass, field

from agreements import filing, termination, terms
from agreements.filing import FilingReceipt
from agreements.refusal import Refused, refuse
from agreements.signatures import KeysOf, document_key, reason_of, sign_document, signers
from agreements.termination import Termination
from agreements.terms import Terms
from crypto import envelope
from crypto.envelope import Signed
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.keys import SigningKey
from registry.norms.rule_pack import RulePack
from registry.parties import PartyId
from registry.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDocument:
    """One document that belongs to an agreement, read and with its signatures judged.

    `kind` is "agreement", "filing-receipt" or "termination"; `agreement` the digest of the terms it belongs
    to, `digest` its own name (the same one for terms), `signed_by` the parties or the authority that signed
    it.
    """

    kind: str
    agreement: bytes
    digest: bytes
    payload: Terms | FilingReceipt | Termination
    signed_by: frozenset[PartyId]
    raw: bytes = field(repr=False)


def propose(proposal: Terms, key: SigningKey) -> bytes:
    """The terms as a document signed by one party's document key."""
    return sign_document(terms.KIND, proposal, key)


def countersign(raw: bytes, key: SigningKey) -> bytes:
    """The same document with the other party's signature added; the caller has checked its terms."""
    return envelope.add_signature(raw, document_key(key))


def read_document(raw: bytes, snapshot: Snapshot, rules: RulePack) -> AgreementDocument | Refused:
    """Read a document of any of the three kinds and judge who signed it.

    Receipts and terminations must be signed by the authority or party that they name. Terms may lack a
    known signature (a draft shows nothing to anybody), but a false one refuses them. Whether that authority
    is the right one, and that party a party of the agreement, is for `fold` to say.
    """
    try:
        return _read(raw, snapshot.keys_of)
    except CryptoError as failure:
        return refuse(reason_of(failure), rules.reference, "document: expected readable and signed")


def _read(raw: bytes, keys_of: KeysOf) -> AgreementDocument:
    kind, signed = _parse(raw)
    if kind == terms.KIND:
        agreed = envelope.read_payload(signed, Terms)
        return _document(kind, signed, agreed, signers(signed, agreed.parties, keys_of))
    if kind == filing.KIND:
        receipt = envelope.read_payload(signed, FilingReceipt)
        return _document(kind, signed, receipt, signers(signed, [receipt.authority], keys_of))
    ending = envelope.read_payload(signed, Termination)
    return _document(kind, signed, ending, signers(signed, [ending.party], keys_of))


def _parse(raw: bytes) -> tuple[str, Signed]:
    for kind in (terms.KIND, filing.KIND):
        with suppress(Malformed):
            return kind, envelope.parse(raw, kind)
    return termination.KIND, envelope.parse(raw, termination.KIND)


def _document(
    kind: str, signed: Signed, payload: Terms | FilingReceipt | Termination, signed_by: frozenset[PartyId]
) -> AgreementDocument:
    if not signed_by and not isinstance(payload, Terms):
        raise BadSignature("not signed by whom it names")
    return AgreementDocument(
        kind=kind,
        agreement=signed.digest if isinstance(payload, Terms) else bytes.fromhex(payload.agreement),
        digest=signed.digest,
        payload=payload,
        signed_by=signed_by,
        raw=signed.raw,
    )
