"""A change of law: every record is looked at again, what fell is withheld, and its holders are told (S 16-18, 31)."""

from functools import partial

from node.domain.correction import correct
from node.domain.crowd import END, ladder_of
from node.domain.intake import Admitted
from node.domain.journal import Act
from node.domain.operators import Role
from node.domain.records import Kind, Withheld
from node.domain.rows import Row
from node.domain.serving import withheld
from node.domain.vocabulary import load_vocabulary
from node.operations.change_records import Changed, CorrectRecord, correct_record
from node.operations.coarsen import extend_crowds
from node.operations.import_records import Import, import_rows
from node.operations.keep_clocks import mark_missed
from node.operations.ports import UnitOfWork
from node.operations.recheck_records import PORTION, Portion, next_portion, take_portion
from node.operations.record_rows import RecordRow
from node.operations.rows import NoticeRow
from node.operations.stored_records import record_from_row
from registry.norms.calendar import shanghai_day
from registry.norms.shelf import Pack, open_pack, shipped_shelf
from tests.fakes.exchange import EVERYTHING, SHOWN, answer, intake, load, ordered, question
from tests.fakes.members import DAY, Member
from tests.fakes.reading import renditions
from tests.fakes.world import BANK, World
from tests.unit.node.domain.given import PENALTY

(CATALOGUE,) = shipped_shelf().referred("catalogue/SZ-2026")
(PENALTY_TYPES,) = shipped_shelf().referred("codes/PENALTY-TYPES")
(GRADING,) = shipped_shelf().referred("rules/CN-NDRC-2026")


def changed(pack: Pack, by: int, *pairs: tuple[str, str], until: str | None = None) -> Pack:
    """The pack in a version so much higher, with some text changed, and with what follows `until` left out."""
    text = pack.raw.decode().replace(f"version = {pack.version}", f"version = {pack.version + by}", 1)
    for written, instead in pairs:
        assert written in text
        text = text.replace(written, instead)
    return open_pack(text[: None if until is None else text.index(until)].encode(), "changed")


MOST = 100
WITHOUT_PENALTIES = changed(CATALOGUE, 1, until="[entries.201]")
AS_BEFORE = changed(CATALOGUE, 2)
FEWER_TYPES = changed(PENALTY_TYPES, 1, ("FINE = ", "LEVY = "))


def other_penalties(written: str, instead: str) -> Pack:
    """A catalogue in which the entry of penalties says something else."""
    text = CATALOGUE.raw.decode()
    entry = text[text.index("[entries.201]") : text.index("[entries.202]")]
    assert written in entry
    return changed(CATALOGUE, 1, (entry, entry.replace(written, instead)))


def adopts(world: World, *packs: Pack) -> None:
    """Shenzhen adopts packs that everybody has at hand for tomorrow, and tomorrow has come."""
    shelf = (WITHOUT_PENALTIES, AS_BEFORE, FEWER_TYPES, *packs)
    world.sz.shelve(*shelf)
    world.agency.shelve(*shelf)
    world.sz.adopt(*packs, start=shanghai_day(world.clock() + DAY))
    world.hear()
    world.wait(days=1)


def rechecked(member: Member, portion: int = PORTION) -> int:
    """What the loop does, until there is nothing left to do: how many transactions it took."""
    taken = 0
    while one := member.read(lambda work: next_portion(work, member.facts(work), member.clock(), portion)):
        assert member.write(partial(_take, one, member))
        taken += 1
        assert taken < MOST, "it comes to no end"
    return taken


def _take(portion: Portion, member: Member, work: UnitOfWork) -> bool:
    return take_portion(work, portion, member.facts(work), member.context)


def record(world: World, kind: str = "201", place: int = 0) -> RecordRow:
    return world.agency.read(lambda work: work.records.page(kind, 0, 100))[place]


def notices(world: World) -> list[NoticeRow]:
    return list(world.agency.read(lambda work: work.notices.page(0, 100, only_open=False)))


def fell(world: World, row: RecordRow) -> tuple[str, str] | None:
    return world.agency.read(lambda work: work.standings.fallen([row.record_no])).get(row.record_no)


def test_the_first_look_finds_that_everything_is_as_it_should_be(world: World) -> None:
    before = world.agency.read(lambda work: work.records.page(None, 0, 100))

    assert rechecked(world.agency) == 2, "it begins, and looks at one portion"
    assert world.agency.read(lambda work: work.records.page(None, 0, 100)) == before
    assert (notices(world), rechecked(world.agency)) == ([], 0)
    look = world.agency.read(lambda work: work.rechecks.newest())
    assert look is not None
    assert (look.checked, look.fallen, look.done_at) == (len(before), 0, world.clock())


def look_alike(world: World, least: int) -> bool:
    """Whether so many enterprises here look alike once everything rare of their registrations is given up."""
    agency = world.agency
    ladder = ladder_of("101", EVERYTHING["101"], load_vocabulary())
    while extend_crowds(agency.store, ladder):
        pass

    def count(work: UnitOfWork) -> bool:
        number = work.crowds.ladders([ladder.digest])[ladder.digest].number
        return bool(work.crowds.crowded(number, [END], least))

    return agency.read(count)


def test_records_that_are_in_no_cell_are_put_into_theirs(world: World) -> None:
    rows = world.agency.read(lambda work: work.records.page("101", 0, 100))

    def forget(work: UnitOfWork) -> None:
        work.cells.put(dict.fromkeys((row.record_no for row in rows), None))
        work.commit()

    world.agency.write(forget)
    before = look_alike(world, 1)
    rechecked(world.agency)

    assert (before, look_alike(world, len(rows)), look_alike(world, len(rows) + 1)) == (False, True, False)


def test_what_falls_out_of_the_catalogue_is_withheld_and_its_holder_told(world: World) -> None:
    """S 16: the notice says that copies are void, and nothing else."""
    answer(world, question(world, SHOWN))
    rechecked(world.agency)
    before = record(world)

    adopts(world, WITHOUT_PENALTIES)
    rechecked(world.agency)

    after = record(world)
    assert (after.version, sorted(after.withheld)) == (before.version + 1, ["OUT_OF_CATALOGUE"])
    assert fell(world, after) == ("NOT_IN_CATALOGUE", "kind")
    (told,) = notices(world)
    assert (told.peer, told.record_no, told.effect, told.basis, told.version) == (
        BANK, after.record_no, "REPLACE", "LAW_CHANGED", 2,
    )  # fmt: skip


def test_no_new_version_goes_along_with_the_notice_of_what_fell(world: World) -> None:
    answer(world, question(world, SHOWN))
    adopts(world, WITHOUT_PENALTIES)
    rechecked(world.agency)

    world.tell(world.agency, world.bank)

    frames = world.agency.read(lambda work: work.sent_frames.page(0, 100))
    assert [row for _, row, _ in frames if row.request is None] == []
    assert [one.stage for one in notices(world)] == ["NOT_HELD"], "the answer never arrived, the notice did"


def test_a_later_catalogue_that_has_the_kind_again_shows_it_in_a_higher_version(world: World) -> None:
    answer(world, question(world, SHOWN))
    before = record(world)
    adopts(world, WITHOUT_PENALTIES)
    rechecked(world.agency)
    adopts(world, AS_BEFORE)
    rechecked(world.agency)

    after = record(world)
    assert (after.version, after.withheld, fell(world, after)) == (before.version + 2, frozenset(), None)
    assert [(one.basis, one.version) for one in notices(world)] == [("LAW_CHANGED", 2), ("LAW_ADMITS", 3)]


def test_a_code_that_is_in_its_list_no_more_leaves_a_record_without_foundation(world: World) -> None:
    adopts(world, FEWER_TYPES)
    rechecked(world.agency)

    row = record(world)
    assert row.withheld == {"UNFOUNDED"}
    assert fell(world, row) == ("MALFORMED", "penalty_types")


def test_a_shorter_period_is_written_into_the_record_and_a_longer_one_does_not_give_it_back(world: World) -> None:
    """S 31: copies say until when they may be held, so holders get the record anew."""
    answer(world, question(world, SHOWN))
    before = record(world)
    adopts(world, other_penalties("years = 5", "years = 3"))
    rechecked(world.agency)

    shorter = record(world)
    assert before.disclose_until is not None
    assert shorter.disclose_until == before.disclose_until.replace(year=before.disclose_until.year - 2)
    assert [one.basis for one in notices(world)] == ["LAW_CHANGED"]
    adopts(world, AS_BEFORE)
    rechecked(world.agency)
    assert record(world).disclose_until == shorter.disclose_until
    assert len(notices(world)) == 1


def test_where_the_law_grades_a_record_that_does_not_say_how_grave_it_was_falls(world: World) -> None:
    adopts(world, GRADING)
    rechecked(world.agency)

    row = record(world)
    assert row.withheld == {"SEVERITY_UNKNOWN"}
    assert fell(world, row) == ("PROVENANCE_MISSING", "severity")


def test_what_only_the_government_may_see_from_now_on_is_withheld(world: World) -> None:
    adopts(world, other_penalties('publicity = "BY_QUERY"', 'publicity = "GOVERNMENT_ONLY"'))
    rechecked(world.agency)

    row = record(world)
    reasons_now = withheld(record_from_row(row), world.clock(), world.agency.known().law)
    assert reasons_now == {Withheld.GOVERNMENT_ONLY}
    assert row.version == 2


def test_a_correction_that_the_law_admits_lifts_what_the_law_withheld(world: World) -> None:
    adopts(world, GRADING)
    rechecked(world.agency)
    agency, row = world.agency, record(world)
    law = agency.known().law
    admitted = correct(record_from_row(row), {"severity": "SERIOUS"}, intake(agency, Kind.PENALTY))
    assert isinstance(admitted, Admitted), admitted

    command = CorrectRecord(record_no=row.record_no, admitted=admitted, basis="OWN_ERROR", document="")
    done = agency.write(lambda work: correct_record(work, command, agency.operator, law, agency.context))

    assert isinstance(done, Changed), done

    assert (record(world).withheld, fell(world, row)) == (frozenset(), None)


def test_what_is_imported_by_an_older_law_while_records_are_looked_at_is_looked_at_too(world: World) -> None:
    """Another process opened its file under the law of before."""
    agency = world.agency
    order = ordered(agency, Role.RECORDS)
    late = Import(intake=intake(agency, Kind.PENALTY), order=order, law=agency.known().law)
    adopts(world, FEWER_TYPES)
    rechecked(agency)

    row = Row(2, PENALTY | {"decision_no": "late"})
    (done,) = import_rows([row], late, agency.store, agency.context)

    assert done.outcomes["new"] == 1

    assert rechecked(agency) == 2, "to the end once more, from the beginning"
    assert all(one.withheld for one in agency.read(lambda work: work.records.page("201", 0, 100)))


def test_a_file_that_says_something_else_of_a_fallen_record_lifts_what_the_law_withheld(world: World) -> None:
    adopts(world, GRADING)
    rechecked(world.agency)

    assert load(world, Kind.PENALTY, PENALTY | {"severity": "SERIOUS"})["updated"] == 1
    assert record(world).withheld == frozenset()
    assert rechecked(world.agency) == 0


def test_a_portion_is_taken_once_whoever_takes_it_and_not_by_another_law(world: World) -> None:
    agency = world.agency
    portion = agency.read(lambda work: next_portion(work, agency.facts(work), agency.clock()))
    assert portion is not None

    def taken() -> bool:
        return agency.write(lambda work: take_portion(work, portion, agency.facts(work), agency.context))

    assert (taken(), taken()) == (True, False)
    adopts(world, FEWER_TYPES)
    assert taken(), "to begin with another law"


def test_records_are_looked_at_in_portions_and_each_is_one_entry(world: World) -> None:
    adopts(world, WITHOUT_PENALTIES)
    rechecked(world.agency, portion=3)

    written = [one.detail for one in world.agency.journal() if one.entry.act is Act.RECHECK]
    assert [one["checked"] for one in written] == [3, 3, 1]
    assert sum(one["fallen"] for one in written) == 2
    assert all(len(one["root"]) == 64 for one in written)
    assert "penalty" not in str(written).lower()


def test_telling_holders_of_what_fell_is_timed(world: World) -> None:
    answer(world, question(world, SHOWN))
    adopts(world, WITHOUT_PENALTIES)
    rechecked(world.agency)

    running = world.agency.read(lambda work: work.clock_book.page(0, 100))
    (clock,) = [one for one in running if one.code == "D10_CORR_NOTIFY"]
    assert (clock.subject.peer, clock.start.on, clock.met_at) == (BANK, shanghai_day(world.clock()), None)
    assert list(world.agency.write(lambda work: mark_missed(work, world.agency.context))) == []


def test_without_a_law_in_force_nothing_is_looked_at(world: World) -> None:
    world.sz.shelve(AS_BEFORE)
    world.sz.adopt(AS_BEFORE, start=shanghai_day(world.clock() + DAY))
    world.hear()
    world.wait(days=1)

    assert world.agency.known().lacking is not None
    assert rechecked(world.agency) == 0


def test_a_record_without_foundation_looks_like_none(world: World) -> None:
    """Rule 4: whoever asks gets the same answer as about an enterprise that has no such record."""
    adopts(world, FEWER_TYPES)
    rechecked(world.agency)

    _, shown = renditions(world, answer(world, question(world, SHOWN)))
    assert [one.header.kind for one in shown] == ["101"]
