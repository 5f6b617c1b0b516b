"""Laws of renditions in numbers: written and read together as each would be alone, whatever a sender makes of them."""

from collections.abc import Iterator
from datetime import date
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import commitment
from crypto.canonical import canonical
from crypto.commitment import RenditionHeader
from crypto.errors import CryptoError, Malformed
from crypto.renditions import Read, Shape, Told, read_all
from tests.properties.test_crypto_rendition import NAMES, VALUES
from tests.thorough import THOROUGH
from tests.vectors.fixed import FixedRandom

AGREEMENT = bytes(range(32))
TRICKY = st.sampled_from(
    ['"],["', '"]],"header":', '"pseudonym":"', "é\u2028", "", True, 1, False, 0, (), ("a", '"],["')]
)
NAMES_OF_16 = st.binary(min_size=16, max_size=16)
VALID = st.none() | st.dates(date(1900, 1, 1), date(2999, 12, 31))
SHAPES = st.lists(NAMES, min_size=1, max_size=5, unique=True)


PIECES = [b'"', b"\\", b" ", b",", b'"],["', b'"]],"header":', b"\xff", b"\xc3\xa9", b"\\u0041", b"A", b"-", b"+", b"="]
"""What a sender may slip in."""
CHANGES = [
    (b'{"fields":', b'{ "fields":'), (b'"],["', b'"], ["'), (b'"t"', b'"n"'), (b'"i",', b'"i", '), (b'"i"', b'"b"'),
    (b'"l",[', b'"l",[ '), (b'"version":1}', b'"version":1,"version":1}'), (b'"version":', b'"more":1,"version":'),
    (b'"suite":1', b'"suite":2'), (b'"suite":1', b'"suite":1.0'), (b'"version":1}', b'"version":1e0}'),
    (b'"epoch":3', b'"epoch":-3'), (b'"kind":"101"', b'"kind":"\\u0031\\u0030\\u0031"'), (b'"alias":"', b'"alias":" '),
    (b'"agreement":"00', b'"agreement":"01'), (b'"valid_until":null', b'"valid_until":"2027-02-30"'),
    (b"null", b"nul"), (b"true", b"false"), (b"a", b"A"), (b"}}", b"}} "), (b'"]],', b'","A"]],'),
    (b'"]],', b'"],[]],'),
]  # fmt: skip
"""Other spellings of the same, and spellings of something else."""


def told(width: int) -> st.SearchStrategy[Told]:
    values = st.tuples(*[VALUES | TRICKY] * width)
    return st.builds(Told, NAMES_OF_16, NAMES_OF_16, VALID, st.integers(1, 3), values)


FRAMES = SHAPES.flatmap(lambda names: st.tuples(st.just(names), st.lists(told(len(names)), min_size=8, max_size=12)))


def shape(names: list[str]) -> Shape:
    return Shape(AGREEMENT, 3, "101", 'CP "DEID"', 1, names)


def header(one: Told) -> RenditionHeader:
    return RenditionHeader(
        agreement=AGREEMENT.hex(), alias=one.alias.hex(), epoch=3, kind="101", profile='CP "DEID"',
        pseudonym=one.pseudonym.hex(), suite=1, valid_until=one.valid_until, version=one.version,
    )  # fmt: skip


def each_alone(raws: list[bytes]) -> list[commitment.Rendition] | type[CryptoError]:
    """What the plain reader says of a frame: all of it, or how it refuses."""
    try:
        read = [commitment.decode(raw) for raw in raws]
    except CryptoError as failure:
        return type(failure)
    return read if all((one.header.agreement, one.header.suite) == (AGREEMENT.hex(), 1) for one in read) else Malformed


def together(raws: list[bytes]) -> list[Read] | type[CryptoError]:
    try:
        return read_all(raws, AGREEMENT.hex(), 1)
    except CryptoError as failure:
        return type(failure)


def agree(raws: list[bytes]) -> bool:
    alone, read = each_alone(raws), together(raws)
    if isinstance(alone, type) or isinstance(read, type):
        return alone == read
    return [says(one) for one in read] == [said(*one) for one in zip(alone, raws, strict=True)]


def says(one: Read) -> tuple[object, ...]:
    fields = [(field.name, type(field.value), field.value) for field in one.fields]
    return one.alias.hex(), one.pseudonym.hex(), tuple(one.heading), fields, one.raw, one.commitment


def said(one: commitment.Rendition, raw: bytes) -> tuple[object, ...]:
    it, fields = one.header, [(field.name, type(field.value), field.value) for field in one.fields]
    heading = it.agreement, it.epoch, it.kind, it.profile, it.suite, it.valid_until, it.version
    return it.alias, it.pseudonym, heading, fields, raw, commitment.commitment(one)


def salts_of(count: int) -> Iterator[bytes]:
    """The salts of `count` renditions as one draw for all gives them."""
    size = 16 * count
    drawn = FixedRandom("salts")(size)
    return iter([drawn[at : at + 16] for at in range(0, size, 16)])


def written(frame: tuple[list[str], list[Told]]) -> list[bytes]:
    names, wanted = frame
    return [one.body for one in shape(names).write(wanted, FixedRandom("salts"))]


@settings(deadline=None)
@given(FRAMES)
def test_many_are_written_as_each_would_be_alone(frame: tuple[list[str], list[Told]]) -> None:
    names, wanted = frame
    salts = salts_of(len(names) * len(wanted))

    together = shape(names).write(wanted, FixedRandom("salts"))
    alone = [
        commitment.make_rendition(
            header(one),
            dict(zip(sorted(names), one.values, strict=True)),
            lambda size: b"".join(islice(salts, size // 16)),
        )
        for one in wanted
    ]

    assert [one.body for one in together] == [canonical(one) for one in alone]
    assert [one.commitment for one in together] == [commitment.commitment(one) for one in alone]


@settings(deadline=None)
@given(FRAMES)
def test_many_are_read_as_each_would_be_alone(frame: tuple[list[str], list[Told]]) -> None:
    assert agree(written(frame))


@settings(deadline=None, max_examples=1_000 if THOROUGH else 100)
@given(FRAMES, st.data())
def test_a_damaged_frame_is_refused_as_its_first_damaged_rendition_is(
    frame: tuple[list[str], list[Told]], data: st.DataObject
) -> None:
    raws = written(frame)
    place = data.draw(st.integers(0, len(raws) - 1))
    raw = raws[place]
    start = data.draw(st.integers(0, len(raw)))
    end = start + data.draw(st.integers(0, 6))
    put = data.draw(st.binary(max_size=4) | st.sampled_from(PIECES))
    raws[place] = raw[:start] + put + raw[end:]

    assert agree(raws)


@settings(deadline=None, max_examples=1_000 if THOROUGH else 100)
@given(FRAMES, st.sampled_from(CHANGES), st.integers(0, 7))
def test_another_way_to_say_the_same_is_refused(
    frame: tuple[list[str], list[Told]], change: tuple[bytes, bytes], place: int
) -> None:
    raws = written(frame)
    raws[place] = raws[place].replace(*change, 1)

    assert agree(raws)


@settings(deadline=None)
@given(FRAMES, st.data())
def test_parts_of_two_renditions_are_no_third_unless_they_are(
    frame: tuple[list[str], list[Told]], data: st.DataObject
) -> None:
    raws = written(frame)
    cut = data.draw(st.sampled_from([b'"],["', b'"]],"header":', b'"alias":"', b'","suite":', b'","', b'["']))
    one, other = (data.draw(st.integers(0, 7)) for _ in range(2))
    raws[one] = raws[one].partition(cut)[0] + cut + raws[other].rpartition(cut)[2]

    assert agree(raws)


def test_what_is_alike_in_a_frame_is_looked_at_once() -> None:
    same = [Told(bytes([n] * 16), bytes(16), None, 1, ("C1", 2001, True)) for n in range(8)]

    first, *others = read_all(written((["band", "since", "open"], same)), AGREEMENT.hex(), 1)

    assert all(one.heading is first.heading for one in others)
    assert all(field is of_first for one in others for field, of_first in zip(one.fields, first.fields, strict=True))


def test_a_frame_in_which_nothing_is_alike_is_read_without_remembering_it() -> None:
    unlike = [Told(bytes([n] * 16), bytes(16), None, 1, tuple(f"{n} {place}" for place in range(5))) for n in range(99)]
    raws = written((["a", "b", "c", "d", "e"], unlike))

    assert agree(raws)
    assert read_all(raws, AGREEMENT.hex(), 1)[0].rendition == commitment.decode(raws[0])
