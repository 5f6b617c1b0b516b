"""The ports Pseudonyms and Renditions."""

from datetime import date

from node.operations.ports import Store
from node.operations.rendition_rows import AliasRow
from tests.contracts.examples import BRN, NOON, USCC, deletion, record, rendition, short, stock, stock_named


def test_pseudonyms_lead_to_records_within_one_agreement_and_epoch(store: Store) -> None:
    stocked = stock(store)
    first, second = stocked.subjects
    with store.write() as work:
        index = work.pseudonyms
        rows = [(short("x"), first, 1), (short("y"), first, 3), (short("z"), second, 2)]
        index.add(stocked.agreement_no, 1, rows, 3)
        index.add(stocked.agreement_no, 2, [(short("later"), first, 1)], 1)
        registered, other = work.records.page(None, 0, 10)

        asked = [short("y"), short("z"), short("unknown"), short("z")]
        found = index.records(stocked.agreement_no, 1, asked, ["101"], NOON.date())
        assert found == {short("y"): [(3, registered)], short("z"): [(2, other)]}
        both = index.records(stocked.agreement_no, 1, [short("x"), short("y")], ["101", "201"], NOON.date())
        assert both == {short("x"): [(1, registered)], short("y"): [(3, registered)]}
        assert index.records(stocked.agreement_no, 2, asked, ["101"], NOON.date()) == {}
        assert index.records(stocked.agreement_no + 1, 1, asked, ["101"], NOON.date()) == {}
        assert index.records(stocked.agreement_no, 1, asked, ["201"], NOON.date()) == {}
        assert index.records(stocked.agreement_no, 1, asked, [], NOON.date()) == {}
        assert index.records(stocked.agreement_no, 1, [], ["101"], NOON.date()) == {}


def test_a_pseudonym_that_nobody_has_gives_nothing_of_its_neighbours(store: Store) -> None:
    """Before the first, between two and behind the last one; on every day, the last one there is among them."""
    stocked = stock(store, 1)
    middle = bytes([128]) * 16
    beside = [bytes(16), middle[:-1] + bytes([127]), middle[:-1] + bytes([129]), bytes([255]) * 16]
    with store.write() as work:
        work.records.add([record("without end", USCC), record("with one", USCC, kind="201")], NOON)
        _, *rows = work.records.page(None, 0, 10)
        work.pseudonyms.add(stocked.agreement_no, 1, [(middle, rows[0].subject_no, 1)], 1)
        work.pseudonyms.add(stocked.other_no, 1, [(beside[0], rows[0].subject_no, 1)], 1)

        for over in (date.min, NOON.date(), date.max):
            assert work.pseudonyms.records(stocked.agreement_no, 1, beside, ["101", "201"], over) == {}
        found = work.pseudonyms.records(stocked.agreement_no, 1, [*beside, middle], ["101", "201"], NOON.date())
        assert found == {middle: [(1, row) for row in rows]}


def test_what_is_over_by_a_day_is_not_even_read(store: Store) -> None:
    """Its period ends on 23 November 2031, in Shenzhen: the last day on which it is shown is the 22nd."""
    stocked = stock(store, 1)
    with store.write() as work:
        work.records.add([record("ends", USCC, kind="201"), record("has no end", USCC)], NOON)
        _, ends, endless = work.records.page(None, 0, 10)
        work.pseudonyms.add(stocked.agreement_no, 1, [(short("x"), ends.subject_no, 1)], 1)

        read = {
            day: work.pseudonyms.records(stocked.agreement_no, 1, [short("x")], ["101", "201"], date(2031, 11, day))
            for day in (21, 22, 23, 24)
        }

    both, one = {short("x"): [(1, ends), (1, endless)]}, {short("x"): [(1, endless)]}
    assert read == {21: both, 22: both, 23: one, 24: one}


def test_what_was_deleted_is_led_to_by_no_pseudonym(store: Store) -> None:
    stocked = stock(store, 1)
    with store.write() as work:
        work.pseudonyms.add(stocked.agreement_no, 1, [(short("x"), stocked.subjects[0], 1)], 1)
        work.changes.delete(deletion(stocked.records[0]))

        assert work.pseudonyms.records(stocked.agreement_no, 1, [short("x")], ["101"], NOON.date()) == {}


def test_pseudonyms_of_subjects_come_in_the_order_of_their_identifiers(store: Store) -> None:
    stocked = stock(store, 3)
    first, second, unnamed = stocked.subjects
    with store.write() as work:
        index = work.pseudonyms
        index.add(
            stocked.agreement_no, 1, [(short("y"), first, 9), (short("z"), second, 2), (short("x"), first, 10)], 10
        )
        index.add(stocked.agreement_no, 1, [(short("w"), first, 11)], 11)
        index.add(stocked.agreement_no, 2, [(short("later"), first, 9)], 9)
        index.add(stocked.other_no, 1, [(short("elsewhere"), first, 9)], 9)

        assert index.of_subjects(stocked.agreement_no, 1, [second, first, unnamed, first]) == {
            first: [(9, short("y")), (10, short("x")), (11, short("w"))],
            second: [(2, short("z"))],
        }
        assert index.of_subjects(stocked.agreement_no, 2, [first, second]) == {first: [(9, short("later"))]}
        assert index.of_subjects(stocked.agreement_no, 1, []) == {}


def test_keys_of_another_length_find_nothing_and_hide_nothing(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.pseudonyms.add(stocked.agreement_no, 1, [(short("x"), stocked.subjects[0], 7)], 7)

        asked = [b"", short("x")[:-1], short("x"), short("x") + b"\0"]
        found = work.pseudonyms.records(stocked.agreement_no, 1, asked, ["101"], NOON.date())
        assert {name: [identifier for identifier, _ in rows] for name, rows in found.items()} == {short("x"): [7]}


def test_identifiers_wait_until_they_are_indexed(store: Store) -> None:
    with store.write() as work:
        number = work.agreements.number(b"a" * 32)
        work.records.add([record("a", USCC, BRN), record("b", ("HK-CR", "1234567"))], NOON)
        waiting = work.pseudonyms.pending(number, 1, 10)
        first_two = work.pseudonyms.pending(number, 1, 2)
        work.pseudonyms.add(number, 1, [(short("x"), waiting[0][1], waiting[0][0])], first_two[-1][0])

        assert [one[2:] for one in waiting] == [USCC, BRN, ("HK-CR", "1234567")]
        assert waiting[0][1] == waiting[1][1] != waiting[2][1]
        assert first_two == waiting[:2]
        assert work.pseudonyms.pending(number, 1, 10) == waiting[2:]
        assert work.pseudonyms.pending(number, 2, 10) == waiting


def test_indexing_the_same_again_never_goes_back(store: Store) -> None:
    stocked = stock(store)
    rows = [(short("x"), stocked.subjects[0], 1)]
    with store.write() as work:
        work.pseudonyms.add(stocked.agreement_no, 1, rows, 2)
        work.pseudonyms.add(stocked.agreement_no, 1, rows, 1)

        assert work.pseudonyms.pending(stocked.agreement_no, 1, 10) == []


def test_an_index_is_ready_once_it_was_complete_and_stays_so(store: Store) -> None:
    stocked = stock(store)
    number = stocked.agreement_no
    with store.write() as work:
        before = work.pseudonyms.ready(number, 1)
        work.pseudonyms.add(number, 1, [(short("x"), stocked.subjects[0], 1)], 1)
        halfway = work.pseudonyms.ready(number, 1)
        work.pseudonyms.complete(number, 1)
        work.pseudonyms.add(number, 1, [(short("y"), stocked.subjects[1], 2)], 2)

        assert (before, halfway) == (False, False)
        assert work.pseudonyms.ready(number, 1)
        assert not work.pseudonyms.ready(number, 2)


def test_an_index_over_nothing_can_be_complete(store: Store) -> None:
    with store.write() as work:
        number = work.agreements.number(b"a" * 32)
        work.pseudonyms.complete(number, 1)

        assert work.pseudonyms.ready(number, 1)


def test_renditions_come_back_by_record_and_version(store: Store) -> None:
    stocked = stock(store)
    (first, second), number = stocked.records, stocked.agreement_no
    rows = [rendition(first, number), rendition(first, number, version=2), rendition(second, number)]
    later = rendition(first, number, version=2, epoch=2)
    with store.write() as work:
        work.renditions.add([*rows, later])

        assert work.renditions.of_records(number, 1, [first, second, first, 987]) == {
            (first, 1): rows[0],
            (first, 2): rows[1],
            (second, 1): rows[2],
        }
        assert work.renditions.of_records(number, 2, [first, second]) == {(first, 2): later}
        assert work.renditions.of_records(number + 1, 1, [first]) == {}


def test_a_record_has_one_alias_under_an_agreement_with_its_newest_wire_version(store: Store) -> None:
    stocked = stock(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        before = work.renditions.identities(number, [first, second])
        work.renditions.add([rendition(first, number), rendition(first, number, version=2)])
        work.renditions.add([rendition(first, number, version=1, epoch=2)])

        assert before == {}
        assert work.renditions.identities(number, [first, second, 987]) == {
            first: AliasRow(alias=short(f"alias {first}"), wire_version=2, record_version=2)
        }
        assert work.renditions.identities(stocked.other_no, [first, second]) == {}


def test_a_record_that_changed_gets_its_next_wire_version_under_one_agreement(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        work.renditions.supersede([(first, number, 2, 5)])
        work.renditions.supersede([])

        aliases = {one: short(f"alias {one}") for one in (first, second)}
        assert work.renditions.identities(number, [first, second]) == {
            first: AliasRow(alias=aliases[first], wire_version=2, record_version=5),
            second: AliasRow(alias=aliases[second], wire_version=1, record_version=1),
        }
        assert work.renditions.identities(stocked.other_no, [first])[first].wire_version == 1


def test_a_rendition_of_a_superseding_version_changes_neither_alias_nor_wire_version(store: Store) -> None:
    stocked = stock_named(store)
    first, number = stocked.records[0], stocked.agreement_no
    with store.write() as work:
        work.renditions.supersede([(first, number, 2, 2)])
        before = work.renditions.identities(number, [first])
        work.renditions.add([rendition(first, number, version=2)])

        assert work.renditions.identities(number, [first]) == before
        assert set(work.renditions.of_records(number, 1, [first])) == {(first, 1), (first, 2)}


def test_destroyed_renditions_are_gone_under_every_agreement_and_epoch_and_their_aliases_stay(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        work.renditions.add([rendition(first, number, version=2, epoch=2)])
        names = work.renditions.identities(number, [first, second])
        work.renditions.destroy([first, 987])

        assert set(work.renditions.of_records(number, 1, [first, second])) == {(second, 1)}
        assert work.renditions.of_records(number, 2, [first]) == {}
        assert set(work.renditions.of_records(stocked.other_no, 1, [first, second])) == {(second, 1)}
        assert work.renditions.identities(number, [first, second]) == names


def test_destroying_no_renditions_leaves_them_all(store: Store) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        work.renditions.destroy([])

        assert len(work.renditions.of_records(stocked.agreement_no, 1, stocked.records)) == 2
