"""The law at a node: what its authority adopted is applied, and without it nothing is disclosed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from agreements.refusal import Refusal
from crypto.checkpoint import NoteKey
from crypto.envelope import sign
from node.domain.records import Kind
from node.operations.asked import RefusedAnswer, RegistryPage
from node.operations.change_records import Changed, DeleteRecord, delete_record
from node.operations.keep_agreements import NotPossible, sign_agreement
from node.operations.keep_registry import Unfit, advance_mirror, renew_head
from registry.log import grow, issue_head
from registry.mirror import Advanced, NotAdvanced, Setback
from registry.norms.calendar import shanghai_day
from registry.norms.catalogue import Catalogue
from registry.norms.law import Lack, Law
from registry.norms.shelf import Pack, open_pack, shipped_shelf
from registry.parties import registry_origin
from registry.statements import STATEMENT_KIND, Adoption, Desk, Term, adopt, read_statement
from tests.fakes.exchange import SHOWN, answer, answers, charges, evaluation, load, question, reasons
from tests.fakes.members import Clock, Member
from tests.fakes.world import SZ, World
from tests.unit.node.domain.given import PENALTY

DAY = timedelta(days=1)
(RULES,) = shipped_shelf().referred("rules/SZ-DRAFT-82")
(CATALOGUE,) = shipped_shelf().referred("catalogue/SZ-2026")
(GRADING,) = shipped_shelf().referred("rules/CN-NDRC-2026")


def changed(pack: Pack, version: int, *pairs: tuple[str, str]) -> Pack:
    """The pack in another version, with some text changed."""
    text = pack.raw.decode().replace(f"version = {pack.version}", f"version = {version}", 1)
    for written, instead in pairs:
        assert written in text
        text = text.replace(written, instead)
    return open_pack(text.encode(), "changed")


SECOND = changed(RULES, 2)
STRICTER = changed(RULES, 2, ('value = ["FIN_INST", "STATE_ORGAN"]', 'value = ["STATE_ORGAN"]'))
WITHOUT_PENALTIES = open_pack(
    changed(CATALOGUE, 3).raw[: changed(CATALOGUE, 3).raw.index(b"[entries.201]")], "registrations only"
)


def announced(world: World, *packs: Pack) -> None:
    """Shenzhen adopts packs that it has at hand for tomorrow, and everybody hears it."""
    world.sz.shelve(*packs)
    world.sz.adopt(*packs, start=shanghai_day(world.clock() + DAY))
    world.hear()


def adopts(world: World, *packs: Pack) -> None:
    """The same, and tomorrow has come."""
    announced(world, *packs)
    world.wait(days=1)


def asked(world: World) -> list[str]:
    return reasons(answers(world, question(world, SHOWN)))


def law(member: Member) -> Law:
    facts = member.known()
    assert facts.lacking is None, facts.lacking
    return facts.law


def lack(member: Member) -> Lack | None:
    lacking = member.known().lacking
    return None if lacking is None else lacking.lack


def test_everybody_applies_what_the_own_authority_adopted(world: World) -> None:
    assert [one for one in law(world.agency).packs if one.startswith("rules/")] == ["rules/SZ-DRAFT-82@1"]
    assert [one for one in law(world.bank).packs if one.startswith("rules/")] == ["rules/HK@1", "rules/SZ-DRAFT-82@1"]


def test_a_newer_version_applies_from_its_day_on_without_any_message(world: World) -> None:
    world.agency.shelve(STRICTER)
    announced(world, STRICTER)
    batch = question(world, SHOWN, batch=True)
    assert reasons(answers(world, batch)) == ["Answered"]

    world.wait(days=1)

    assert law(world.agency).rules.reference == "SZ-DRAFT-82@2"
    (refused,) = answers(world, question(world, SHOWN, batch=True))
    assert isinstance(refused, RefusedAnswer)
    assert reasons([refused]) == ["BATCH_NOT_PERMITTED"]
    assert refused.refused.rule_pack == "SZ-DRAFT-82@2"
    assert law(world.bank).rules.reference == "SZ-DRAFT-82@1", "another authority's adoption is none here"


def test_a_kind_that_falls_out_of_the_catalogue_is_not_shown_any_more(world: World) -> None:
    """S 16: the catalogue in force decides, whichever a record was admitted under."""
    world.agency.shelve(WITHOUT_PENALTIES)
    assert asked(world) == ["Answered"]

    adopts(world, WITHOUT_PENALTIES)

    assert asked(world) == ["NOT_IN_CATALOGUE"]


@pytest.mark.parametrize(
    ("pack", "reason"),
    [(SECOND, Refusal.SCHEMA_VERSION), (changed(CATALOGUE, 3), Refusal.CATALOGUE_VERSION_UNKNOWN)],
    ids=["rules", "catalogue"],
)
def test_what_is_adopted_and_not_installed_stops_disclosure_and_says_what_to_install(
    world: World, pack: Pack, reason: Refusal
) -> None:
    adopts(world, pack)

    (refused,) = answers(world, question(world, SHOWN))
    assert isinstance(refused, RefusedAnswer)

    assert reasons([refused]) == [reason.value]
    assert refused.refused.detail == f"{pack.reference}: expected the adopted one installed, got none"
    assert reasons(charges(world, evaluation(world))) == [reason.value]
    lacking = world.agency.known().lacking
    assert lacking is not None
    assert (lacking.lack, lacking.digest) == (Lack.NOT_INSTALLED, pack.digest)
    world.agency.shelve(pack)
    assert asked(world) == ["Answered"]


def test_a_refusal_for_want_of_law_is_journalled(world: World) -> None:
    adopts(world, SECOND)
    before = len(world.agency.journal())

    asked(world)

    (written,) = world.agency.journal()[before:]
    assert written.told == ("query", "SCHEMA_VERSION")


def test_deletion_and_its_notices_go_on_without_a_law(world: World) -> None:
    """Rule 10 governs disclosure only."""
    agency = world.agency
    answer(world, question(world, SHOWN))
    adopts(world, SECOND)
    assert lack(agency) is Lack.NOT_INSTALLED

    command = DeleteRecord(record_no=agency.read(_first_record), basis="REVOKED", document="")
    operators = (agency.operator, agency.second)
    deleted = agency.write(lambda work: delete_record(work, command, operators, agency.facts(work).law, agency.context))

    assert isinstance(deleted, Changed), deleted
    world.tell(agency, world.bank)
    assert _stages(agency) == ["NOT_HELD"], "the answer never arrived, the notice did"


def _stages(home: Member) -> list[str]:
    return home.read(lambda work: [str(one.stage) for one in work.notices.page(0, 100, only_open=False)])


def _first_record(work: object) -> int:
    return int(work.records.page(None, 0, 1)[0].record_no)  # type: ignore[attr-defined]  # a unit of work, which a lambda does not say


def test_imports_go_on_without_a_law(world: World) -> None:
    adopts(world, SECOND)

    assert load(world, Kind.PENALTY, PENALTY | {"decision_no": "another"})["rejected"] == 0


def test_nothing_is_signed_without_a_law(world: World) -> None:
    agency, agreement = world.agency, world.agreement()
    adopts(world, SECOND)

    done = agency.write(lambda work: sign_agreement(work, agreement, agency.office(work)))

    assert isinstance(done, NotPossible)


def test_a_tampered_pack_is_as_good_as_none(world: World) -> None:
    """The digest says which pack it is: the same name and version over other bytes is not used."""
    world.agency.shelve(changed(RULES, 2, ("max_days = 90", "max_days = 900")))
    adopts(world, SECOND)

    assert asked(world) == ["SCHEMA_VERSION"]
    assert lack(world.agency) is Lack.DIGEST_DIFFERS


def test_an_authority_does_not_go_back_to_an_older_version(world: World) -> None:
    adopts(world, SECOND)

    back = world.sz.adopted(RULES, start=shanghai_day(world.clock() + DAY))

    assert isinstance(back, Unfit)
    assert "ROLLBACK" in back.why


def test_what_is_adopted_is_not_adopted_again_and_its_day_stays_free_for_the_next_version(world: World) -> None:
    """Else a slip of the pen, `@1` for `@2`, takes the day for ever: what is published cannot be called back."""
    day = shanghai_day(world.clock() + DAY)
    world.sz.shelve(SECOND)

    again = world.sz.adopted(RULES, start=day)

    assert isinstance(again, Unfit)
    assert "adopted already" in again.why
    assert not isinstance(world.sz.adopted(SECOND, start=day), Unfit)


def test_an_authority_does_not_adopt_what_leaves_its_parties_without_law(world: World) -> None:
    wider = changed(CATALOGUE, 3, ("years = 5", "years = 6"))
    assert isinstance(wider.content, Catalogue)
    world.sz.shelve(wider)

    done = world.sz.adopted(wider, start=shanghai_day(world.clock() + DAY))

    assert isinstance(done, Unfit)
    assert "no law would be in force" in done.why


@pytest.mark.parametrize(
    "pack",
    [changed(RULES, 1, ("default_days = 90", "default_days = 30")), SECOND],
    ids=["one version with two digests", "two versions from one day on"],
)
def test_a_stolen_key_that_contradicts_what_was_adopted_stops_disclosure_and_follows_neither(
    world: World, pack: Pack
) -> None:
    world.agency.shelve(pack)
    raw = _forge(world, lambda desk: adopt(desk, [pack], Term(start=shanghai_day(world.clock()))))

    assert isinstance(_publish(world, raw), Advanced)

    assert asked(world) == ["SCHEMA_VERSION"]
    assert lack(world.agency) is Lack.CONTRADICTED
    assert [one.place for one in world.agency.known().snapshot.conflicts] == ["rules/SZ-DRAFT-82, statements 0 and 2"]


def test_a_stolen_key_that_goes_back_to_an_older_version_stops_disclosure(world: World) -> None:
    world.agency.shelve(SECOND)
    adopts(world, SECOND)
    assert asked(world) == ["Answered"]
    raw = _forge(world, lambda desk: adopt(desk, [RULES], Term(start=shanghai_day(world.clock() + DAY))))

    assert isinstance(_publish(world, raw), Advanced)
    assert asked(world) == ["Answered"], "announced for tomorrow"
    assert isinstance(world.clock, Clock)
    world.clock.forward(days=1)
    assert isinstance(_publish(world), Advanced)
    _hear_hong_kong(world)

    assert asked(world) == ["SCHEMA_VERSION"]
    assert lack(world.agency) is Lack.CONTRADICTED


def test_what_an_authority_signs_for_another_jurisdiction_does_not_enter_any_mirror(world: World) -> None:
    def foreign(desk: Desk) -> bytes:
        own = read_statement(adopt(desk, [RULES], Term(start=shanghai_day(world.clock()))), desk.authority).statement
        assert isinstance(own, Adoption)
        return sign(STATEMENT_KIND, replace(own, jurisdiction="HK"), [desk.key])

    answered = _publish(world, _forge(world, foreign))

    assert isinstance(answered, NotAdvanced)
    assert (answered.setback, answered.field) == (Setback.MALFORMED, "statements.jurisdiction")
    assert asked(world) == ["Answered"]


def test_the_national_overlay_applies_to_shenzhen_once_its_authority_adopts_it(world: World) -> None:
    assert asked(world) == ["Answered"]

    adopts(world, GRADING)

    assert law(world.agency).severities
    assert not law(world.bank).severities
    assert asked(world) == ["Answered"], "a penalty that does not say how grave it was looks like none"
    row = PENALTY | {"decision_no": "graded"}
    assert _outcome(world, row) == "rejected"
    assert _outcome(world, row | {"severity": "GENERAL"}) == "new"


def _outcome(world: World, row: dict[str, str]) -> str:
    (outcome,) = [name for name, count in load(world, Kind.PENALTY, row).items() if count]
    return outcome


def _forge(world: World, write: Callable[[Desk], bytes]) -> bytes:
    mirror = world.agency.known().mirrors[SZ]
    sz = world.sz
    desk = Desk(authority=sz.card, key=sz.context.keys.document, number=len(mirror.statements), at=world.clock())
    return write(desk)


def _hear_hong_kong(world: World) -> None:
    hk = world.hk
    hk.write(lambda work: renew_head(work, hk.facts(work), hk.context))
    assert isinstance(world.follow(world.agency, hk), Advanced)


def _publish(world: World, *raws: bytes) -> Advanced | NotAdvanced:
    """Whoever has Shenzhen's keys puts statements into its log, and the agency is shown them."""
    agency, mirror = world.agency, world.agency.known().mirrors[SZ]
    frontier = grow(mirror.frontier, raws)
    assert world.sz.context.keys.registry is not None
    key = NoteKey(registry_origin(SZ), world.sz.context.keys.registry)
    page = RegistryPage(head=issue_head(frontier.size, frontier.root(), key, world.clock()), statements=raws)
    return agency.write(lambda work: advance_mirror(work, SZ, page, agency.facts(work), agency.context))
