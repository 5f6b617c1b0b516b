"""Laws of renditions, frames bodies and signed notes."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import checkpoint, commitment, frame
from crypto.canonical import SAFE_INTEGER, canonical
from crypto.checkpoint import Checkpoint, NoteKey, SignatureType
from crypto.commitment import Value
from crypto.errors import Malformed
from crypto.keys import Purpose
from tests.unit.crypto.test_commitment import HEADER
from tests.vectors.fixed import FixedRandom, signing_key

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
VALUES: st.SearchStrategy[Value] = (
    st.none() | st.booleans() | st.integers(-SAFE_INTEGER, SAFE_INTEGER) | TEXT | st.lists(TEXT, max_size=4).map(tuple)
)
RECORDS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=8)
LOG = NoteKey("creditport/journal/a", signing_key(Purpose.JOURNAL, "a"))
WITNESS = NoteKey("creditport/registry/b", signing_key(Purpose.REGISTRY, "b"))


@settings(deadline=None)
@given(RECORDS)
def test_what_is_encoded_is_canonical_and_decodes_to_the_same(values: dict[str, Value]) -> None:
    made = commitment.make_rendition(HEADER, values, FixedRandom("law"))
    raw = commitment.encode(made)

    assert raw == canonical(made)
    assert commitment.decode(raw) == made
    assert made.values() == values


@settings(deadline=None)
@given(RECORDS, st.data())
def test_any_disclosure_opens_the_commitment(values: dict[str, Value], data: st.DataObject) -> None:
    made = commitment.make_rendition(HEADER, values, FixedRandom("law"))
    names = data.draw(st.sets(st.sampled_from(sorted(values))))

    presentation = commitment.disclose(made, names)

    assert commitment.verify_disclosure(presentation) == commitment.commitment(made)


@settings(deadline=None)
@given(RECORDS, RECORDS)
def test_different_values_have_different_commitments(one: dict[str, Value], other: dict[str, Value]) -> None:
    first, second = (commitment.make_rendition(HEADER, values, FixedRandom("law")) for values in (one, other))

    same = commitment.encode(first) == commitment.encode(second)
    assert (commitment.commitment(first) == commitment.commitment(second)) == same


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6000), max_size=6))
def test_padding_is_undone_and_shows_only_a_bucket(items: list[bytes]) -> None:
    padded = frame.pad(items)

    assert frame.unpad(padded) == items
    assert len(padded) in frame.BUCKETS


@settings(deadline=None)
@given(st.binary(max_size=5000), st.sampled_from(frame.BUCKETS[:2]))
def test_no_two_plaintexts_carry_the_same_items(head: bytes, bucket: int) -> None:
    plaintext = head[:bucket].ljust(bucket, b"\x00")
    try:
        items = frame.unpad(plaintext)
    except Malformed:
        return
    assert frame.pad(items) == plaintext


@settings(deadline=None)
@given(
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(NAMES.filter(lambda line: all(character >= " " for character in line)), max_size=3),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds the zone
)
def test_a_cosigned_head_opens_as_it_was(size: int, root: bytes, lines: list[str], seen: datetime) -> None:
    head = Checkpoint(LOG.name, size, root, tuple(lines))
    time = seen.replace(microsecond=0)
    raw = checkpoint.cosign(checkpoint.sign_checkpoint(head, LOG), WITNESS, time)

    opened = checkpoint.open_checkpoint(raw, [LOG.verifier(), WITNESS.verifier(SignatureType.COSIGNATURE_V1)])

    assert opened == (head, frozenset({LOG.name}), {WITNESS.name: time})
