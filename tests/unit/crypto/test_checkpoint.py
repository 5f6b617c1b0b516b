"""Log heads as signed notes."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto import checkpoint
from crypto.checkpoint import Checkpoint, Note, NoteKey, NoteSignature, NoteVerifier, SignatureType
from crypto.errors import BadKey, BadSignature, Malformed
from crypto.keys import Purpose
from tests.vectors.fixed import signing_key

ORIGIN = "creditport/journal/sz-credit"
LOG = NoteKey(ORIGIN, signing_key(Purpose.JOURNAL, "log"))
WITNESS = NoteKey("creditport/registry/hk", signing_key(Purpose.REGISTRY, "witness"))
LOG_VKEY = LOG.verifier().vkey()
WITNESS_VKEY = WITNESS.verifier(SignatureType.COSIGNATURE_V1).vkey()
HEAD = Checkpoint(ORIGIN, 7, bytes(range(32)))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RAW = checkpoint.sign_checkpoint(HEAD, LOG)
COSIGNED = checkpoint.cosign(RAW, WITNESS, NOON)


def test_a_signed_head_opens() -> None:
    opened = checkpoint.open_checkpoint(RAW, [LOG_VKEY, WITNESS_VKEY])

    assert opened == (HEAD, frozenset({ORIGIN}), {})


def test_a_cosigned_head_says_who_saw_it_when() -> None:
    assert checkpoint.open_checkpoint(COSIGNED, [LOG_VKEY, WITNESS_VKEY]).cosigners == {WITNESS.name: NOON}


def test_an_unknown_cosigner_is_passed_over() -> None:
    assert checkpoint.open_checkpoint(COSIGNED, [LOG_VKEY]).cosigners == {}


def test_of_several_cosignatures_the_newest_counts() -> None:
    later, earlier = NOON + timedelta(hours=1), NOON - timedelta(hours=1)
    raw = checkpoint.cosign(checkpoint.cosign(COSIGNED, WITNESS, later), WITNESS, earlier)

    assert checkpoint.open_checkpoint(raw, [LOG_VKEY, WITNESS_VKEY]).cosigners == {WITNESS.name: later}


def test_a_head_that_its_log_did_not_sign_is_refused() -> None:
    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(COSIGNED, [WITNESS_VKEY])


def test_another_logs_signature_does_not_stand_for_the_logs_own() -> None:
    text = HEAD.body()
    signature = NoteSignature(WITNESS.name, WITNESS.verifier().hint, WITNESS.key.sign(text.encode()))
    raw = checkpoint.format_note(Note(text, (signature,)))

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(raw, [LOG_VKEY, WITNESS.verifier()])


def test_a_cosignature_by_the_log_does_not_stand_for_its_signature() -> None:
    text = HEAD.body()
    raw = checkpoint.cosign(checkpoint.format_note(Note(text, (_other_signature(),))), LOG, NOON)
    vkey = LOG.verifier(SignatureType.COSIGNATURE_V1)

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(raw, [vkey, LOG_VKEY])


def _other_signature() -> NoteSignature:
    return NoteSignature("somebody", b"hint", bytes(64))


def test_extension_lines_are_kept_and_signed() -> None:
    head = Checkpoint(ORIGIN, 7, bytes(32), ("more", "and more"))
    raw = checkpoint.sign_checkpoint(head, LOG)

    assert checkpoint.open_checkpoint(raw, [LOG_VKEY]).checkpoint == head
    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(raw.replace(b"and more", b"and less"), [LOG_VKEY])


@pytest.mark.parametrize("old", [b"\n7\n", b"creditport/journal/sz-credit\n", b"\nAAEC"])
def test_a_changed_head_is_refused(old: bytes) -> None:
    new = {b"\n7\n": b"\n8\n", b"\nAAEC": b"\nBBEC"}.get(old, b"creditport/journal/other\n")

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(RAW.replace(old, new, 1), [LOG_VKEY])


def test_a_false_cosignature_by_a_known_key_spoils_the_note() -> None:
    note = checkpoint.parse_note(COSIGNED)
    seen = note.signatures[1].signature
    forged = NoteSignature(WITNESS.name, note.signatures[1].hint, seen[:7] + bytes([seen[7] ^ 1]) + seen[8:])
    raw = checkpoint.format_note(Note(note.text, (note.signatures[0], forged)))

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(raw, [LOG_VKEY, WITNESS_VKEY])


@pytest.mark.parametrize("signature", [b"short", bytes(71), bytes(73)])
def test_a_cosignature_of_another_length_is_refused(signature: bytes) -> None:
    note = checkpoint.parse_note(COSIGNED)
    odd = NoteSignature(WITNESS.name, note.signatures[1].hint, signature)

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(
            checkpoint.format_note(Note(note.text, (note.signatures[0], odd))), [LOG_VKEY, WITNESS_VKEY]
        )


def test_a_cosignature_from_beyond_the_calendar_is_refused() -> None:
    seconds = 1 << 63
    signature = WITNESS.key.sign(f"cosignature/v1\ntime {seconds}\n{HEAD.body()}".encode())
    note = checkpoint.parse_note(COSIGNED)
    odd = NoteSignature(WITNESS.name, note.signatures[1].hint, seconds.to_bytes(8, "big") + signature)

    with pytest.raises(BadSignature):
        checkpoint.open_checkpoint(
            checkpoint.format_note(Note(note.text, (note.signatures[0], odd))), [LOG_VKEY, WITNESS_VKEY]
        )


@pytest.mark.parametrize("time", [NOON.replace(microsecond=1), NOON.replace(tzinfo=None)])
def test_a_cosignature_has_whole_seconds_of_a_known_zone(time: datetime) -> None:
    with pytest.raises(Malformed):
        checkpoint.cosign(RAW, WITNESS, time)


def test_only_a_checkpoint_is_cosigned() -> None:
    with pytest.raises(Malformed):
        checkpoint.cosign(checkpoint.format_note(Note("hello\n", (_other_signature(),))), WITNESS, NOON)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        RAW[:-1],
        RAW.replace(b"\n\n", b"\n"),
        RAW + b"\n",
        RAW.replace(b"\n7\n", b"\n7\r\n"),
        RAW.replace(b"\n7\n", b"\n7\x00\n"),
        RAW.replace("—".encode(), b"-"),
        RAW.replace("— ".encode(), "—  ".encode()),
        RAW + b"trailing\n",
        RAW + "— name AAAA\n".encode(),
        RAW + "— name AAAAAAB=\n".encode(),
        RAW + "— na+me AAAAAAAA\n".encode(),
        RAW.replace(b"sz", b"\xff"),
        RAW + "— name AAAAAAAA\n".encode() * 64,
        b"x" * (checkpoint.LARGEST + 1),
    ],
)
def test_a_note_in_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        checkpoint.open_checkpoint(raw, [LOG_VKEY])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n07\nAAAA\n",
        f"{ORIGIN}\n-7\nAAAA\n",
        f"{ORIGIN}\n\uff17\nAAAA\n",
        f"{ORIGIN}\n7\nAAAA\n",
        f"{ORIGIN}\n7\n{'A' * 43}=",
        f"\n7\n{'A' * 43}=\n",
        f"{ORIGIN}\n7\n{'A' * 43}=\n\n",
        f"{ORIGIN}\n9999999999999999999\n{'A' * 43}=\n",
    ],
)
def test_a_checkpoint_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        checkpoint.parse_checkpoint(text)


def test_a_log_signs_only_under_its_origin() -> None:
    with pytest.raises(BadKey):
        checkpoint.sign_checkpoint(HEAD, WITNESS)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_key_name_has_no_space_or_plus(name: str) -> None:
    with pytest.raises(BadKey):
        NoteKey(name, LOG.key)


def test_a_document_key_signs_no_heads() -> None:
    with pytest.raises(BadKey):
        NoteKey(ORIGIN, signing_key(Purpose.DOCUMENT, "x"))


def test_a_verifier_key_survives_its_text() -> None:
    assert checkpoint.parse_vkey(LOG_VKEY) == LOG.verifier()
    assert checkpoint.parse_vkey(WITNESS_VKEY).kind is SignatureType.COSIGNATURE_V1


def test_the_published_example_of_a_signed_note_verifies() -> None:
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    raw = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZIn"
        "NIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
    note, verifier = checkpoint.parse_note(raw), checkpoint.parse_vkey(vkey)

    verifier.verify(note.text.encode(), note.signatures[0].signature)

    assert note.signatures[0].hint == verifier.hint
    assert checkpoint.format_note(note) == raw
    assert verifier.vkey() == vkey


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name+00000000+AAAA",
        LOG_VKEY[:-4],
        LOG_VKEY[:-1] + ("A" if LOG_VKEY[-1] != "A" else "B"),
        LOG_VKEY.replace(ORIGIN, "other"),
        NoteVerifier("x", SignatureType.ED25519, bytes(32)).vkey().replace("+AQ", "+Ag"),
    ],
)
def test_a_verifier_key_that_is_not_its_own_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed):
        checkpoint.parse_vkey(vkey)


def test_a_short_verifier_key_is_refused() -> None:
    with pytest.raises(BadKey):
        NoteVerifier("x", SignatureType.ED25519, bytes(31))


def test_one_verifier_may_be_given_twice() -> None:
    assert checkpoint.open_checkpoint(RAW, [LOG_VKEY, LOG.verifier()]).signers == {ORIGIN}
