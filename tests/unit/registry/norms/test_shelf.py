from hashlib import sha256

import pytest

from registry.errors import BadPack
from registry.norms.overlay import Overlay
from registry.norms.packs import shipped, shipped_bytes, shipped_names
from registry.norms.shelf import (
    LARGEST_PACK,
    Named,
    PackKind,
    Shelf,
    adopted_by_default,
    open_pack,
    shipped_shelf,
)
from registry.parties import Jurisdiction

RAW = shipped_bytes("rules", "SZ-DRAFT-82")
RULES = Named(kind=PackKind.RULES, id="SZ-DRAFT-82")


def test_a_pack_is_named_by_the_digest_of_its_exact_bytes() -> None:
    pack = open_pack(RAW, "x")

    assert (pack.reference, pack.digest, pack.raw) == ("rules/SZ-DRAFT-82@1", sha256(RAW).digest(), RAW)
    assert open_pack(RAW + b"\n", "x").digest != pack.digest


@pytest.mark.parametrize("kind", PackKind)
def test_every_shipped_file_is_a_pack_of_the_kind_that_its_folder_says(kind: PackKind) -> None:
    for name in shipped_names(kind.value):
        assert open_pack(shipped_bytes(kind.value, name), name).named.kind is kind


def test_a_shelf_finds_packs_by_digest_name_and_reference() -> None:
    second = open_pack(RAW.replace(b"version = 1", b"version = 2", 1), "x")
    other = open_pack(RAW + b"\n", "x")
    shelf = Shelf.of([second, other, open_pack(RAW, "x")])

    assert shelf.packs[second.digest] is second
    assert [one.version for one in shelf.called(RULES)] == [1, 1, 2]
    assert shelf.newest(RULES) is second
    assert shelf.referred("rules/SZ-DRAFT-82") == (second,)
    assert {one.digest for one in shelf.referred("rules/SZ-DRAFT-82@1")} == {other.digest, sha256(RAW).digest()}
    assert shelf.referred("rules/SZ-DRAFT-82@3") == ()


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"\xff", "the whole file"),
        (b"= 1", "the whole file"),
        (b"#" * (LARGEST_PACK + 1), "the whole file"),
        (b'id = "X"', "$"),
        (RAW.replace(b'id = "SZ-DRAFT-82"', b'id = "../../etc/X"'), "id"),
    ],
)
def test_what_is_no_pack_is_refused_with_file_and_place(raw: bytes, place: str) -> None:
    with pytest.raises(BadPack) as failure:
        open_pack(raw, "given.toml")

    assert (failure.value.pack, failure.value.place) == ("given.toml", place)


@pytest.mark.parametrize(
    ("place", "rules"),
    [
        (Jurisdiction.CN_SZ, ["rules/SZ-DRAFT-82@1"]),
        (Jurisdiction.HK, ["rules/HK@1", "rules/SZ-DRAFT-82@1"]),
        (Jurisdiction.MO, ["rules/MO@1", "rules/SZ-DRAFT-82@1"]),
    ],
)
def test_each_jurisdiction_adopts_its_own_rules_by_default(place: Jurisdiction, rules: list[str]) -> None:
    adopted = [one.reference for one in adopted_by_default(place, shipped_shelf())]

    assert [one for one in adopted if one.startswith("rules/")] == rules
    assert {"catalogue/SZ-2026@2", "calendars/CN-MAINLAND-2026@1", "codes/REGIONS@1"} <= set(adopted)


def test_the_national_overlay_is_shipped_and_adopted_by_nobody_by_default() -> None:
    (pack,) = shipped_shelf().referred("rules/CN-NDRC-2026")

    assert isinstance(pack.content, Overlay)
    assert not any(pack in adopted_by_default(place, shipped_shelf()) for place in Jurisdiction)
    assert "CN-NDRC-2026" in shipped("", "adopted")
