"""Renditions, committed field by field."""

from datetime import date
from typing import Any

import msgspec
import pytest

from crypto import commitment
from crypto.canonical import canonical
from crypto.commitment import Field, Presentation, Rendition, RenditionHeader, Value
from crypto.errors import BadProof, Malformed, UnknownField
from tests.vectors.fixed import FixedRandom

HEADER = RenditionHeader(
    agreement="0a" * 32,
    alias="0b" * 16,
    epoch=1,
    kind="penalty",
    profile="standard",
    pseudonym="0c" * 16,
    suite=1,
    valid_until=date(2027, 1, 1),
    version=1,
)
VALUES: dict[str, Value] = {
    "rating": "AAA",
    "open": False,
    "count": -3,
    "tags": ("a", "", "中"),
    "note": None,
}
RENDITION = commitment.make_rendition(HEADER, VALUES, FixedRandom("unit"))
RAW = commitment.encode(RENDITION)


def changed(**fields: object) -> Rendition:
    """The rendition with another header."""
    return Rendition(fields=RENDITION.fields, header=msgspec.structs.replace(HEADER, **fields))


def test_fields_ascend_by_name() -> None:
    assert [field.name for field in RENDITION.fields] == sorted(VALUES)


def test_values_survive_the_wire() -> None:
    assert commitment.decode(RAW) == RENDITION
    assert commitment.decode(RAW).values() == VALUES


def test_the_bytes_are_canonical_json() -> None:
    assert canonical(RENDITION) == RAW


def test_every_field_has_its_own_salt() -> None:
    assert len({field.salt for field in RENDITION.fields}) == len(VALUES)


def test_two_renditions_of_one_record_have_no_digest_in_common() -> None:
    other = commitment.make_rendition(HEADER, VALUES, FixedRandom("another recipient"))
    first, second = ({commitment.field_digest(field) for field in one.fields} for one in (RENDITION, other))

    assert not first & second
    assert commitment.commitment(RENDITION) != commitment.commitment(other)


@pytest.mark.parametrize(
    "change",
    [
        {"agreement": "0d" * 32},
        {"alias": "0d" * 16},
        {"epoch": 2},
        {"kind": "licence"},
        {"profile": "other"},
        {"pseudonym": "0d" * 16},
        {"valid_until": None},
        {"version": 2},
    ],
)
def test_the_commitment_covers_the_header(change: dict[str, object]) -> None:
    assert commitment.commitment(changed(**change)) != commitment.commitment(RENDITION)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_the_commitment_covers_every_field(name: str) -> None:
    fields = tuple(
        msgspec.structs.replace(field, type="t", value="other") if field.name == name else field
        for field in RENDITION.fields
    )

    assert commitment.commitment(Rendition(fields=fields, header=HEADER)) != commitment.commitment(RENDITION)


def test_values_of_different_types_have_different_digests() -> None:
    salt = RENDITION.fields[0].salt
    alike = [Field("x", "b", True, salt), Field("x", "i", 1, salt), Field("x", "t", "\x01", salt)]
    empty = [Field("x", "n", None, salt), Field("x", "t", "", salt), Field("x", "l", (), salt)]

    assert len({commitment.field_digest(field) for field in alike + empty}) == 6


@pytest.mark.parametrize("shown", [[], ["rating"], ["note", "tags"], sorted(VALUES)])
def test_any_choice_of_fields_opens_the_same_commitment(shown: list[str]) -> None:
    presentation = commitment.disclose(RENDITION, shown)
    read = commitment.decode_presentation(commitment.encode_presentation(presentation))

    assert commitment.verify_disclosure(read) == commitment.commitment(RENDITION)
    assert [field.name for field in read.fields if isinstance(field, Field)] == shown


def test_a_hidden_value_is_not_in_the_presentation() -> None:
    assert b"AAA" not in commitment.encode_presentation(commitment.disclose(RENDITION, ["note"]))


def test_a_changed_disclosed_value_does_not_open_the_commitment() -> None:
    presentation = commitment.disclose(RENDITION, ["rating"])
    forged = tuple(
        msgspec.structs.replace(field, value="BBB") if isinstance(field, Field) else field
        for field in presentation.fields
    )
    expected = commitment.commitment(RENDITION)

    commitment.require_commitment(presentation, expected)
    with pytest.raises(BadProof):
        commitment.require_commitment(Presentation(fields=forged, header=HEADER), expected)


def test_a_field_that_is_not_there_cannot_be_disclosed() -> None:
    with pytest.raises(Malformed):
        commitment.disclose(RENDITION, ["rating", "missing"])


def test_disclosed_fields_out_of_order_are_refused() -> None:
    presentation = commitment.disclose(RENDITION, sorted(VALUES))

    with pytest.raises(Malformed):
        commitment.verify_disclosure(Presentation(fields=presentation.fields[::-1], header=HEADER))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"b",false', b'"b",0'),
        (b'"b",false', b'"i",false'),
        (b'"i",-3', b'"t",-3'),
        (b'"n",null', b'"t",null'),
        (b'"i",-3', b'"i",9007199254740992'),
        (b'"i",-3', b'"i",-3.0'),
        (b'"count"', b'"open"'),
        (b'"count"', b'""'),
        (b'"suite":1', b'"suite":2'),
        (b'"version":1', b'"version":0'),
        (b'"epoch":1', b'"epoch":-1'),
        (b'"AAA"', b'"\\u0041AA"'),
        (b'{"fields"', b'{ "fields"'),
    ],
)
def test_a_rendition_not_as_it_must_be_is_refused(old: bytes, new: bytes) -> None:
    assert old in RAW
    with pytest.raises(Malformed):
        commitment.decode(RAW.replace(old, new, 1))


def test_a_repeated_field_is_refused() -> None:
    twice = Rendition(fields=(RENDITION.fields[0], *RENDITION.fields), header=HEADER)

    with pytest.raises(Malformed):
        commitment.decode(commitment.encode(twice))


def test_a_name_does_not_run_into_its_salt() -> None:
    assert commitment._named("ab") != commitment._named("a") + b"b"


def test_a_salt_has_one_spelling() -> None:
    salt = RENDITION.fields[0].salt
    for other in (salt[:-1] + "B", salt[:-1], salt + "A", salt[:-2] + "=="):
        with pytest.raises(Malformed):
            commitment.decode(RAW.replace(salt.encode(), other.encode()))


def test_an_unknown_header_field_is_named_so() -> None:
    with pytest.raises(UnknownField):
        commitment.decode(RAW.replace(b'"header":{', b'"header":{"a":1,'))


def test_a_field_with_a_fifth_part_is_refused() -> None:
    with pytest.raises(Malformed):
        commitment.decode(RAW.replace(b'"],["note"', b'",1],["note"'))


@pytest.mark.parametrize("value", [1.5, b"x", ["a"], (1,), 2**60, {"a": 1}])
def test_what_a_rendition_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        commitment.make_rendition(HEADER, {"x": value}, FixedRandom("x"))


@pytest.mark.parametrize("count", [0, commitment.MOST_FIELDS + 1])
def test_a_rendition_has_one_to_256_fields(count: int) -> None:
    with pytest.raises(Malformed):
        commitment.make_rendition(HEADER, {f"f{n}": n for n in range(count)}, FixedRandom("x"))


def test_an_oversized_rendition_is_refused() -> None:
    with pytest.raises(Malformed):
        commitment.make_rendition(HEADER, {"x": "y" * commitment.LARGEST}, FixedRandom("x"))
    with pytest.raises(Malformed):
        commitment.decode_presentation(b" " * (commitment.LARGEST + 1))


def test_a_presentation_in_another_spelling_is_refused() -> None:
    with pytest.raises(Malformed):
        commitment.decode_presentation(commitment.encode_presentation(commitment.disclose(RENDITION, [])) + b" ")


def test_the_content_is_not_shown() -> None:
    shown = f"{RENDITION!r} {HEADER!r} {RENDITION.fields!r} {commitment.disclose(RENDITION, ['rating'])!r}"

    assert "AAA" not in shown
    assert HEADER.alias not in shown
