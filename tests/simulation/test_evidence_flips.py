"""Whatever is done to the bytes of a bundle is found: each of them, one at a time, and whole lines.

The node that signed it did not do it here; what a node does that signs anew is in test_evidence_tricks.
"""

from collections.abc import Iterator
from random import Random
from typing import get_args

import pytest

from node.domain.evidence.findings import Report, Step
from node.domain.evidence.lines import Line, Section, read_line, section_of
from tests.fakes.evidence import checked, lines, read
from tests.simulation.bundles import Shown, large, small, verified_once
from tests.thorough import THOROUGH

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

CHUNKS = 24
"""Portions of every byte; those of one chunk lie apart, so that all chunks cost alike."""
LARGE_CHUNKS, FLIPS = 10, 1_000 if THOROUGH else 100
"""Bytes of the large bundle that are flipped."""
SPARSE = {"home": 1, "holder": 1} if THOROUGH else {"home": 12, "holder": 24}
"""Of each small bundle one byte in so many, spread over all of it."""
SMALL, MEGABYTE = 80 * 1024, 1 << 20
STEPS = {
    Section.REGISTRY: {Step.REGISTRY, Step.NODE},
    Section.AGREEMENTS: {Step.AGREEMENTS},
    Section.HEADS: {Step.JOURNAL},
    Section.JOURNAL: {Step.ORDER, Step.JOURNAL, Step.FRAMES, Step.RECEIPTS, Step.NOTICES, Step.COPIES},
    Section.MANIFEST: {Step.MANIFEST},
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    return small(tmp_path_factory.mktemp("flips"))


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return large(tmp_path_factory.mktemp("flips"))


@pytest.fixture(autouse=True)
def _once(monkeypatch: pytest.MonkeyPatch) -> None:
    verified_once(monkeypatch)


def flipped(bundle: bytes, place: int, chance: Random) -> bytes:
    """The bundle with some bits of one byte turned over."""
    changed = bytearray(bundle)
    changed[place] ^= chance.randint(1, 255)
    return bytes(changed)


def sections(bundle: bytes) -> Iterator[tuple[range, Section]]:
    """Which bytes belong to which section."""
    start = 0
    for raw in lines(bundle):
        yield range(start, start + len(raw)), section_of(read_line(raw))
        start += len(raw)


def unnoticed(report: Report, section: Section) -> str:
    """Why a report does not say what is wrong in this section; empty if it does."""
    if section is Section.BUNDLE:
        return "" if report.total or report.hindrance else "clean"
    if not report.total:
        return "no finding"
    place = f"section {section.value}"
    told = any(one.place == place or place[8:] in one.place or one.step in STEPS[section] for one in report.findings)
    return "" if told else f"only {report.findings}"


def missed(shown: Shown, places: Iterator[int] | range, chance: Random) -> list[tuple[int, str]]:
    """The bytes whose change was not noticed, or not where they are."""
    parts = list(sections(shown.bundle))
    found = []
    for place in places:
        (section,) = (section for part, section in parts if place in part)
        why = unnoticed(checked(flipped(shown.bundle, place, chance), shown.anchors), section)
        if why:
            found.append((place, why))
    return found


def test_the_bundles_are_small_and_have_every_kind_of_line(shown: dict[str, Shown]) -> None:
    kinds = {type(line) for one in shown.values() for line in read(one.bundle)}

    assert all(len(one.bundle) < SMALL for one in shown.values())
    assert kinds == set(get_args(Line))
    assert all(checked(one.bundle, one.anchors).is_clean for one in shown.values())


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("whose", ["home", "holder"])
def test_every_byte_counts(shown: dict[str, Shown], whose: str, chunk: int) -> None:
    one = shown[whose]

    assert missed(one, range(chunk, len(one.bundle), CHUNKS * SPARSE[whose]), Random(chunk)) == []


@pytest.mark.parametrize("chunk", range(LARGE_CHUNKS))
def test_bytes_all_over_a_large_bundle_count(much: Shown, chunk: int) -> None:
    chance = Random(chunk)
    places = iter(chance.sample(range(len(much.bundle)), FLIPS // LARGE_CHUNKS))

    assert len(much.bundle) > MEGABYTE
    assert missed(much, places, chance) == []


@pytest.mark.parametrize("whose", ["home", "holder"])
def test_a_bundle_cut_behind_any_line_is_not_clean(shown: dict[str, Shown], whose: str) -> None:
    one = shown[whose]
    parts = lines(one.bundle)
    cut = [checked(b"".join(parts[:end]), one.anchors) for end in range(len(parts))]

    assert [end for end, report in enumerate(cut) if report.is_clean] == []


@pytest.mark.parametrize("whose", ["home", "holder"])
def test_a_bundle_cut_anywhere_is_not_clean(shown: dict[str, Shown], whose: str) -> None:
    one, chance = shown[whose], Random(whose)
    ends = chance.sample(range(len(one.bundle)), 400 if THOROUGH else 100)

    assert [end for end in ends if checked(one.bundle[:end], one.anchors).is_clean] == []


@pytest.mark.parametrize("whose", ["home", "holder"])
@pytest.mark.parametrize("deed", ["dropped", "twice", "swapped", "last", "first"])
def test_a_line_elsewhere_is_found(shown: dict[str, Shown], whose: str, deed: str) -> None:
    one = shown[whose]
    parts = lines(one.bundle)
    changed = [moved(parts, place, deed) for place in range(len(parts))]

    assert [
        place
        for place, other in enumerate(changed)
        if other != parts and checked(b"".join(other), one.anchors).is_clean
    ] == []


def moved(parts: list[bytes], place: int, deed: str) -> list[bytes]:
    one, rest = parts[place], [*parts[:place], *parts[place + 1 :]]
    match deed:
        case "dropped":
            return rest
        case "twice":
            return [*parts[:place], one, *parts[place:]]
        case "swapped":
            return [*rest[: place + 1], one, *rest[place + 1 :]]
        case "last":
            return [*rest, one]
        case _:
            return [one, *rest]


@pytest.mark.parametrize("whose", ["home", "holder"])
@pytest.mark.parametrize(
    "more", [b"\n", b"\0", b" ", b"[]\n", b"null\n", b'["leaf","' + b"0" * 64 + b'"]\n', b"\xff\xfe", b"{" * 100_000]
)
def test_what_is_appended_is_found(shown: dict[str, Shown], whose: str, more: bytes) -> None:
    one = shown[whose]

    assert checked(one.bundle + more, one.anchors).total


@pytest.mark.parametrize("raw", [b"", b"\n", b"[]", b"\0" * 100, b"[" * 100_000, b'["bundle"]\n', b"{}\n", b"\xff"])
def test_what_is_no_bundle_cannot_be_checked(shown: dict[str, Shown], raw: bytes) -> None:
    report = checked(raw, shown["home"].anchors)

    assert report.hindrance
    assert not report.is_clean


@pytest.mark.parametrize("seed", range(4))
def test_bundles_torn_to_pieces_are_never_clean_and_never_an_error(shown: dict[str, Shown], seed: int) -> None:
    chance, one = Random(seed), shown[("home", "holder")[seed % 2]]
    for _ in range(100 if THOROUGH else 25):
        parts = lines(one.bundle)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(parts))
            parts = moved(parts, place, chance.choice(["dropped", "twice", "swapped", "last"]))
        raw = b"".join(parts)
        at = chance.randrange(len(raw))
        torn = raw[:at] + chance.randbytes(chance.randint(1, 40)) + raw[at + chance.randint(0, 60) :]

        assert not checked(torn, one.anchors).is_clean
