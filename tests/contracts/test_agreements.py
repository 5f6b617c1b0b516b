"""The ports Agreements, Consents and KnownPseudonyms."""

from node.operations.ports import Store
from tests.contracts.examples import AGREEMENT, BRN, USCC, consent, digest, document, short

OTHER = digest("another agreement")


def test_documents_come_back_in_order_of_arrival(store: Store) -> None:
    with store.write() as work:
        added = [document("terms"), document("terms of the other", OTHER), document("receipt")]

        assert [work.agreements.add(one) for one in added] == [True, True, True]
        assert work.agreements.documents(AGREEMENT) == [added[0], added[2]]
        assert work.agreements.documents(OTHER) == [added[1]]
        assert list(work.agreements.all()) == added


def test_the_very_bytes_are_kept_once_but_a_document_may_come_with_more_signatures(store: Store) -> None:
    signed_by_one, signed_by_both = document("terms", signatures="a"), document("terms", signatures="a b")
    with store.write() as work:
        kept = [work.agreements.add(one) for one in (signed_by_one, signed_by_one, signed_by_both)]

        assert kept == [True, False, True]
        assert work.agreements.documents(AGREEMENT) == [signed_by_one, signed_by_both]


def test_many_documents_are_all_given_in_order(store: Store) -> None:
    added = [document(f"document {number}") for number in range(1_234)]
    with store.write() as work:
        for one in added:
            work.agreements.add(one)

        assert list(work.agreements.all()) == added


def test_an_agreement_has_one_number_for_good(store: Store) -> None:
    with store.write() as work:
        first, other = work.agreements.number(AGREEMENT), work.agreements.number(OTHER)
        work.agreements.add(document("terms"))
        work.commit()

    with store.read() as work:
        assert (work.agreements.number(AGREEMENT), work.agreements.number(OTHER)) == (first, other)
        assert first != other


def test_consents_of_a_subject_come_newest_first(store: Store) -> None:
    first, second, other = consent("first"), consent("second"), consent("other", BRN)
    with store.write() as work:
        assert [work.consents.add(one) for one in (first, second, other)] == [True, True, True]

        assert work.consents.of_subject(AGREEMENT, *USCC) == [second, first]
        assert work.consents.of_subject(OTHER, *USCC) == []


def test_a_consent_is_kept_once(store: Store) -> None:
    with store.write() as work:
        assert [work.consents.add(consent("same")), work.consents.add(consent("same"))] == [True, False]
        assert len(work.consents.page(0, 10)) == 1


def test_consents_are_paged_in_ascending_number(store: Store) -> None:
    rows = [consent(f"consent {number}") for number in range(5)]
    with store.write() as work:
        for row in rows:
            work.consents.add(row)
        first = work.consents.page(0, 3)
        rest = work.consents.page(first[-1][0], 3)

        assert [row for _, row in [*first, *rest]] == rows
        numbers = [number for number, _ in [*first, *rest]]
        assert numbers == sorted(set(numbers))


def test_known_pseudonyms_are_those_of_one_agreement_and_epoch(store: Store) -> None:
    with store.write() as work:
        work.known_pseudonyms.add(AGREEMENT, 1, {USCC: short("first"), BRN: short("second")})
        work.known_pseudonyms.add(AGREEMENT, 2, {USCC: short("later")})
        work.known_pseudonyms.add(OTHER, 1, {BRN: short("elsewhere")})

        asked = [USCC, ("HK-CR", "1234567"), USCC]
        assert work.known_pseudonyms.lookup(AGREEMENT, 1, asked) == {USCC: short("first")}
        assert work.known_pseudonyms.lookup(AGREEMENT, 2, [USCC, BRN]) == {USCC: short("later")}
        assert work.known_pseudonyms.lookup(digest("unknown"), 1, [USCC]) == {}
        assert work.known_pseudonyms.lookup(AGREEMENT, 1, []) == {}


def test_evaluating_an_identifier_again_changes_nothing(store: Store) -> None:
    with store.write() as work:
        work.known_pseudonyms.add(AGREEMENT, 1, {USCC: short("one")})
        work.known_pseudonyms.add(AGREEMENT, 1, {USCC: short("one"), BRN: short("two")})

        assert work.known_pseudonyms.lookup(AGREEMENT, 1, [USCC, BRN]) == {
            USCC: short("one"),
            BRN: short("two"),
        }
