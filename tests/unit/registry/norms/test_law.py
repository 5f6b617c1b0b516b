from datetime import UTC, datetime, timedelta

import pytest

from registry.norms.adoption import Adopted
from registry.norms.catalogue import Catalogue
from registry.norms.code_lists import BandTableName, CodeListName
from registry.norms.law import Lack, Lacking, Law, resolve, shipped_law
from registry.norms.overlay import Severity
from registry.norms.packs import shipped_bytes
from registry.norms.shelf import Pack, PackDigest, PackKind, Shelf, adopted_by_default, open_pack, shipped_shelf
from registry.parties import Jurisdiction

SZ, HK = Jurisdiction.CN_SZ, Jurisdiction.HK
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
DAY = timedelta(days=1)
DEFAULT = adopted_by_default(SZ, shipped_shelf())
(GRADING,) = shipped_shelf().referred("rules/CN-NDRC-2026")


def adopting(*packs: Pack, at: datetime = NOON, **changed: object) -> list[Adopted]:
    def one(pack: Pack) -> Adopted:
        facts: dict[str, object] = {"named": pack.named, "version": pack.version, "digest": pack.digest}
        known = facts | {"effective_from": at.date(), "works_from": at, "works_until": None, "number": 0}
        return Adopted(**known | changed)  # type: ignore[arg-type]  # any of its values

    return [one(pack) for pack in packs]


def law(adopted: list[Adopted], at: datetime = NOON, shelf: Shelf | None = None, place: Jurisdiction = SZ) -> object:
    return resolve({place: adopted}, place, at, shelf or shipped_shelf())


def lack(found: object) -> tuple[Lack, PackKind, str]:
    assert isinstance(found, Lacking), found
    return found.lack, found.kind, found.place


def without(name: str) -> list[Adopted]:
    return adopting(*(one for one in DEFAULT if str(one.named) != name))


def test_the_default_packs_make_a_law() -> None:
    found = law(adopting(*DEFAULT))

    assert isinstance(found, Law)
    assert (found.rules.reference, found.catalogue.reference) == ("SZ-DRAFT-82@1", "SZ-2026@2")
    assert found.packs == tuple(one.reference for one in DEFAULT)
    assert found.codes.lists.keys() == set(CodeListName)
    assert found.codes.bands.keys() == set(BandTableName)
    assert found.severities == {}


@pytest.mark.parametrize("place", Jurisdiction)
def test_every_jurisdictions_default_packs_make_a_law(place: Jurisdiction) -> None:
    packs = adopting(*adopted_by_default(place, shipped_shelf()))

    found = law(packs, place=place)

    assert isinstance(found, Law)
    assert (found.packs, found.rules, found.catalogue) == (
        shipped_law(place).packs, shipped_law(place).rules, shipped_law(place).catalogue,
    )  # fmt: skip


def test_the_same_packs_are_the_very_same_law() -> None:
    assert law(adopting(*DEFAULT)) is law(adopting(*DEFAULT)[::-1])


def measure(*packs: Pack) -> bytes:
    found = law(adopting(*packs))
    assert isinstance(found, Law), found
    return found.measure


def test_records_are_measured_by_all_packs_but_calendars() -> None:
    """A calendar of another year is no reason to look at every record again."""
    (years,) = shipped_shelf().referred("calendars/CN-MAINLAND-2027")
    (local,) = shipped_shelf().referred("calendars/HK-2026")
    known = measure(*DEFAULT)

    assert known == measure(*reversed(DEFAULT)) == measure(*DEFAULT, local)
    assert known == measure(*(one for one in DEFAULT if one != years))
    assert known != measure(*DEFAULT, GRADING)


def test_an_authority_that_adopted_nothing_leaves_its_parties_without_law() -> None:
    assert lack(law([])) == (Lack.NOT_ADOPTED, PackKind.RULES, "rules")


def test_what_another_jurisdiction_adopted_is_no_law_here() -> None:
    found = resolve({HK: adopting(*DEFAULT)}, SZ, NOON, shipped_shelf())

    assert lack(found) == (Lack.NOT_ADOPTED, PackKind.RULES, "rules")


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("rules/SZ-DRAFT-82", PackKind.RULES, "rules"),
        ("catalogue/SZ-2026", PackKind.CATALOGUE, "catalogue"),
        ("codes/REGIONS", PackKind.CODES, "codes/REGIONS"),
        ("codes/AMOUNT-BANDS", PackKind.CODES, "codes/AMOUNT-BANDS"),
        ("calendars/CN-MAINLAND-2026", PackKind.CALENDARS, "calendars/CN-MAINLAND-2026"),
    ],
)
def test_a_law_lacks_nothing(name: str, kind: PackKind, place: str) -> None:
    assert lack(law(without(name))) == (Lack.NOT_ADOPTED, kind, place)


def test_a_year_whose_calendar_nobody_adopted_begins_without_law() -> None:
    adopted = adopting(*DEFAULT)

    assert isinstance(law(adopted, datetime(2027, 12, 31, 15, 59, tzinfo=UTC)), Law)
    assert lack(law(adopted, datetime(2027, 12, 31, 16, tzinfo=UTC)))[2] == "calendars/CN-MAINLAND-2028"


def test_a_pack_that_is_adopted_and_not_at_hand_is_named_with_its_digest() -> None:
    second = open_pack(shipped_bytes("rules", "SZ-DRAFT-82").replace(b"version = 1", b"version = 2", 1), "x")
    found = law(adopting(*DEFAULT) + adopting(second, at=NOON + DAY, number=1), NOON + DAY)

    assert lack(found) == (Lack.NOT_INSTALLED, PackKind.RULES, "rules/SZ-DRAFT-82@2")
    assert isinstance(found, Lacking)
    assert found.digest == second.digest
    assert isinstance(
        law(
            adopting(*DEFAULT) + adopting(second, at=NOON + DAY, number=1),
            NOON + DAY,
            shipped_shelf().and_also([second]),
        ),
        Law,
    )


def test_other_bytes_under_the_adopted_name_are_not_used() -> None:
    adopted = without("rules/SZ-DRAFT-82")
    (rules,) = [one for one in DEFAULT if str(one.named) == "rules/SZ-DRAFT-82"]

    found = law(adopted + adopting(rules, digest=PackDigest(bytes(32))))

    assert lack(found) == (Lack.DIGEST_DIFFERS, PackKind.RULES, "rules/SZ-DRAFT-82@1")


def test_a_digest_adopted_under_another_name_is_not_used() -> None:
    (rules,) = [one for one in DEFAULT if str(one.named) == "rules/SZ-DRAFT-82"]
    found = law(without("rules/SZ-DRAFT-82") + adopting(rules, version=7))

    assert lack(found) == (Lack.DIGEST_DIFFERS, PackKind.RULES, "rules/SZ-DRAFT-82@7")


def test_a_contradiction_is_no_law_for_either_side() -> None:
    second = open_pack(shipped_bytes("rules", "SZ-DRAFT-82").replace(b"version = 1", b"version = 2", 1), "x")
    shelf = shipped_shelf().and_also([second])

    found = law(adopting(*DEFAULT) + adopting(second, number=1), shelf=shelf)

    assert lack(found) == (Lack.CONTRADICTED, PackKind.RULES, "rules/SZ-DRAFT-82, statements 0 and 1")


def test_two_rule_packs_at_once_are_no_law() -> None:
    raw = shipped_bytes("rules", "SZ-DRAFT-82").replace(b'id = "SZ-DRAFT-82"', b'id = "SZ-2023"')
    other = open_pack(raw, "x")

    found = law(adopting(*DEFAULT, other), shelf=shipped_shelf().and_also([other]))

    assert lack(found) == (Lack.UNFIT, PackKind.RULES, "rules")


def test_the_national_overlay_grades_records_once_it_is_adopted() -> None:
    found = law(adopting(*DEFAULT, GRADING))

    assert isinstance(found, Law)
    assert found.severities[Severity.GENERAL].max_months == 12
    assert found.rules == shipped_law().rules


def test_an_overlay_that_binds_elsewhere_is_no_law_here() -> None:
    packs = adopting(*adopted_by_default(HK, shipped_shelf()), GRADING)

    assert lack(law(packs, place=HK)) == (Lack.UNFIT, PackKind.RULES, "CN-NDRC-2026@1 binds")


def test_a_pack_is_not_applied_before_the_day_it_says() -> None:
    early = datetime(2026, 3, 1, tzinfo=UTC)

    assert lack(law(adopting(*DEFAULT, GRADING, at=early), early)) == (
        Lack.UNFIT,
        PackKind.RULES,
        "CN-NDRC-2026@1 the day",
    )


def test_a_catalogue_beyond_the_rules_is_no_law() -> None:
    longer = open_pack(shipped_bytes("catalogue", "SZ-2026").replace(b"years = 5", b"years = 6"), "x")
    assert isinstance(longer.content, Catalogue)
    adopted = without("catalogue/SZ-2026") + adopting(longer)

    found = law(adopted, shelf=shipped_shelf().and_also([longer]))

    assert lack(found) == (Lack.UNFIT, PackKind.CATALOGUE, "SZ-2026@2 entries.103.disclosure.years")


def test_a_catalogue_that_shows_without_consent_what_its_subject_must_be_warned_of_is_no_law() -> None:
    raw = shipped_bytes("rules", "SZ-DRAFT-82").replace(b'["501", "502"]', b'["301", "502"]')
    warning = open_pack(raw, "x")

    found = law(without("rules/SZ-DRAFT-82") + adopting(warning), shelf=shipped_shelf().and_also([warning]))

    assert lack(found) == (Lack.UNFIT, PackKind.CATALOGUE, "SZ-2026@2 entries.301.crosses")


@pytest.mark.parametrize(("place", "local"), [(SZ, None), (HK, "HK"), (Jurisdiction.MO, "MO")])
def test_the_calendar_of_the_place_stands_beside_the_mainlands(place: Jurisdiction, local: str | None) -> None:
    """A44: a node in Hong Kong or Macau has both to count by."""
    found = law(adopting(*adopted_by_default(place, shipped_shelf())), place=place)

    assert isinstance(found, Law)
    assert found.calendar.jurisdiction == "CN-MAINLAND"
    assert (found.local.jurisdiction if found.local else None) == local


def test_rules_that_name_a_purpose_of_no_list_are_no_law() -> None:
    raw = shipped_bytes("rules", "SZ-DRAFT-82").replace(b'"CROSS_BORDER_TRADE"', b'"CROSS_BORDER_TOURISM"')
    strange = open_pack(raw, "x")

    found = law(without("rules/SZ-DRAFT-82") + adopting(strange), shelf=shipped_shelf().and_also([strange]))

    assert lack(found) == (Lack.UNFIT, PackKind.RULES, "SZ-DRAFT-82@1 purposes_abroad.value")
