import pytest

from crypto.checkpoint import (
    Checkpoint,
    Note,
    NoteKey,
    NoteSignature,
    cosign,
    format_note,
    parse_note,
    sign_checkpoint,
)
from crypto.errors import BadSignature, Malformed
from crypto.keys import Purpose
from crypto.merkle import EMPTY_ROOT, Frontier, leaf_hash, root
from registry.errors import BadHead
from registry.log import grow, issue_head, read_head
from registry.parties import registry_origin
from tests.unit.registry.cast import HONG_KONG, MINUTE, NOON, SHENZHEN

KEY = SHENZHEN.note_key()
CARD = SHENZHEN.card()


def test_a_head_reads_back_with_its_time() -> None:
    raw = issue_head(3, leaf_hash(b"x"), KEY, NOON)
    head = read_head(raw, CARD)

    assert (head.size, head.root, head.time, head.raw) == (3, leaf_hash(b"x"), NOON, raw)


def test_an_idle_log_issues_new_heads() -> None:
    first, second = (issue_head(0, EMPTY_ROOT, KEY, at) for at in (NOON, NOON + MINUTE))

    assert first != second
    assert read_head(second, CARD).time - read_head(first, CARD).time == MINUTE


def test_the_log_covers_raw_statements_as_leaves() -> None:
    assert grow(Frontier(), [b"a", b"b"]).root() == root([leaf_hash(b"a"), leaf_hash(b"b")])


def test_a_head_without_a_timestamp_is_refused() -> None:
    with pytest.raises(BadHead, match="cosignature"):
        read_head(sign_checkpoint(Checkpoint(KEY.name, 0, EMPTY_ROOT), KEY), CARD)


def test_a_head_of_another_authority_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_head(issue_head(0, EMPTY_ROOT, HONG_KONG.note_key(), NOON), CARD)


def test_a_head_under_this_authoritys_name_by_another_key_is_refused() -> None:
    impostor = NoteKey(registry_origin(SHENZHEN.party), HONG_KONG.signing(Purpose.REGISTRY))

    with pytest.raises(BadSignature):
        read_head(issue_head(0, EMPTY_ROOT, impostor, NOON), CARD)


def test_a_head_with_a_changed_time_is_refused() -> None:
    note = parse_note(issue_head(0, EMPTY_ROOT, KEY, NOON))
    signature, cosignature = note.signatures
    later = (int(NOON.timestamp()) + 60).to_bytes(8, "big") + cosignature.signature[8:]
    forged = Note(note.text, (signature, NoteSignature(cosignature.name, cosignature.hint, later)))

    with pytest.raises(BadSignature):
        read_head(format_note(forged), CARD)


def test_a_head_with_lines_this_version_does_not_understand_is_refused() -> None:
    extended = Checkpoint(KEY.name, 0, EMPTY_ROOT, ("more",))

    with pytest.raises(BadHead, match="extensions"):
        read_head(cosign(sign_checkpoint(extended, KEY), KEY, NOON), CARD)


def test_noise_is_not_a_head() -> None:
    with pytest.raises(Malformed):
        read_head(b"noise", CARD)
