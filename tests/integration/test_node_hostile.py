"""Hostile messages to a real serving node: each is refused with its code, changes nothing, and is journalled once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import urandom
from typing import Any

import grpc
import pytest
from creditport.v1 import exchange_pb2
from msgspec.structs import replace as with_changes

from agreements.authorisation import KIND as AUTHORISATION
from agreements.authorisation import Authorisation
from agreements.documents import propose
from agreements.termination import Ending, Termination, terminate
from agreements.terms import KIND as TERMS
from crypto import envelope
from crypto.canonical import from_base64
from crypto.frame import FrameHeader, sign_header
from crypto.keys import Purpose, SigningKey
from crypto.pseudonym import blind, subject_input
from node.app.opening import utc_now
from node.domain.certificate import make_certificate, new_tls_secret
from node.domain.notices import KIND as NOTICES
from node.domain.notices import Effect, Notice, NoticeBatch
from node.domain.receipts import COPY_KIND as COPY_RECEIPTS
from node.domain.receipts import KIND as RECEIPTS
from node.domain.receipts import CopyReceipt, CopyReceiptBatch, CopyStage, Receipt, ReceiptBatch, Stage
from node.operations.asked import Answered, AskedItem, FrameArrived
from node.wire import outgoing
from node.wire.codec import Delivery
from node.wire.methods import BOUNDS, LARGEST_MESSAGE, Method
from node.wire.outgoing import (
    EvaluateCall,
    QueryCall,
    batch_query_call_to_wire,
    evaluate_call_to_wire,
    query_call_to_wire,
)
from node.wire.tls import Identity
from registry.parties import PartyId
from tests.fakes.exchange import ALL_FIELDS, OTHERS, PURPOSE, SHOWN, authorisation, pseudonym, terms
from tests.fakes.members import Member
from tests.fakes.reading import renditions
from tests.fakes.world import AGENCY, BANK, World
from tests.integration.serving_node import Serve, failure, serving_agency, until

UNKNOWN_PROTOBUF_FIELD = b"\xf8\x07\x01"
HEALTH = "/grpc.health.v1.Health/Check"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    with serving_agency(tmp_path_factory.mktemp("hostile")) as running:
        until("the bank is let in", lambda: _is_let_in(running, running.world.bank))
        until("every record was looked at", lambda: _is_looked_through(running.world.agency))
        yield running


def _is_let_in(serve: Serve, member: Member) -> bool:
    raw = outgoing.prove_journal_to_wire(b"", 1)
    return failure(lambda: serve.call(Method.PROVE_JOURNAL, raw, member)) not in {"UNAVAILABLE", "PEER_UNKNOWN"}


def _is_looked_through(home: Member) -> bool:
    look = home.read(lambda work: work.rechecks.newest())
    return look is not None and look.done_at is not None


@dataclass(frozen=True)
class Attack:
    """One message, the reason that must come back, and who sends it (the bank if nobody is named)."""

    method: Method
    make: Callable[[World], bytes]
    reason: str
    by: Callable[[World], Member] = lambda world: world.bank


def call_for(world: World, *items: AskedItem, **changed: object) -> QueryCall:
    facts: dict[str, Any] = {
        "request_id": urandom(16), "agreement": world.agreement().digest, "epoch": 1, "purpose": PURPOSE,
        "asked": ALL_FIELDS, "items": items, "checkpoint": b"",
    }  # fmt: skip
    return QueryCall(**(facts | changed))


def item(world: World, authorised: bytes | None = None) -> AskedItem:
    raw = authorisation(world, SHOWN, frozenset(ALL_FIELDS)) if authorised is None else authorised
    return AskedItem(pseudonym=pseudonym(world, SHOWN), authorisation=raw)


def query(world: World, authorised: bytes | None = None, **changed: object) -> bytes:
    return query_call_to_wire(call_for(world, item(world, authorised), **changed)).raw


def batch(world: World, *items: AskedItem, **changed: object) -> bytes:
    return batch_query_call_to_wire(call_for(world, *items, **changed)).raw


def evaluate(world: World, *blinded: bytes, **changed: object) -> bytes:
    facts: dict[str, Any] = {
        "request_id": urandom(16), "agreement": world.agreement().digest, "epoch": 1, "blinded": blinded,
        "checkpoint": b"",
    }  # fmt: skip
    return evaluate_call_to_wire(EvaluateCall(**(facts | changed))).raw


def elements(count: int) -> tuple[bytes, ...]:
    return tuple(blind([subject_input("HK-CR", str(number)) for number in range(count)]).blinded)


def document(raw: bytes) -> bytes:
    return outgoing.document_to_wire(Delivery(raw, b""))


def receipts(raw: bytes) -> bytes:
    return outgoing.receipts_to_wire(Delivery(raw, b""))


def bank_key(world: World) -> SigningKey:
    return world.bank.context.keys.document


def stranger_key(_: World) -> SigningKey:
    return SigningKey(Purpose.DOCUMENT, b"\x5a" * 32)


def resigned(raw: bytes, kind: str, alter: Callable[[bytes], bytes], key: SigningKey) -> bytes:
    """A document whose payload was altered and then rightly signed."""
    return envelope.sign(kind, alter(envelope.parse(raw, kind).payload), [key])


def wider(payload: bytes) -> bytes:
    """One more field, in its place."""
    plain = json.loads(payload) | {"zz": 1}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def spaced(payload: bytes) -> bytes:
    return payload.replace(b'":', b'": ', 1)


def authorised(world: World, alter: Callable[[bytes], bytes], key: SigningKey | None = None) -> bytes:
    raw = authorisation(world, SHOWN, frozenset(ALL_FIELDS))
    return resigned(raw, AUTHORISATION, alter, key or bank_key(world))


def at_another_time(world: World, **moved: timedelta) -> bytes:
    """An authorisation of ten minutes at another time than now."""
    raw = envelope.parse(authorisation(world, SHOWN, frozenset(ALL_FIELDS)), AUTHORISATION)
    given = envelope.read_payload(raw, Authorisation)
    changed = {name: getattr(given, name) + span for name, span in moved.items()}
    return envelope.sign(AUTHORISATION, with_changes(given, **changed), [bank_key(world)])


def at_the_beginning_of_time(payload: bytes) -> bytes:
    plain = json.loads(payload) | {"valid_from": "0001-01-01T00:00:00Z", "expires_at": "0001-01-01T00:09:00Z"}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def ending(world: World, key: SigningKey, agreement: bytes | None = None, party: PartyId = BANK) -> bytes:
    at = utc_now()
    digest = (agreement or world.agreement().digest).hex()
    declared = Termination(agreement=digest, party=party, reason=Ending.BREACH, effective_at=at, issued_at=at, suite=1)
    return terminate(declared, key)


def proposal(world: World) -> bytes:
    return propose(terms(world, name="0b"), bank_key(world))


def receipt_batch(world: World, key: SigningKey | None = None) -> bytes:
    one = Receipt(at=utc_now(), frame="0f" * 16, header="0f" * 32, journal_leaf="0f" * 32, stage=Stage.RECEIVED)
    made = ReceiptBatch(holder=BANK, home=AGENCY, issued_at=utc_now(), receipts=(one,), suite=1)
    return envelope.sign(RECEIPTS, made, [key or bank_key(world)])


def copy_receipts(world: World, key: SigningKey | None = None, count: int = 1, **changed: object) -> bytes:
    """Receipts about a copy that ended; `changed` makes them unsound."""
    facts: dict[str, Any] = {
        "alias": "0f" * 16, "at": utc_now(), "frame": "0e" * 16, "journal_leaf": "0f" * 32, "notice": None,
        "stage": CopyStage.DELETED,
    }  # fmt: skip
    one = CopyReceipt(**(facts | changed))
    made = CopyReceiptBatch(holder=BANK, home=AGENCY, issued_at=utc_now(), receipts=(one,) * count, suite=1)
    return envelope.sign(COPY_RECEIPTS, made, [key or bank_key(world)])


def notice_batch(world: World, key: SigningKey | None = None, **changed: object) -> bytes:
    """A deletion of a copy, by a party that is not its home."""
    at = utc_now()
    one = Notice(
        alias="0f" * 16, basis="0e" * 32, due=at, effect=Effect.DELETE, notice="0d" * 16, occurred_at=at, version=2
    )
    facts: dict[str, Any] = {
        "agreement": world.agreement().digest.hex(), "first": 1, "holder": AGENCY, "home": BANK, "issued_at": at,
        "journal_leaf": "0f" * 32, "notices": (one,), "previous": None, "suite": 1,
    }  # fmt: skip
    made = NoticeBatch(**(facts | changed))
    return envelope.sign(NOTICES, made, [key or bank_key(world)])


def notices(raw: bytes) -> bytes:
    return outgoing.notices_to_wire(raw, None, b"")


def pushed_header(world: World, **changed: object) -> FrameHeader:
    """A frame that the bank would push to the agency under the agreement in which it is the recipient."""
    facts: dict[str, Any] = {
        "agreement": world.agreement().digest.hex(), "authorisation": None, "body": sha256(b"body").hexdigest(),
        "count": 1, "epoch": 1, "filings": world.agreement().filing_set.hex(), "frame": "0c" * 16,
        "journal_leaf": "0f" * 32, "mode": "PUSH", "purpose": None, "push_sequence": 1, "recipient": AGENCY,
        "request": None, "root": "0f" * 32, "sender": BANK, "suite": 1, "time": utc_now(),
    }  # fmt: skip
    return FrameHeader(**(facts | changed))


def pushed(world: World, key: SigningKey | None = None, **changed: object) -> bytes:
    header = sign_header(pushed_header(world, **changed), key or world.bank.context.keys.frame)
    return outgoing.push_frame_to_wire(FrameArrived(header=header, body=b"body"), b"")


def oversized(method: Method) -> bytes:
    return bytes(BOUNDS[method].request + 1)


def doubled_number(raw: bytes) -> bytes:
    """The epoch, 1, in two bytes."""
    assert raw.count(b"\x18\x01") == 1
    return raw.replace(b"\x18\x01", b"\x18\x81\x00")


def as_hk(world: World) -> Member:
    return world.hk


Q, E, D, R, F, N = (
    Method.QUERY, Method.EVALUATE, Method.DELIVER_DOCUMENT, Method.DELIVER_RECEIPTS, Method.FILE_AGREEMENT,
    Method.DELIVER_NOTICES,
)  # fmt: skip

ATTACKS: dict[str, Attack] = {
    "query, no message": Attack(Q, lambda _: b"", "MALFORMED"),
    "query, garbage": Attack(Q, lambda _: b"\xff" * 99, "MALFORMED"),
    "query, truncated": Attack(Q, lambda w: query(w)[:-3], "MALFORMED"),
    "query, oversized": Attack(Q, lambda _: oversized(Q), "OVERSIZED"),
    "query, unknown protobuf field": Attack(Q, lambda w: query(w) + UNKNOWN_PROTOBUF_FIELD, "UNKNOWN_FIELD"),
    "query, number written too long": Attack(Q, lambda w: doubled_number(query(w, b"")), "MALFORMED"),
    "query, field twice": Attack(Q, lambda w: query(w) + b"\x18\x01", "MALFORMED"),
    "query, pseudonym too short": Attack(
        Q, lambda w: query_call_to_wire(call_for(w, replace(item(w), pseudonym=b"short"))).raw, "MALFORMED"
    ),
    "query, purpose of no code": Attack(Q, lambda w: query(w, purpose="any thing"), "MALFORMED"),
    "query, no authorisation": Attack(Q, lambda w: query(w, b""), "AUTHORISATION_MISSING"),
    "query, authorisation truncated": Attack(
        Q, lambda w: query(w, authorisation(w, SHOWN, frozenset(ALL_FIELDS))[:-1]), "MALFORMED"
    ),
    "query, authorisation signed by another": Attack(
        Q, lambda w: query(w, authorised(w, bytes, stranger_key(w))), "SIGNATURE_INVALID"
    ),
    "query, authorisation signed by another party": Attack(
        Q, lambda w: query(w, authorised(w, bytes, w.hk.context.keys.document)), "SIGNATURE_INVALID"
    ),
    "query, authorisation signed by our frame key": Attack(
        Q, lambda w: query(w, authorised(w, bytes, w.bank.context.keys.frame)), "SIGNATURE_INVALID"
    ),
    "query, unknown field in the authorisation": Attack(Q, lambda w: query(w, authorised(w, wider)), "UNKNOWN_FIELD"),
    "query, authorisation not canonical": Attack(Q, lambda w: query(w, authorised(w, spaced)), "MALFORMED"),
    "query, authorisation from the beginning of time": Attack(
        Q, lambda w: query(w, authorised(w, at_the_beginning_of_time)), "MALFORMED"
    ),
    "query, authorisation for another subject": Attack(
        Q, lambda w: query(w, authorisation(w, OTHERS[0], frozenset(ALL_FIELDS))), "SIGNATURE_INVALID"
    ),
    "query, authorisation expired": Attack(
        Q,
        lambda w: query(w, at_another_time(w, valid_from=-timedelta(hours=1), expires_at=-timedelta(hours=1))),
        "CONSENT_EXPIRED",
    ),
    "query, authorisation from the future": Attack(
        Q,
        lambda w: query(w, at_another_time(w, valid_from=timedelta(hours=1), expires_at=timedelta(hours=1))),
        "CONSENT_EXPIRED",
    ),
    "query, authorisation of a day": Attack(
        Q, lambda w: query(w, at_another_time(w, expires_at=timedelta(days=1))), "CONSENT_LIFELONG"
    ),
    "query, unknown agreement": Attack(Q, lambda w: query(w, agreement=bytes(32)), "AGREEMENT_MISSING"),
    "query, another's agreement": Attack(Q, query, "AGREEMENT_MISSING", as_hk),
    "query, another epoch": Attack(Q, lambda w: query(w, epoch=2), "AGREEMENT_SCOPE"),
    "query, fields beyond the grant": Attack(
        Q, lambda w: query(w, asked={"201": frozenset({"decision_no"})}), "AGREEMENT_SCOPE"
    ),
    "evaluate, truncated": Attack(E, lambda w: evaluate(w, *elements(1))[:-1], "MALFORMED"),
    "evaluate, oversized": Attack(E, lambda _: oversized(E), "OVERSIZED"),
    "evaluate, unknown protobuf field": Attack(
        E, lambda w: evaluate(w, *elements(1)) + UNKNOWN_PROTOBUF_FIELD, "UNKNOWN_FIELD"
    ),
    "evaluate, number written too long": Attack(E, lambda w: doubled_number(evaluate(w, b"\x07" * 32)), "MALFORMED"),
    "evaluate, no elements": Attack(E, evaluate, "MALFORMED"),
    "evaluate, 201 elements": Attack(E, lambda w: evaluate(w, *elements(200), *elements(1)), "MALFORMED"),
    "evaluate, no element of the group": Attack(E, lambda w: evaluate(w, *elements(2), b"\xff" * 32), "MALFORMED"),
    "evaluate, the identity": Attack(E, lambda w: evaluate(w, bytes(32)), "MALFORMED"),
    "evaluate, unknown agreement": Attack(
        E, lambda w: evaluate(w, *elements(1), agreement=bytes(32)), "AGREEMENT_MISSING"
    ),
    "evaluate, another's agreement": Attack(E, lambda w: evaluate(w, *elements(1)), "AGREEMENT_MISSING", as_hk),
    "evaluate, another epoch": Attack(E, lambda w: evaluate(w, *elements(1), epoch=9), "AGREEMENT_SCOPE"),
    "evaluate, beyond the quota": Attack(E, lambda w: evaluate(w, *elements(21)), "RISK_LIMIT"),
    "document, garbage": Attack(D, lambda _: document(b"\x00" * 40), "MALFORMED"),
    "document, truncated": Attack(D, lambda w: document(ending(w, bank_key(w))[:-1]), "MALFORMED"),
    "document, oversized": Attack(D, lambda _: oversized(D), "OVERSIZED"),
    "document, signed by another": Attack(D, lambda w: document(ending(w, stranger_key(w))), "SIGNATURE_INVALID"),
    "document, of another party": Attack(
        D, lambda w: document(ending(w, w.hk.context.keys.document, party=w.hk.party)), "AGREEMENT_MISSING", as_hk
    ),
    "document, brought by another party": Attack(
        D, lambda w: document(ending(w, bank_key(w))), "AGREEMENT_MISSING", as_hk
    ),
    "document, unknown agreement": Attack(
        D, lambda w: document(ending(w, bank_key(w), agreement=b"\x07" * 32)), "AGREEMENT_MISSING"
    ),
    "document, unknown field inside": Attack(
        D, lambda w: document(resigned(proposal(w), TERMS, wider, bank_key(w))), "UNKNOWN_FIELD"
    ),
    "document, not canonical inside": Attack(
        D, lambda w: document(resigned(proposal(w), TERMS, spaced, bank_key(w))), "MALFORMED"
    ),
    "document, of the end of time": Attack(
        D,
        lambda w: document(
            resigned(
                proposal(w),
                TERMS,
                lambda payload: payload.replace(b'"effective_from":"2', b'"effective_from":"9', 1),
                bank_key(w),
            )
        ),
        "MALFORMED",
    ),
    "document, terms that the sender did not sign": Attack(
        D, lambda w: document(propose(terms(w, name="0b"), w.agency.context.keys.document)), "SIGNATURE_INVALID"
    ),
    "receipts, truncated": Attack(R, lambda w: receipts(receipt_batch(w)[:-1]), "MALFORMED"),
    "receipts, oversized": Attack(R, lambda _: oversized(R), "OVERSIZED"),
    "receipts, signed by another": Attack(
        R, lambda w: receipts(receipt_batch(w, stranger_key(w))), "SIGNATURE_INVALID"
    ),
    "receipts, brought by another": Attack(R, lambda w: receipts(receipt_batch(w)), "SIGNATURE_INVALID", as_hk),
    "receipts, unknown field inside": Attack(
        R, lambda w: receipts(resigned(receipt_batch(w), RECEIPTS, wider, bank_key(w))), "UNKNOWN_FIELD"
    ),
    "receipts, not canonical inside": Attack(
        R, lambda w: receipts(resigned(receipt_batch(w), RECEIPTS, spaced, bank_key(w))), "MALFORMED"
    ),
    "receipts, ids that are none": Attack(
        R,
        lambda w: receipts(
            resigned(receipt_batch(w), RECEIPTS, lambda payload: payload.replace(b"0f" * 16, b"no", 1), bank_key(w))
        ),
        "MALFORMED",
    ),
    "receipts, of a document of another kind": Attack(R, lambda w: receipts(ending(w, bank_key(w))), "MALFORMED"),
    "copy receipts, signed by another": Attack(
        R, lambda w: receipts(copy_receipts(w, stranger_key(w))), "SIGNATURE_INVALID"
    ),
    "copy receipts, brought by another": Attack(R, lambda w: receipts(copy_receipts(w)), "SIGNATURE_INVALID", as_hk),
    "copy receipts, of nothing": Attack(R, lambda w: receipts(copy_receipts(w, frame=None)), "MALFORMED"),
    "copy receipts, of two things at once": Attack(
        R, lambda w: receipts(copy_receipts(w, notice="0f" * 16)), "MALFORMED"
    ),
    "copy receipts, of a frame only applied": Attack(
        R, lambda w: receipts(copy_receipts(w, stage=CopyStage.APPLIED)), "MALFORMED"
    ),
    "copy receipts, too many": Attack(R, lambda w: receipts(copy_receipts(w, count=1_001)), "OVERSIZED"),
    "copy receipts, unknown field inside": Attack(
        R, lambda w: receipts(resigned(copy_receipts(w), COPY_RECEIPTS, wider, bank_key(w))), "UNKNOWN_FIELD"
    ),
    "notices, no message": Attack(N, lambda _: b"", "MALFORMED"),
    "notices, truncated": Attack(N, lambda w: notices(notice_batch(w)[:-1]), "MALFORMED"),
    "notices, oversized": Attack(N, lambda _: oversized(N)[:LARGEST_MESSAGE], "MALFORMED"),
    "notices, unknown protobuf field": Attack(
        N, lambda w: notices(notice_batch(w)) + UNKNOWN_PROTOBUF_FIELD, "UNKNOWN_FIELD"
    ),
    "notices, signed by another": Attack(N, lambda w: notices(notice_batch(w, stranger_key(w))), "SIGNATURE_INVALID"),
    "notices, signed by a frame key": Attack(
        N, lambda w: notices(notice_batch(w, w.bank.context.keys.frame)), "SIGNATURE_INVALID"
    ),
    "notices, brought by another": Attack(N, lambda w: notices(notice_batch(w)), "SIGNATURE_INVALID", as_hk),
    "notices, for another holder": Attack(
        N, lambda w: notices(notice_batch(w, holder=w.hk.party)), "SIGNATURE_INVALID"
    ),
    "notices, of whoever is not home": Attack(N, lambda w: notices(notice_batch(w)), "AGREEMENT_MISSING"),
    "notices, unknown agreement": Attack(
        N, lambda w: notices(notice_batch(w, agreement="0f" * 32)), "AGREEMENT_MISSING"
    ),
    "notices, none in the batch": Attack(N, lambda w: notices(notice_batch(w, notices=())), "MALFORMED"),
    "notices, numbered from nothing": Attack(N, lambda w: notices(notice_batch(w, first=0)), "MALFORMED"),
    "notices, unknown field inside": Attack(
        N, lambda w: notices(resigned(notice_batch(w), NOTICES, wider, bank_key(w))), "UNKNOWN_FIELD"
    ),
    "filing, with whom is no authority": Attack(
        F, lambda w: outgoing.agreement_to_wire(Delivery(proposal(w), b"")), "PARTY_NOT_ELIGIBLE"
    ),
}


@contextmanager
def nothing_changes(serve: Serve, *told: str) -> Iterator[None]:
    """Nothing but the journal changes, and the journal tells these outcomes, each once."""
    stored, entries = serve.stored(), len(serve.journalled())
    yield
    assert sorted(outcome for _, outcome in serve.journalled()[entries:]) == sorted(told)
    assert serve.stored() == stored


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_message_is_refused_with_its_code_changes_nothing_and_is_journalled_once(
    serve: Serve, attack: Attack
) -> None:
    raw, caller = attack.make(serve.world), attack.by(serve.world)
    counted = serve.count("creditport_refusals_total", reason=attack.reason)

    with nothing_changes(serve, attack.reason):
        answer = serve.refusal(attack.method, raw, caller)

    assert answer.refused.reason == attack.reason
    assert answer.leaf == serve.world.agency.journal()[-1].leaf
    assert serve.count("creditport_refusals_total", reason=attack.reason) == counted + 1


def outcome(raw: bytes) -> exchange_pb2.BatchQueryResponse:
    return exchange_pb2.BatchQueryResponse.FromString(raw)


STREAMED: dict[str, tuple[Callable[[World], bytes], str]] = {
    "no message": (lambda _: b"", "MALFORMED"),
    "no items": (batch, "MALFORMED"),
    "201 items": (lambda w: batch(w, *[item(w, b"")] * 201), "MALFORMED"),
    "truncated": (lambda w: batch(w, item(w))[:-1], "MALFORMED"),
    "oversized": (lambda _: oversized(Method.BATCH_QUERY), "OVERSIZED"),
    "unknown protobuf field": (lambda w: batch(w, item(w)) + UNKNOWN_PROTOBUF_FIELD, "UNKNOWN_FIELD"),
}


@pytest.mark.parametrize(("make", "reason"), STREAMED.values(), ids=STREAMED)
def test_a_hostile_message_in_a_stream_is_refused_in_its_place_and_the_stream_goes_on(
    serve: Serve, make: Callable[[World], bytes], reason: str
) -> None:
    bad, unknown = make(serve.world), batch(serve.world, item(serve.world), agreement=bytes(32))

    with nothing_changes(serve, reason, "AGREEMENT_MISSING", "AGREEMENT_MISSING"):
        answers = [outcome(raw) for raw in serve.stream(Method.BATCH_QUERY, [bad, unknown])]

    outcomes = {one.leaf: one.told[1] for one in serve.world.agency.journal()[-3:]}
    assert [outcomes[one.refusal.journal_leaf] for one in answers] == [reason, "AGREEMENT_MISSING"]


PUSHED: dict[str, tuple[Callable[[World], bytes], str]] = {
    "no message": (lambda _: b"", "MALFORMED"),
    "no header": (lambda w: pushed(w)[:2], "MALFORMED"),
    "truncated": (lambda w: pushed(w)[:-1], "MALFORMED"),
    "unknown protobuf field": (lambda w: pushed(w) + UNKNOWN_PROTOBUF_FIELD, "UNKNOWN_FIELD"),
    "signed by another": (lambda w: pushed(w, SigningKey(Purpose.FRAME, b"\x5a" * 32)), "SIGNATURE_INVALID"),
    "an answer, not a push": (lambda w: pushed(w, mode="ANSWER", request="0f" * 32), "REPLAYED"),
    "without a number": (lambda w: pushed(w, push_sequence=None), "REPLAYED"),
    "with an authorisation": (lambda w: pushed(w, authorisation="0f" * 32), "REPLAYED"),
    "unknown agreement": (lambda w: pushed(w, agreement="0f" * 32), "AGREEMENT_MISSING"),
    "another body": (lambda w: pushed(w, body="0f" * 32), "MALFORMED"),
    "a body that is not sealed to us": (pushed, "SEAL_INVALID"),
}


@pytest.mark.parametrize(("make", "reason"), PUSHED.values(), ids=PUSHED)
def test_a_hostile_frame_is_refused_in_its_place_and_the_stream_goes_on(
    serve: Serve, make: Callable[[World], bytes], reason: str
) -> None:
    bad, unknown = make(serve.world), pushed(serve.world, agreement="0e" * 32)

    with nothing_changes(serve, reason, "AGREEMENT_MISSING"):
        answers = [
            exchange_pb2.PushFramesResponse.FromString(raw) for raw in serve.stream(Method.PUSH_FRAMES, [bad, unknown])
        ]

    told = {one.leaf: one.told[1] for one in serve.world.agency.journal()[-2:]}
    assert [told[one.refusal.journal_leaf] for one in answers] == [reason, "AGREEMENT_MISSING"]


def test_the_same_bytes_again_get_the_same_frame_and_change_and_journal_nothing(serve: Serve) -> None:
    raw = query(serve.world)
    first = exchange_pb2.QueryResponse.FromString(serve.call(Method.QUERY, raw)).frame

    with nothing_changes(serve):
        again = exchange_pb2.QueryResponse.FromString(serve.call(Method.QUERY, raw)).frame

    assert again == first


def test_an_authorisation_in_another_request_is_a_replay(serve: Serve) -> None:
    used = authorisation(serve.world, SHOWN, frozenset(ALL_FIELDS))
    serve.call(Method.QUERY, query(serve.world, used))

    with nothing_changes(serve, "REPLAYED"):
        answer = serve.refusal(Method.QUERY, query(serve.world, used))

    assert answer.refused.reason == "REPLAYED"


def test_bytes_stolen_from_the_bank_are_worth_nothing_to_another_party(serve: Serve) -> None:
    raw = query(serve.world)
    serve.call(Method.QUERY, raw)

    with nothing_changes(serve, "AGREEMENT_MISSING"):
        answer = serve.refusal(Method.QUERY, raw, serve.world.hk)

    assert answer.refused.reason == "AGREEMENT_MISSING"


def test_what_is_too_large_for_grpc_itself_is_counted_as_stopped_by_transport(serve: Serve) -> None:
    before = serve.count("creditport_calls_stopped_by_transport")

    with nothing_changes(serve):
        assert failure(lambda: serve.call(Method.QUERY, bytes(LARGEST_MESSAGE + 1))) == "RESOURCE_EXHAUSTED"

    until("it is counted", lambda: serve.count("creditport_calls_stopped_by_transport") == before + 1)


def stranger() -> Identity:
    """A certificate of its own making, under the bank's name."""
    secret = new_tls_secret(urandom)
    return Identity.of(make_certificate(BANK, secret, datetime.now(UTC), urandom), secret)


@pytest.mark.parametrize("caller", [None, stranger], ids=["no certificate", "unlisted certificate"])
@pytest.mark.parametrize("method", [Method.QUERY.value, HEALTH, REFLECTION])
def test_without_a_listed_certificate_there_is_no_service_and_the_handshake_is_counted(
    serve: Serve, method: str, caller: Callable[[], Identity] | None
) -> None:
    handshakes = serve.count("creditport_handshakes_total")
    started = serve.count("creditport_calls_started_total", method=method)

    with nothing_changes(serve), serve.channel(caller and caller()) as channel:
        assert failure(asking(channel, method, b"")) == "UNAVAILABLE"

    assert serve.count("creditport_handshakes_total") > handshakes
    assert serve.count("creditport_calls_started_total", method=method) == started


def asking(channel: grpc.Channel, method: str, raw: bytes) -> Callable[[], bytes]:
    """One call on this very channel."""
    ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return lambda: ask(raw, timeout=20)


def test_a_revoked_certificate_loses_its_service_also_on_an_open_connection(serve: Serve) -> None:
    world = serve.world
    part = replace(world.bank.part, party=PartyId("hk-newcomer"))
    card = part.card(utc_now())
    caller = Identity.of(from_base64(card.card.tls_certificate), part.secret(Purpose.TLS))
    world.admit(world.hk, card)
    world.follow(world.agency, world.hk)
    raw = outgoing.prove_journal_to_wire(b"", 1)

    with serve.channel(caller) as channel:
        ask = asking(channel, Method.PROVE_JOURNAL, raw)
        until("the newcomer is let in", lambda: _is_served(serve, caller))
        assert failure(ask) is None
        world.revoke(world.hk, part.party)
        until("the revocation is obeyed", lambda: failure(ask) == "PEER_SUSPENDED")
        with nothing_changes(serve):
            assert failure(ask) == "PEER_SUSPENDED"
    until("a new handshake fails", lambda: not _is_served(serve, caller, but="UNAVAILABLE"))


def _is_served(serve: Serve, caller: Identity, but: str = "") -> bool:
    """Whether a new connection of the caller is served; with `but`, whether it does not fail in this way."""
    with serve.channel(caller) as channel:
        failed = failure(asking(channel, Method.PROVE_JOURNAL, outgoing.prove_journal_to_wire(b"", 1)))
    return failed != but if but else failed is None


def test_after_all_of_it_the_node_is_healthy_and_answers_an_honest_query(serve: Serve) -> None:
    for attack in ATTACKS.values():
        serve.refusal(attack.method, attack.make(serve.world), attack.by(serve.world))

    response = exchange_pb2.QueryResponse.FromString(serve.call(Method.QUERY, query(serve.world)))

    given = Answered(header=response.frame.header, body=response.frame.body, refused_items=(), checkpoint=b"")
    header, shown = renditions(serve.world, given)
    assert serve.is_healthy()
    assert (header.recipient, len(shown)) == (BANK, 2)
