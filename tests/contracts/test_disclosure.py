"""The ports Pseudonyms and Renditions."""

from node.operations.ports import Store
from node.operations.rows import LedgerRow
from tests.contracts.examples import BRN, NOON, USCC, minutes, record, rendition, short, stock


def test_pseudonyms_lead_to_subjects_within_one_agreement_and_epoch(store: Store) -> None:
    stocked = stock(store)
    first, second = stocked.subjects
    with store.write() as work:
        index = work.pseudonyms
        index.add(stocked.agreement_no, 1, [(short("x"), first), (short("y"), first), (short("z"), second)], 2)
        index.add(stocked.agreement_no, 2, [(short("later"), first)], 2)

        asked = [short("y"), short("z"), short("unknown"), short("z")]
        assert index.lookup(stocked.agreement_no, 1, asked) == {short("y"): first, short("z"): second}
        assert index.lookup(stocked.agreement_no, 2, asked) == {}
        assert index.lookup(stocked.agreement_no + 1, 1, asked) == {}
        assert index.lookup(stocked.agreement_no, 1, []) == {}


def test_keys_of_another_length_find_nothing_and_hide_nothing(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.pseudonyms.add(stocked.agreement_no, 1, [(short("x"), stocked.subjects[0])], 1)

        asked = [b"", short("x")[:-1], short("x"), short("x") + b"\0"]
        found = work.pseudonyms.lookup(stocked.agreement_no, 1, asked)
        assert found == {short("x"): stocked.subjects[0]}


def test_identifiers_wait_until_they_are_indexed(store: Store) -> None:
    with store.write() as work:
        number = work.agreements.number(b"a" * 32)
        work.records.add([record("a", USCC, BRN), record("b", ("HK-CR", "1234567"))], NOON)
        waiting = work.pseudonyms.pending(number, 1, 10)
        first_two = work.pseudonyms.pending(number, 1, 2)
        work.pseudonyms.add(number, 1, [(short("x"), waiting[0][1])], first_two[-1][0])

        assert [one[2:] for one in waiting] == [USCC, BRN, ("HK-CR", "1234567")]
        assert waiting[0][1] == waiting[1][1] != waiting[2][1]
        assert first_two == waiting[:2]
        assert work.pseudonyms.pending(number, 1, 10) == waiting[2:]
        assert work.pseudonyms.pending(number, 2, 10) == waiting


def test_indexing_the_same_again_never_goes_back(store: Store) -> None:
    stocked = stock(store)
    rows = [(short("x"), stocked.subjects[0])]
    with store.write() as work:
        work.pseudonyms.add(stocked.agreement_no, 1, rows, 2)
        work.pseudonyms.add(stocked.agreement_no, 1, rows, 1)

        assert work.pseudonyms.pending(stocked.agreement_no, 1, 10) == []


def test_an_index_is_ready_once_it_was_complete_and_stays_so(store: Store) -> None:
    stocked = stock(store)
    number = stocked.agreement_no
    with store.write() as work:
        before = work.pseudonyms.ready(number, 1)
        work.pseudonyms.add(number, 1, [(short("x"), stocked.subjects[0])], 1)
        halfway = work.pseudonyms.ready(number, 1)
        work.pseudonyms.complete(number, 1)
        work.pseudonyms.add(number, 1, [(short("y"), stocked.subjects[1])], 2)

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
        assert work.renditions.identities(number, [first, second]) == {first: (short(f"alias {first}"), 2)}


def test_every_disclosure_of_a_record_is_in_the_ledger(store: Store) -> None:
    stocked = stock(store)
    (first, second), number = stocked.records, stocked.agreement_no
    ledger = [
        LedgerRow(agreement_no=number, record_no=one, record_version=version, frame=short(frame))
        for one, version, frame in ((first, 1, "f"), (second, 1, "f"), (first, 1, "g"), (first, 2, "h"))
    ]
    with store.write() as work:
        work.renditions.disclose(ledger[:2], NOON)
        work.renditions.disclose(ledger[2:], minutes(1))
        work.renditions.disclose([], minutes(2))

        assert work.renditions.holders(first) == [ledger[0], ledger[2], ledger[3]]
        assert work.renditions.holders(987) == []
