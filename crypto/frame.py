"""Frames: one signed header over one sealed, padded batch of renditions.

The header is a document of kind "frame"; its root proves each rendition on its own through an inclusion path,
and its binding to sender, recipient, agreement, frame and suite is also what the body is sealed under.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

import msgspec

from crypto import envelope, merkle, sealing
from crypto.canonical import SAFE_INTEGER, Hex16, Hex32, canonical
from crypto.commitment import Rendition
from crypto.errors import BadKey, BadProof, CryptoError, Malformed
from crypto.keys import PublicKey, Purpose, Random, SealKey, SigningKey
from crypto.renditions import Read, read_all
from crypto.sealing import Binding

T = TypeVar("T")

KIND: Final = "frame"
BUCKETS: Final = tuple(1 << bits for bits in range(12, 24, 2))
"""The lengths a body plaintext may have: 4, 16, 64, 256 KiB, 1 MiB and 4 MiB."""

_LOT: Final = 16
"""Random bytes by which an item's place in a body is decided."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=SAFE_INTEGER)]


class FrameHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a frame is, who sends it to whom, under what, and what its body must be."""

    agreement: Hex32
    """Digest of the agreement under which is disclosed."""
    authorisation: Hex32 | None
    """Digest of the query's authorisation; null in a push."""
    body: Hex32
    """SHA-256 of the sealed body."""
    count: _Count
    """How many renditions the body holds."""
    epoch: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    filings: Hex32
    """Digest of the set of filing receipts relied on (S 34)."""
    frame: Hex16
    journal_leaf: Hex32
    """Leaf hash of the sender's journal entry for this disclosure."""
    mode: Literal["ANSWER", "PUSH"]
    purpose: str | None
    push_sequence: _Count | None
    recipient: str
    request: Hex32 | None
    root: Hex32
    """RFC 6962 root whose leaf data are the rendition commitments, in body order."""
    sender: str
    suite: int
    time: datetime

    def binding(self) -> Binding:
        """What the body is sealed under."""
        return Binding(
            sender=self.sender,
            recipient=self.recipient,
            agreement=self.agreement,
            frame=self.frame,
            suite=self.suite,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBody:
    """A sealed body, and what the header must say about it."""

    body: bytes = field(repr=False)
    digest: bytes
    root: bytes
    count: int


class OpenedFrame(NamedTuple):
    """A frame that proved itself: header, document digest, renditions in body order."""

    header: FrameHeader
    digest: bytes
    renditions: list[Rendition]


def filing_set_digest(digests: Sequence[bytes]) -> bytes:
    """The name of a set of filing receipts: H("creditport/filings/v1" || sorted distinct 32-byte digests)."""
    if any(len(digest) != merkle.HASH_SIZE for digest in digests):
        raise Malformed("a filing digest is 32 bytes")
    return sha256(b"creditport/filings/v1" + b"".join(sorted(set(digests)))).digest()


def root_over(commitments: Sequence[bytes]) -> bytes:
    """The root whose leaf data are these commitments, in order."""
    return merkle.root(map(merkle.leaf_hash, commitments))


def shuffled(items: Sequence[T], random: Random) -> list[T]:
    """The items in an unpredictable order, so that a body's order says nothing about the sender's store."""
    drawn = random(_LOT * len(items))
    lots = [drawn[at : at + _LOT] for at in range(0, len(drawn), _LOT)]
    return [items[place] for place in sorted(range(len(items)), key=lots.__getitem__)]


def seal_body(renditions: Sequence[tuple[bytes, bytes]], binding: Binding, recipient_key: PublicKey) -> SealedBody:
    """Pad and seal renditions, given in shuffled order as (encoded bytes, commitment).

    Raises:
        Malformed: more than 4 MiB of renditions.
        BadKey: the recipient's key is not one to seal to.
    """
    body = sealing.seal(recipient_key, pad([raw for raw, _ in renditions]), binding.info())
    return SealedBody(
        body=body,
        digest=sha256(body).digest(),
        root=root_over([one for _, one in renditions]),
        count=len(renditions),
    )


def sign_header(header: FrameHeader, key: SigningKey) -> bytes:
    """The signed header; BadKey unless `key` is a frame key."""
    return sign_and_name(header, key)[0]


def sign_and_name(header: FrameHeader, key: SigningKey) -> tuple[bytes, bytes]:
    """The signed header, and its document digest; BadKey unless `key` is a frame key."""
    if key.purpose is not Purpose.FRAME:
        raise BadKey("a frame is signed by a frame key")
    payload = canonical(header)
    return envelope.sign(KIND, payload, [key]), envelope.digest(envelope.payload_type(KIND), payload)


def open_frame(header_raw: bytes, body: bytes, frame_key: PublicKey, seal_key: SealKey) -> OpenedFrame:
    """Verify a frame step by step; the error of a failed step names it.

    1 signature, 2 header, 3 body digest, 4 seal, 5 padding, 6 renditions, 7 count, 8 root.

    Raises:
        BadSignature (1), Malformed (1, 2, 5, 6), BadProof (3, 7, 8), BadSeal (4).
    """
    header, digest = open_header(header_raw, frame_key)
    return OpenedFrame(header, digest, [one.rendition for one in open_body(header, body, seal_key)])


def open_header(raw: bytes, frame_key: PublicKey) -> tuple[FrameHeader, bytes]:
    """Steps 1 and 2: the header that `frame_key` signed, and its document digest."""
    if frame_key.purpose is not Purpose.FRAME:
        raise BadKey("a frame is verified with a frame key")
    signed = _step("1 (signature)", lambda: _verified(raw, frame_key))
    header = _step("2 (header)", lambda: envelope.read_payload(signed, FrameHeader))
    return header, signed.digest


def check_body(header: FrameHeader, body: bytes) -> None:
    """Step 3 alone: that `body` is the one the header names; enough to keep it before it is opened."""
    if sha256(body).hexdigest() != header.body:
        raise BadProof("frame step 3 (body digest): not the body that the header names")


def open_body(header: FrameHeader, body: bytes, seal_key: SealKey) -> list[Read]:
    """Steps 3 to 8: every rendition that a verified header promises, and no other."""
    check_body(header, body)
    plaintext = _step("4 (seal)", lambda: sealing.unseal(seal_key, body, header.binding().info()))
    encoded = _step("5 (padding)", lambda: unpad(plaintext))
    received = _step("6 (renditions)", lambda: read_all(encoded, header.agreement, header.suite))
    if len(received) != header.count:
        raise BadProof("frame step 7 (count): not as many renditions as the header says")
    if root_over([one.commitment for one in received]).hex() != header.root:
        raise BadProof("frame step 8 (root): the renditions are not those the header commits to")
    return received


def pad(encoded: Sequence[bytes]) -> bytes:
    """u32 length || content || zeros up to a bucket; content = u32 count || (u32 length || bytes)*."""
    content = _u32(len(encoded)) + b"".join(_u32(len(raw)) + raw for raw in encoded)
    return (_u32(len(content)) + content).ljust(_bucket(len(content)), b"\x00")


def unpad(plaintext: bytes) -> list[bytes]:
    """The encoded renditions in a body plaintext; Malformed unless it is exactly what `pad` writes."""
    length = int.from_bytes(plaintext[:4], "big")
    if len(plaintext) != _bucket(length) or plaintext.count(0, 4 + length) != len(plaintext) - 4 - length:
        raise Malformed("not zero-padded to its bucket")
    encoded = list(_items(plaintext[8 : 4 + length]))
    if length < 4 or len(encoded) != int.from_bytes(plaintext[4:8], "big"):  # noqa: PLR2004 - the u32 count
        raise Malformed("the content is not as many items as it says")
    return encoded


def _items(content: bytes) -> list[bytes]:
    items, at = [], 0
    while at < len(content):
        start = at + 4
        at = start + int.from_bytes(content[at:start], "big")
        items.append(content[start:at])
    if at != len(content):
        raise Malformed("the content ends inside an item")
    return items


def _bucket(content_length: int) -> int:
    for bucket in BUCKETS:
        if content_length + 4 <= bucket:
            return bucket
    raise Malformed(f"a frame body holds at most {BUCKETS[-1]} bytes")


def _verified(raw: bytes, frame_key: PublicKey) -> envelope.Signed:
    signed = envelope.parse(raw, KIND)
    envelope.verify(signed, {frame_key.key_id: frame_key}, [frame_key.key_id])
    return signed


def _step(name: str, act: Callable[[], T]) -> T:
    """Do one step of the verification; its error, of the same kind, says which step failed."""
    try:
        return act()
    except CryptoError as failure:
        message = f"frame step {name}: {failure}"
        raise type(failure)(message) from None


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")
