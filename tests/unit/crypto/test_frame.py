"""Frames: built, opened, and refused at the step that fails."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from crypto import commitment, envelope, frame, merkle, sealing
from crypto.canonical import canonical
from crypto.errors import BadKey, BadProof, BadSeal, BadSignature, CryptoError, Malformed, UnknownField
from crypto.frame import FrameHeader
from crypto.keys import Purpose
from tests.unit.crypto.test_commitment import HEADER, VALUES
from tests.vectors.fixed import FixedRandom, seal_key, signing_key

FRAME_KEY, SEAL_KEY = signing_key(Purpose.FRAME, "unit"), seal_key("unit")
RENDITIONS = [commitment.make_rendition(HEADER, VALUES, FixedRandom(f"frame {n}")) for n in range(5)]
ENCODED = [(commitment.encode(one), commitment.commitment(one)) for one in RENDITIONS]
DRAFT = FrameHeader(
    agreement=HEADER.agreement,
    authorisation=None,
    body="00" * 32,
    count=0,
    epoch=1,
    filings="01" * 32,
    frame="02" * 16,
    journal_leaf="03" * 32,
    mode="PUSH",
    purpose=None,
    push_sequence=1,
    recipient="hk-bank",
    request=None,
    root="00" * 32,
    sender="sz-credit",
    suite=1,
    time=datetime(2026, 11, 23, tzinfo=UTC),
)


def built(encoded: list[tuple[bytes, bytes]], **lies: Any) -> tuple[FrameHeader, bytes]:
    """A header and its body; `lies` replace what the header should say."""
    sealed = frame.seal_body(encoded, DRAFT.binding(), SEAL_KEY.public)
    facts = {"body": sealed.digest.hex(), "root": sealed.root.hex(), "count": sealed.count}
    return msgspec.structs.replace(DRAFT, **(facts | lies)), sealed.body


def opened(header: FrameHeader, body: bytes) -> frame.OpenedFrame:
    return frame.open_frame(frame.sign_header(header, FRAME_KEY), body, FRAME_KEY.public, SEAL_KEY)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_frame_opens_with_what_was_put_into_it(count: int) -> None:
    header, body = built(ENCODED[:count])

    found = opened(header, body)

    assert found.header == header
    assert found.renditions == RENDITIONS[:count]
    assert found.digest == envelope.digest(envelope.payload_type("frame"), canonical(header))


def test_a_received_rendition_comes_with_its_bytes_and_commitment() -> None:
    header, body = built(ENCODED)

    assert [(one.raw, one.commitment) for one in frame.open_body(header, body, SEAL_KEY)] == ENCODED


def test_one_rendition_proves_itself_by_an_inclusion_path() -> None:
    header, _ = built(ENCODED)
    leaves = [merkle.leaf_hash(one) for _, one in ENCODED]

    merkle.verify_inclusion(leaves[3], 3, 5, merkle.inclusion_proof(leaves, 3), bytes.fromhex(header.root))


def test_step_1_refuses_a_header_signed_by_another_key() -> None:
    header, body = built(ENCODED)
    raw = frame.sign_header(header, signing_key(Purpose.FRAME, "another"))

    with pytest.raises(BadSignature, match="step 1"):
        frame.open_frame(raw, body, FRAME_KEY.public, SEAL_KEY)


def test_step_1_refuses_another_kind_of_document() -> None:
    header, body = built(ENCODED)
    raw = envelope.sign("order", header, [FRAME_KEY])

    with pytest.raises(Malformed, match="step 1"):
        frame.open_frame(raw, body, FRAME_KEY.public, SEAL_KEY)


def test_step_2_refuses_an_unknown_header_field() -> None:
    header, body = built(ENCODED)
    payload = canonical(header).replace(b'"agreement"', b'"aa":1,"agreement"')

    with pytest.raises(UnknownField, match="step 2"):
        frame.open_frame(envelope.sign("frame", payload, [FRAME_KEY]), body, FRAME_KEY.public, SEAL_KEY)


@pytest.mark.parametrize(
    "lie",
    [{"suite": 2}, {"mode": "OTHER"}, {"count": -1}, {"epoch": 2**32}, {"frame": "AB" * 16}, {"root": "00"}],
)
def test_step_2_refuses_a_header_out_of_bounds(lie: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="step 2"):
        opened(*built(ENCODED, **lie))


def test_step_3_refuses_another_body() -> None:
    header, _ = built(ENCODED)
    _, body = built(ENCODED)

    with pytest.raises(BadProof, match="step 3"):
        opened(header, body)


@pytest.mark.parametrize("lie", [{"sender": "x"}, {"recipient": "x"}, {"agreement": "0e" * 32}, {"frame": "0e" * 16}])
def test_step_4_refuses_a_body_sealed_under_another_binding(lie: dict[str, str]) -> None:
    with pytest.raises(BadSeal, match="step 4"):
        opened(*built(ENCODED, **lie))


def sealed_plaintext(plaintext: bytes) -> tuple[FrameHeader, bytes]:
    """A correct header over a body whose plaintext is as given."""
    body = sealing.seal(SEAL_KEY.public, plaintext, DRAFT.binding().info())
    return msgspec.structs.replace(DRAFT, body=sha256(body).hexdigest()), body


PADDED = frame.pad([raw for raw, _ in ENCODED])


@pytest.mark.parametrize(
    "plaintext",
    [
        PADDED[:-1] + b"\x01",
        PADDED[:-1],
        PADDED + b"\x00",
        frame.pad([]).ljust(frame.BUCKETS[1], b"\x00"),
        bytes(frame.BUCKETS[0]),
        b"\xff" * frame.BUCKETS[0],
        (b"\x00\x00\x00\x04\x00\x00\x00\x01").ljust(frame.BUCKETS[0], b"\x00"),
        (b"\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x02x").ljust(frame.BUCKETS[0], b"\x00"),
        (b"\x00\x00\x00\x05\x00\x00\x00\x01x").ljust(frame.BUCKETS[0], b"\x00"),
        b"",
    ],
    ids=[
        "padding that is not zero",
        "a byte less than a bucket",
        "a byte more than a bucket",
        "a larger bucket than needed",
        "no room for a count",
        "a length beyond the body",
        "fewer items than counted",
        "an item that ends too early",
        "an item length that ends too early",
        "nothing",
    ],
)
def test_step_5_refuses_other_padding(plaintext: bytes) -> None:
    with pytest.raises(Malformed, match="step 5"):
        opened(*sealed_plaintext(plaintext))


def test_step_6_refuses_a_rendition_that_is_not_one() -> None:
    with pytest.raises(Malformed, match="step 6"):
        opened(*built([(b"{}", bytes(32))]))


def test_step_6_refuses_a_rendition_made_for_another_agreement() -> None:
    other = commitment.make_rendition(
        msgspec.structs.replace(HEADER, agreement="0e" * 32), VALUES, FixedRandom("other")
    )

    with pytest.raises(Malformed, match="step 6"):
        opened(*built([(commitment.encode(other), commitment.commitment(other))]))


def test_step_7_refuses_another_count() -> None:
    with pytest.raises(BadProof, match="step 7"):
        opened(*built(ENCODED, count=4))


def test_step_8_refuses_another_root() -> None:
    with pytest.raises(BadProof, match="step 8"):
        opened(*built(ENCODED, root=frame.root_over([one for _, one in ENCODED[::-1]]).hex()))


def test_only_frame_keys_sign_and_verify_frames() -> None:
    header, body = built(ENCODED)
    document_key = signing_key(Purpose.DOCUMENT, "unit")

    with pytest.raises(BadKey):
        frame.sign_header(header, document_key)
    with pytest.raises(BadKey):
        frame.open_frame(envelope.sign("frame", header, [document_key]), body, document_key.public, SEAL_KEY)


@pytest.mark.parametrize(
    ("content", "bucket"), [(0, 4096), (4084, 4096), (4085, 16384), (16373, 65536), ((4 << 20) - 12, 4 << 20)]
)
def test_a_body_is_as_long_as_its_bucket(content: int, bucket: int) -> None:
    assert len(frame.pad([bytes(content)])) == bucket
    assert frame.unpad(frame.pad([bytes(content)])) == [bytes(content)]


def test_a_body_beyond_the_largest_bucket_is_refused() -> None:
    with pytest.raises(Malformed):
        frame.pad([bytes((4 << 20) - 11)])


def test_the_filing_set_has_one_name_in_any_order() -> None:
    first, second = sha256(b"1").digest(), sha256(b"2").digest()

    assert frame.filing_set_digest([first, second, first]) == frame.filing_set_digest([second, first])
    assert frame.filing_set_digest([first]) != frame.filing_set_digest([second])


def test_a_filing_digest_is_32_bytes() -> None:
    with pytest.raises(Malformed):
        frame.filing_set_digest([b"short"])


def test_shuffling_keeps_what_is_shuffled() -> None:
    items = list(range(50))
    mixed = frame.shuffled(items, FixedRandom("shuffle"))

    assert mixed != items
    assert sorted(mixed) == items


def test_a_failed_step_keeps_the_kind_of_its_error_and_shows_no_content() -> None:
    header, body = built([(b'{"secret":1}', bytes(32))])

    with pytest.raises(CryptoError) as caught:
        opened(header, body)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
