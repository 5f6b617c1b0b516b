"""Self-declarations: what an enterprise says of itself, in words it can read, under a key of its own (S 20, 26).

The key is listed nowhere: whose it is, an admitted institution attests (`agreements.attestation`), and only through
that word does a declaration count. The document names its subject, so it stays with the institution and crosses no
boundary.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct

from agreements.consent import SubjectName
from agreements.errors import WrongKey
from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import reason_of
from agreements.terms import Code
from crypto import envelope
from crypto.canonical import Hex32, canonical
from crypto.errors import BadKey, BadSignature, CryptoError, Malformed
from crypto.keys import Algorithm, PublicKey, Purpose, SigningKey, register_key

KIND: Final = "self-declaration"
LARGEST: Final = 64 * 1024
"""The longest signed declaration that is read, in bytes."""
_SPACES: Final = "\n\t\u3000"
"""What may stand in a statement beside characters that people see and plain spaces."""


class SelfDeclaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the subject declares; its fields are called like the columns of a row, which says the same word by word.

    `consent_until` is the last day on which it may be shown, which ends within the rule pack's months; `key` is the
    subject's public key in hex.
    """

    consent_until: date
    declaration_no: Annotated[str, Meta(min_length=1, max_length=200)]
    declared_on: date
    key: Hex32
    statement: Annotated[str, Meta(min_length=1, max_length=8_000)] | None
    subject: SubjectName
    suite: int
    topic_code: Code

    def __repr__(self) -> str:
        return "SelfDeclaration(...)"


DECLARED: Final = ("declaration_no", "topic_code", "statement", "declared_on", "consent_until")
"""What the subject signs of a row, in the order in which people read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDeclaration:
    """A declaration that the key in it signed; rows name it by `digest`, the SHA-256 of the document's bytes in hex."""

    declaration: SelfDeclaration
    digest: str


def sign_declaration(declaration: SelfDeclaration, key: SigningKey) -> bytes:
    """The declaration signed by its subject's key.

    Raises:
        WrongKey: it is no key of a subject, or another than the declaration names.
        Malformed: a text is not as it must be to be read and signed.
    """
    if key.purpose is not Purpose.SUBJECT or key.public.raw.hex() != declaration.key:
        message = "a declaration is signed with the subject's own key, which it names"
        raise WrongKey(message)
    check_legible(declaration)
    return envelope.sign(KIND, canonical(declaration), [key])


def open_declaration(raw: bytes, rule_pack: str) -> OpenedDeclaration | Refused:
    """Read a declaration, and verify that the key that it names signed it, and nobody else.

    Refused with OVERSIZED, MALFORMED, UNKNOWN_FIELD or SIGNATURE_INVALID. Whose key it is, no document says but an
    attestation; whether a row says the same is for `node.domain.declarations`.
    """
    if len(raw) > LARGEST:
        return refuse(Refusal.OVERSIZED, rule_pack, f"declaration: expected at most {LARGEST} bytes")
    try:
        signed = envelope.parse(raw, KIND, LARGEST)
        declaration = envelope.read_payload(signed, SelfDeclaration)
        check_legible(declaration)
        key = subject_key(declaration.key)
        if signed.signatures.keys() != {key.key_id}:
            raise BadSignature("signed by another than the key that it names")
        envelope.verify(signed, {key.key_id: key}, [key.key_id])
    except CryptoError as failure:
        return refuse(reason_of(failure), rule_pack, "declaration: expected readable and signed by the key in it")
    return OpenedDeclaration(declaration=declaration, digest=sha256(raw).hexdigest())


def subject_key(public: str) -> PublicKey:
    """The key of a subject, from its 32 bytes in hex; BadSignature where no key that can sign is named."""
    try:
        return register_key(Purpose.SUBJECT, Algorithm.ED25519, bytes.fromhex(public))
    except BadKey:
        message = "not a usable key"
    raise BadSignature(message)


def check_legible(declaration: SelfDeclaration) -> None:
    """Who signs has to be able to read what is signed: nothing unseen, nothing that shows text in another order.

    Raises:
        Malformed: there are such characters, or spaces around a text.
    """
    statement = declaration.statement or "-"
    plain = statement
    for space in _SPACES:
        plain = plain.replace(space, " ")
    for text, shown in ((declaration.declaration_no, declaration.declaration_no), (statement, plain)):
        if text != text.strip() or not shown.isprintable():
            raise Malformed("text with spaces around it, or with characters that nobody sees")
