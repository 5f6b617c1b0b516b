"""Vectors of how a change reaches every holder: batches of notices with their legal bases, receipts about copies."""

from datetime import UTC, datetime
from typing import Any, Final

from crypto import envelope, merkle
from crypto.canonical import canonical
from crypto.keys import Purpose, SigningKey, Suite
from node.domain.notices import KIND as NOTICES
from node.domain.notices import SALT_SIZE, Effect, Notice, NoticeBatch, basis_commitment
from node.domain.receipts import COPY_KIND, CopyReceipt, CopyReceiptBatch, CopyStage
from registry.parties import PartyId
from tests.vectors.fixed import AGREEMENT, NOON, RECIPIENT, SENDER, FixedRandom, signing_key

DUE: Final = datetime(2026, 11, 26, 16, 0, 0, tzinfo=UTC)
"""24:00 in Shenzhen on the third working day after Monday 23 November."""
FRAME: Final = FixedRandom("frame")(16).hex()
ALIAS: Final = FixedRandom("alias")(16).hex()
"""The record of the rendition vector, which that of the frame vector holds in version 1."""
OTHER_ALIAS: Final = FixedRandom("another alias")(16).hex()
ENDED_ALIAS: Final = FixedRandom("ended alias")(16).hex()
TAKEN: Final = b"the holder's entry of the notices"
"""What the receipts of one batch of notices have in common."""

BASES: Final = (
    ("DISPUTE", "深信复〔2026〕1号"),
    ("REVOKED", "深市监撤〔2026〕7号"),
    ("PROVIDER_UPDATE", ""),
)
"""Legal bases, each with the document that says so; a provider's file is no document."""


def _salt(basis: str) -> bytes:
    return FixedRandom(f"salt of {basis}")(SALT_SIZE)


def _notice(place: int, alias: str, effect: Effect, version: int) -> Notice:
    basis, document = BASES[place]
    return Notice(
        alias=alias,
        basis=basis_commitment(_salt(basis), basis, document).hex(),
        due=DUE,
        effect=effect,
        notice=FixedRandom(f"notice {place + 1}")(16).hex(),
        occurred_at=NOON,
        version=version,
    )


def _batch(first: int, notices: tuple[Notice, ...], previous: str | None) -> NoticeBatch:
    return NoticeBatch(
        agreement=AGREEMENT,
        first=first,
        holder=PartyId(RECIPIENT),
        home=PartyId(SENDER),
        issued_at=NOON,
        journal_leaf=merkle.leaf_hash(f"home's entry of batch {first}".encode()).hex(),
        notices=notices,
        previous=previous,
        suite=Suite.ONE,
    )


def notice() -> dict[str, Any]:
    key = signing_key(Purpose.DOCUMENT, SENDER)
    begun = _batch(1, (_notice(0, ALIAS, Effect.REPLACE, 2), _notice(1, OTHER_ALIAS, Effect.DELETE, 4)), None)
    raw = envelope.sign(NOTICES, begun, [key])
    digest = envelope.parse(raw, NOTICES).digest.hex()
    gone_on = _batch(3, (_notice(2, ALIAS, Effect.REPLACE, 3),), digest)
    basis, document = BASES[0]
    return {
        "about": "The first two batches of a stream of notices, and what their legal bases open to.",
        "example": {
            "notice batch": canonical(begun).decode(),
            "document key seed": key.seed.hex(),
            "digest": digest,
            "basis salt": _salt(basis).hex(),
            "basis opening": canonical({"basis": basis, "document": document}).decode(),
        },
        "document": raw.decode(),
        "next document": envelope.sign(NOTICES, gone_on, [key]).decode(),
        "bases": [
            {
                "basis": basis,
                "document": document,
                "salt": _salt(basis).hex(),
                "commitment": basis_commitment(_salt(basis), basis, document).hex(),
            }
            for basis, document in BASES
        ],
        "refused": _refused(begun, key),
    }


def _refused(batch: NoticeBatch, key: SigningKey) -> list[dict[str, str]]:
    """Documents of a right signature that are no batches of notices."""
    good = canonical(batch)
    texts = {
        "an effect that is not known": (good.replace(b'"REPLACE"', b'"WITHHOLD"'), "Malformed"),
        "a version that counts from 0": (good.replace(b'"version":2', b'"version":0'), "Malformed"),
        "a stream that counts from 0": (good.replace(b'"first":1', b'"first":0'), "Malformed"),
        "no notice": (good.partition(b'"notices":[')[0] + b'"notices":[],"previous":null,"suite":1}', "Malformed"),
        "a legal basis in clear": (good.replace(b',"due":', b',"because":"DISPUTE","due":', 1), "UnknownField"),
    }
    return [
        {"why": why, "document": envelope.sign(NOTICES, payload, [key]).decode(), "expect": expect}
        for why, (payload, expect) in texts.items()
    ]


def _receipt(stage: CopyStage, alias: str, *, notice: int | None = None, frame: str | None = None) -> CopyReceipt:
    """A receipt for the notice of that number, or of the copy in a frame."""
    return CopyReceipt(
        alias=alias,
        at=NOON,
        frame=frame,
        journal_leaf=merkle.leaf_hash(b"the holder's entry of what was erased" if notice is None else TAKEN).hex(),
        notice=None if notice is None else FixedRandom(f"notice {notice}")(16).hex(),
        stage=stage,
    )


def _receipts(*receipts: CopyReceipt) -> CopyReceiptBatch:
    return CopyReceiptBatch(
        holder=PartyId(RECIPIENT), home=PartyId(SENDER), issued_at=NOON, receipts=receipts, suite=Suite.ONE
    )


def copy_receipt() -> dict[str, Any]:
    key = signing_key(Purpose.DOCUMENT, RECIPIENT)
    batch = _receipts(
        _receipt(CopyStage.RECEIVED, ALIAS, notice=1),
        _receipt(CopyStage.APPLIED, ALIAS, notice=1),
        _receipt(CopyStage.RECEIVED, OTHER_ALIAS, notice=2),
        _receipt(CopyStage.NOT_HELD, OTHER_ALIAS, notice=2),
        _receipt(CopyStage.DELETED, ENDED_ALIAS, frame=FRAME),
    )
    unsound = {
        "a receipt of neither a notice nor a frame": _receipt(CopyStage.DELETED, ALIAS),
        "a receipt of both a notice and a frame": _receipt(CopyStage.DELETED, ALIAS, notice=1, frame=FRAME),
        "a receipt of a frame whose copy is not deleted": _receipt(CopyStage.APPLIED, ALIAS, frame=FRAME),
    }
    raw = envelope.sign(COPY_KIND, batch, [key])
    return {
        "about": "A batch of receipts about copies: of two notices, and of a copy whose time was over.",
        "example": {
            "copy receipt batch": canonical(batch).decode(),
            "document key seed": key.seed.hex(),
            "digest": envelope.parse(raw, COPY_KIND).digest.hex(),
        },
        "document": raw.decode(),
        "unsound": [
            {"why": why, "document": envelope.sign(COPY_KIND, _receipts(one), [key]).decode()}
            for why, one in unsound.items()
        ],
    }
