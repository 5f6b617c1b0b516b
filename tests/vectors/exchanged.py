"""Vectors of what two nodes exchange and write down: journal entries, operators' acts, receipts, requests."""

from hashlib import sha256
from typing import Any, Final

from crypto import envelope, merkle
from crypto.canonical import canonical
from crypto.keys import Purpose, Suite
from node.domain.grounds import granted
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.operators import SigningOperator, sign_act
from node.domain.receipts import KIND as RECEIPTS
from node.domain.receipts import Receipt, ReceiptBatch, Stage
from node.operations.asked import AskedItem
from node.operations.disclose import authorisations_digest
from node.wire.methods import Method
from node.wire.outgoing import EvaluateCall, QueryCall, evaluate_call_to_wire, query_call_to_wire
from registry.norms.law import shipped_law
from registry.norms.rule_pack import Ground
from registry.parties import PartyId
from tests.vectors.fixed import AGREEMENT, NOON, RECIPIENT, SENDER, FixedRandom, signing_key

FRAME: Final = FixedRandom("frame")(16).hex()


def journal() -> dict[str, Any]:
    agreement = bytes.fromhex(AGREEMENT)
    detail: Detail = {
        "article": "S 28",
        "outcome": "AUTHORISATION_MISSING",
        "pack": "SZ-DRAFT-82@1",
        "purpose": "CROSS_BORDER_FINANCING",
        "request": sha256(b"a request").hexdigest(),
    }
    refused = EntryFacts(act=Act.QUERY, detail=detail, counterparty=PartyId(RECIPIENT), agreement=agreement)
    kept = draft(refused, PartyId(SENDER), NOON, FixedRandom("journal entry"))
    imported: Detail = {"new": 2, **granted(shipped_law(), Ground.IMPORT)}
    own = draft(EntryFacts(act=Act.RECORDS, detail=imported), PartyId(SENDER), NOON, FixedRandom("own entry"))
    operator = SigningOperator(name="alice", key=signing_key(Purpose.OPERATOR, "alice"))
    order = sign_act(operator, "queries", agreement, PartyId(SENDER), NOON)
    return {
        "about": "A journal entry with the opening of its detail, and an operator's signed act.",
        "example": {
            "entry": kept.entry.decode(),
            "leaf hash": kept.leaf.hex(),
            "detail": kept.detail.decode(),
            "detail salt": kept.salt.hex(),
            "detail of an import": own.detail.decode(),
            "operator act": envelope.parse(order.raw, "operator-act").payload.decode(),
            "operator act digest": order.digest.hex(),
        },
        "entry without counterparty or agreement": own.entry.decode(),
        "operator seed": operator.key.seed.hex(),
        "operator act document": order.raw.decode(),
    }


def receipt() -> dict[str, Any]:
    key = signing_key(Purpose.DOCUMENT, RECIPIENT)
    received = Receipt(
        at=NOON,
        frame=FRAME,
        header=sha256(b"a frame header").hexdigest(),
        journal_leaf=merkle.leaf_hash(b"the holder's entry").hex(),
        stage=Stage.RECEIVED,
    )
    batch = ReceiptBatch(
        holder=PartyId(RECIPIENT), home=PartyId(SENDER), issued_at=NOON, receipts=(received,), suite=Suite.ONE
    )
    signed = envelope.sign(RECEIPTS, batch, [key])
    return {
        "about": "A batch with one receipt for a frame, signed by the holder's document key.",
        "example": {
            "receipt batch": canonical(batch).decode(),
            "document key seed": key.seed.hex(),
            "digest": envelope.parse(signed, RECEIPTS).digest.hex(),
        },
        "document": signed.decode(),
    }


def exchange() -> dict[str, Any]:
    request_id, agreement = FixedRandom("request")(16), bytes.fromhex(AGREEMENT)
    evaluated = EvaluateCall(
        request_id=request_id, agreement=agreement, epoch=1, blinded=(FixedRandom("element")(32),), checkpoint=b""
    )
    asked = QueryCall(
        request_id=request_id,
        agreement=agreement,
        epoch=1,
        purpose="CROSS_BORDER_FINANCING",
        asked={"201": frozenset({"decision", "amount_band"})},
        items=(AskedItem(pseudonym=FixedRandom("pseudonym")(16), authorisation=b""),),
        checkpoint=b"",
    )
    evaluate, query = evaluate_call_to_wire(evaluated), query_call_to_wire(asked)
    several = [sha256(name).digest() for name in (b"first authorisation", b"second authorisation")]
    return {
        "about": "Requests by their bytes: what names an evaluation and a query, and what a batch was answered under.",
        "example": {
            "evaluate method": Method.EVALUATE.value,
            "evaluate request": evaluate.raw.hex(),
            "evaluate request digest": evaluate.digest.hex(),
            "query method": Method.QUERY.value,
            "query request": query.raw.hex(),
            "query request digest": query.digest.hex(),
            "authorisations": " ".join(one.hex() for one in several),
            "authorisations digest": (authorisations_digest(several) or b"").hex(),
        },
    }
