"""Log heads as signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

A checkpoint says: under this origin, a log of this size has this root. The log signs the text; a cosigner
signs the text together with the time at which it saw it, after checking that the log only grew.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256
from typing import Final, NamedTuple

from crypto.canonical import from_base64, instant, to_base64
from crypto.errors import BadKey, BadSignature, Malformed
from crypto.keys import KEY_SIZE, SIGNATURE_SIZE, Algorithm, PublicKey, Purpose, SigningKey, verify
from crypto.merkle import HASH_SIZE

LARGEST: Final = 64 * 1024
"""The longest note that is read, in bytes."""
MOST_SIGNATURES: Final = 64

_HINT_SIZE: Final = 4
_TIME_SIZE: Final = 8
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]+")
_SIGNATURE_LINE: Final = re.compile(r"— ([^\s+\x00-\x1f]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_VKEY: Final = re.compile(r"([^\s+\x00-\x1f]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class SignatureType(IntEnum):
    """The type byte of a verifier key in C2SP signed notes."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who claims to have signed, the 4-byte hint at the key, and the signature."""

    name: str
    hint: bytes
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A text, final newline included, and the signature lines below it; nothing is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log; `extensions` are further lines, kept and signed but not understood.

    Raises:
        Malformed: an empty or unprintable line, a negative size, or a root that is not 32 bytes.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size < 1 << 63 or len(self.root) != HASH_SIZE:
            raise Malformed("a checkpoint has a size below 2^63 and a root of 32 bytes")
        if not all(line and _printable(line) and "\n" not in line for line in (self.origin, *self.extensions)):
            raise Malformed("a checkpoint line is empty or holds control characters")

    def body(self) -> str:
        """The note text: origin, size, base64 root, extensions, each on a line."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions))


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A signing key under the name it signs notes with; BadKey when the purpose or the name does not fit."""

    name: str
    key: SigningKey

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.key.purpose not in {Purpose.JOURNAL, Purpose.REGISTRY}:
            raise BadKey("log heads are signed by journal and registry keys")

    def verifier(self, kind: SignatureType = SignatureType.ED25519) -> "NoteVerifier":
        """What others need to verify its log signatures, or its cosignatures."""
        return NoteVerifier(self.name, kind, self.key.public.raw)


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public half of a note key for one type of signature; its text form is the C2SP vkey."""

    name: str
    kind: SignatureType
    raw: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.raw) != KEY_SIZE:
            raise BadKey(f"a note key is {KEY_SIZE} bytes")

    @property
    def hint(self) -> bytes:
        """H(name || 0x0A || type || public key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:_HINT_SIZE]

    def vkey(self) -> str:
        """`name+hex hint+base64(type || public key)`."""
        return f"{self.name}+{self.hint.hex()}+{to_base64(bytes([self.kind]) + self.raw)}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Accept the 64-byte signature, or raise BadSignature."""
        verify(PublicKey(Purpose.JOURNAL, Algorithm.ED25519, self.raw), message, signature)


class OpenedCheckpoint(NamedTuple):
    """A log head that its log signed, every known name that signed it, and who cosigned it when."""

    checkpoint: Checkpoint
    signers: frozenset[str]
    cosigners: dict[str, datetime]


def parse_vkey(text: str) -> NoteVerifier:
    """The verifier in a vkey string; Malformed when it is not one, or its hint is not its own."""
    match = _VKEY.fullmatch(text)
    if match is None:
        raise Malformed("not a verifier key")
    raw = from_base64(match[3])
    if len(raw) != 1 + KEY_SIZE or raw[0] not in set(SignatureType):
        raise Malformed("a verifier key of an unknown type")
    verifier = NoteVerifier(match[1], SignatureType(raw[0]), raw[1:])
    if verifier.hint.hex() != match[2]:
        raise Malformed("the hint of a verifier key is not its own")
    return verifier


def parse_note(raw: bytes) -> Note:
    """Split a note strictly into its text and its signature lines."""
    if len(raw) > LARGEST:
        raise Malformed(f"longer than {LARGEST} bytes")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        whole = ""
    above, separator, below = whole.rpartition("\n\n")
    if not separator or not below.endswith("\n") or not _printable(whole):
        raise Malformed("not a signed note")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Malformed(f"more than {MOST_SIGNATURES} signatures")
    return Note(above + "\n", tuple(_parse_signature(line) for line in lines))


def format_note(note: Note) -> bytes:
    """The bytes of a note; `parse_note` reads exactly these."""
    lines = (f"— {one.name} {to_base64(one.hint + one.signature)}\n" for one in note.signatures)
    return f"{note.text}\n{''.join(lines)}".encode()


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note text: origin, decimal size, base64 root, extension lines."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:  # noqa: PLR2004 - three lines, and nothing after the last newline
        raise Malformed("a checkpoint has an origin, a size and a root")
    origin, size, root, *extensions = lines[:-1]
    if not _SIZE.fullmatch(size):
        raise Malformed("a checkpoint size is decimal without leading zeros")
    return Checkpoint(origin, int(size), from_base64(root), tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, key: NoteKey) -> bytes:
    """The checkpoint as a note signed by its log, whose key bears the name of the origin."""
    if key.name != checkpoint.origin:
        raise BadKey("a log signs under the name of its origin")
    text = checkpoint.body()
    signature = NoteSignature(key.name, key.verifier().hint, key.key.sign(text.encode()))
    return format_note(Note(text, (signature,)))


def cosign(note: bytes, key: NoteKey, time: datetime) -> bytes:
    """The note with a cosignature/v1 by `key`, which says it saw this head at `time` (whole seconds).

    The cosigner has verified the log's signature and the consistency with the last head it saw.
    """
    parsed = parse_note(note)
    parse_checkpoint(parsed.text)
    instant(time)
    seconds = int(time.timestamp())
    signature = key.key.sign(_cosigned(parsed.text, seconds))
    hint = key.verifier(SignatureType.COSIGNATURE_V1).hint
    added = NoteSignature(key.name, hint, seconds.to_bytes(_TIME_SIZE, "big") + signature)
    return format_note(Note(parsed.text, (*parsed.signatures, added)))


def open_checkpoint(raw: bytes, vkeys: Iterable[str | NoteVerifier]) -> OpenedCheckpoint:
    """Verify a log head by the keys one trusts; signatures by other keys are passed over.

    `signers` holds the names whose log signature verifies, the origin among them; `cosigners` the newest time
    each cosigner put under it.

    Raises:
        BadSignature: a signature by a known key is false, or the log itself did not sign.
        Malformed: not a checkpoint in a signed note.
    """
    note = parse_note(raw)
    checkpoint = parse_checkpoint(note.text)
    known = _by_hint(vkeys)
    signers: set[str] = set()
    cosigners: dict[str, datetime] = {}
    for one in note.signatures:
        verifier = known.get((one.name, one.hint))
        if verifier is None:
            continue
        if verifier.kind is SignatureType.ED25519:
            verifier.verify(note.text.encode(), one.signature)
            signers.add(one.name)
        else:
            seen = _verify_cosignature(note.text, verifier, one.signature)
            cosigners[one.name] = max(seen, cosigners.get(one.name, seen))
    if checkpoint.origin not in signers:
        raise BadSignature("the log did not sign its head")
    return OpenedCheckpoint(checkpoint, frozenset(signers), cosigners)


def _verify_cosignature(text: str, verifier: NoteVerifier, signature: bytes) -> datetime:
    if len(signature) != _TIME_SIZE + SIGNATURE_SIZE:
        raise BadSignature("a cosignature is a time and a signature")
    seconds = int.from_bytes(signature[:_TIME_SIZE], "big")
    verifier.verify(_cosigned(text, seconds), signature[_TIME_SIZE:])
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature("a cosignature from beyond the calendar") from None


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _by_hint(vkeys: Iterable[str | NoteVerifier]) -> Mapping[tuple[str, bytes], NoteVerifier]:
    verifiers = [parse_vkey(one) if isinstance(one, str) else one for one in vkeys]
    known = {(one.name, one.hint): one for one in verifiers}
    if len(known) != len(set(verifiers)):
        raise BadKey("two keys of one name share a hint")
    return known


def _parse_signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise Malformed("not a signature line")
    raw = from_base64(match[2])
    if len(raw) <= _HINT_SIZE:
        raise Malformed("a signature line without a signature")
    return NoteSignature(match[1], raw[:_HINT_SIZE], raw[_HINT_SIZE:])


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadKey("a note key name has no space, plus sign or control character")


def _printable(text: str) -> bool:
    return all(character >= " " or character == "\n" for character in text)
