"""The vectors of notices and of receipts about copies, taken apart by the words of the pages alone."""

import json
from hashlib import sha256
from typing import Any

import pytest

from crypto import envelope, errors
from crypto.canonical import canonical
from crypto.keys import Purpose, SigningKey
from node.domain.notices import NoticeBatch, Place, Stream, notice_due, place_of
from node.domain.receipts import CopyReceiptBatch, CopyStage
from tests.fakes.members import LAW
from tests.vectors.test_exchanged import opened
from tests.vectors.test_vectors import vector


def signer(name: str) -> SigningKey:
    return SigningKey(Purpose.DOCUMENT, bytes.fromhex(vector(name)["example"]["document key seed"]))


def batch(document: str) -> tuple[NoticeBatch, bytes]:
    found, digest = opened(vector("notice"), document, "notice-batch", NoticeBatch, signer("notice"))
    assert isinstance(found, NoticeBatch)
    return found, digest


def test_a_notice_batch_opens_with_homes_key() -> None:
    begun, digest = batch("document")

    assert digest.hex() == vector("notice")["example"]["digest"]
    assert canonical(begun).decode() == vector("notice")["example"]["notice batch"]
    assert [(one.effect.value, one.version) for one in begun.notices] == [("REPLACE", 2), ("DELETE", 4)]


def test_the_next_batch_goes_on_behind_the_first_and_names_it() -> None:
    begun, digest = batch("document")
    gone_on, _ = batch("next document")

    assert (begun.first, begun.previous) == (1, None)
    assert (gone_on.first, gone_on.previous) == (1 + len(begun.notices), digest.hex())


@pytest.mark.parametrize(
    ("document", "stream", "known", "place"),
    [
        ("document", (1, ""), None, Place.NEXT),
        ("document", (3, "its own"), "its own", Place.KNOWN),
        ("document", (3, "another"), "another", Place.FORKED),
        ("next document", (1, ""), None, Place.AHEAD),
        ("next document", (3, "that of the first"), None, Place.NEXT),
        ("next document", (3, "another"), None, Place.FORKED),
    ],
)
def test_a_batch_has_its_place_in_the_stream(
    document: str, stream: tuple[int, str], known: str | None, place: Place
) -> None:
    shown, digest = batch(document)
    _, first = batch("document")
    digests = {"": b"", "its own": digest, "that of the first": first, "another": bytes(32)}
    expected, last = stream

    found = place_of(shown, digest, Stream(expected=expected, last=digests[last]), digests[known] if known else None)

    assert found is place


def test_every_legal_basis_opens_its_commitment() -> None:
    for one in vector("notice")["bases"]:
        opening = json.dumps({"basis": one["basis"], "document": one["document"]}, ensure_ascii=False).replace(" ", "")
        salted = b"creditport/notice-basis/v1" + bytes.fromhex(one["salt"]) + opening.encode()

        assert sha256(salted).hexdigest() == one["commitment"]


def test_the_notices_commit_to_the_bases_in_their_order() -> None:
    file = vector("notice")
    example, first = file["example"], file["bases"][0]
    noticed = [one for document in ("document", "next document") for one in batch(document)[0].notices]

    assert [one.basis for one in noticed] == [one["commitment"] for one in file["bases"]]
    assert (example["basis salt"], json.loads(example["basis opening"])) == (
        first["salt"],
        {"basis": first["basis"], "document": first["document"]},
    )


def test_a_notice_is_due_three_working_days_after_what_occurred() -> None:
    noticed = batch("document")[0].notices

    clock, calendar = LAW.rules.notice_clock, LAW.calendar
    assert [one.due for one in noticed] == [notice_due(clock, calendar, one.occurred_at) for one in noticed]


@pytest.mark.parametrize("case", vector("notice")["refused"], ids=lambda case: case["why"])
def test_what_is_no_notice_batch_is_refused_although_it_is_signed(case: dict[str, str]) -> None:
    with pytest.raises(errors.CryptoError) as caught:
        opened(case, "document", "notice-batch", NoticeBatch, signer("notice"))
    assert type(caught.value).__name__ == case["expect"]


def receipts(file: dict[str, Any]) -> tuple[CopyReceiptBatch, bytes]:
    found, digest = opened(file, "document", "copy-receipt-batch", CopyReceiptBatch, signer("copy_receipt"))
    assert isinstance(found, CopyReceiptBatch)
    return found, digest


def test_a_copy_receipt_batch_opens_with_the_holders_key() -> None:
    file = vector("copy_receipt")

    taken, digest = receipts(file)

    assert digest.hex() == file["example"]["digest"]
    assert canonical(taken).decode() == file["example"]["copy receipt batch"]
    assert all(one.is_sound for one in taken.receipts)


def test_the_receipts_are_of_the_notices_and_of_the_frame_in_the_other_vectors() -> None:
    taken, _ = receipts(vector("copy_receipt"))
    told, frame = batch("document")[0].notices, json.loads(vector("frame")["example"]["header"])["frame"]

    assert [(one.notice, one.alias) for one in taken.receipts[:4]] == [
        (one.notice, one.alias) for one in told for _ in range(2)
    ]
    assert (taken.receipts[4].frame, taken.receipts[4].stage) == (frame, CopyStage.DELETED)


@pytest.mark.parametrize("case", vector("copy_receipt")["unsound"], ids=lambda case: case["why"])
def test_a_receipt_about_no_one_thing_is_unsound(case: dict[str, str]) -> None:
    (unsound,) = receipts(case)[0].receipts

    assert not unsound.is_sound


def test_a_document_of_one_kind_is_never_read_as_another() -> None:
    raw = vector("copy_receipt")["document"].encode()

    with pytest.raises(errors.Malformed):
        envelope.parse(raw, "receipt-batch")
