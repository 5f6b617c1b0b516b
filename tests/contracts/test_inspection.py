"""The ports Inspections and Exhibits: orders, and the signed documents of many journal entries at once."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from crypto import envelope
from crypto.errors import Malformed
from crypto.keys import Purpose, SigningKey
from node.domain.receipts import COPY_KIND, KIND
from node.operations.inspection_rows import CopyExhibit, InspectionRow
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import NoticeBatchRow, ReceivedNoticeRow
from registry.parties import PartyId
from tests.contracts.examples import (
    AGENCY,
    AGREEMENT,
    BANK,
    BUREAU,
    NOON,
    digest,
    minutes,
    notice,
    pushed,
    receipts,
    received,
    sent,
    short,
    shown,
    stock,
    stock_named,
)

ORDER = InspectionRow(
    digest=digest("order"), authority=PartyId("sz-pboc"), raw=b"signed order", leaf=digest("leaf"), at=NOON
)


def _name(batch: bytes) -> bytes:
    return envelope.parse_any(batch, (KIND, COPY_KIND)).digest


def _alias(record_no: int) -> bytes:
    return short(f"alias {record_no}")


def _put(work: UnitOfWork, peer: PartyId, first: int) -> bytes:
    raw = f"notices from {first} to {peer}".encode()
    batch = NoticeBatchRow(
        peer=peer,
        first=first,
        count=3,
        agreement=AGREEMENT,
        digest=digest(f"batch {first}"),
        raw=raw,
        frame=None,
        made_at=NOON,
        taken_at=None,
        trouble=None,
    )
    work.notice_streams.put(batch, [])
    return raw


def _take(work: UnitOfWork, home: PartyId, first: int) -> bytes:
    raw = f"notices from {first} of {home}".encode()
    told = ReceivedNoticeRow(
        home=home,
        sequence=first,
        notice=short(f"{home} {first}"),
        agreement=AGREEMENT,
        alias=short("alias"),
        effect="DELETE",
        version=2,
        due_at=minutes(60),
        received_at=NOON,
        stage="APPLIED",
    )
    work.notices_taken.take(home, raw, digest(f"batch {home} {first}"), [told])
    return raw


def test_an_order_comes_back_as_it_was_kept(store: Store) -> None:
    with store.write() as work:
        work.inspections.add(ORDER)
        work.commit()

    with store.read() as work:
        assert work.inspections.find(ORDER.digest) == ORDER
        assert work.inspections.find(digest("another order")) is None


def test_an_order_that_is_kept_already_stays_as_it_is(store: Store) -> None:
    with store.write() as work:
        work.inspections.add(ORDER)
        work.inspections.add(structs.replace(ORDER, leaf=digest("later leaf"), at=minutes(1)))

        assert work.inspections.find(ORDER.digest) == ORDER


def test_frames_that_were_sent_show_their_headers_and_records_in_the_order_of_the_ledger(store: Store) -> None:
    stocked = stock_named(store, 3)
    first, second, third = stocked.records
    number = stocked.agreement_no
    with store.write() as work:
        work.sent_frames.add([sent(name, number) for name in "fgh"])
        work.ledger.disclose([shown(number, third, "f"), shown(number, first, "f"), shown(number, second, "g")], NOON)
        work.ledger.disclose([shown(number, second, "f")], minutes(1))

        found = work.exhibits.frames([short("g"), short("f"), short("unknown"), short("f")])
        assert {frame: one.header for frame, one in found.items()} == {
            short("f"): b"header f",
            short("g"): b"header g",
        }
        assert [one.alias for one in found[short("f")].copies] == [_alias(one) for one in (third, first, second)]
        assert [one.alias for one in found[short("g")].copies] == [_alias(second)]
        assert {(one.refused, one.is_cancelled) for one in found.values()} == {(None, False)}


def test_a_frame_without_records_is_shown_too(store: Store) -> None:
    number = stock(store).agreement_no
    with store.write() as work:
        work.sent_frames.add([sent("f", number)])

        assert work.exhibits.frames([short("f")])[short("f")].copies == ()


def test_a_record_goes_by_its_alias_under_the_agreement_of_the_frame(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        work.sent_frames.add([sent("o", stocked.other_no, to=BUREAU)])
        work.ledger.disclose([shown(stocked.other_no, first, "o")], NOON)

        assert work.exhibits.frames([short("o")])[short("o")].copies == (
            CopyExhibit(alias=_alias(first), closed_by=None),
        )


def test_rows_of_the_ledger_name_the_batch_that_closed_them(store: Store) -> None:
    stocked = stock_named(store, 3)
    first, second, third = stocked.records
    number = stocked.agreement_no
    settled, ended = receipts("settled", COPY_KIND), receipts("ended", COPY_KIND)
    with store.write() as work:
        work.sent_frames.add([sent("f", number), sent("g", number)])
        work.ledger.disclose([shown(number, one, frame) for frame in "fg" for one in stocked.records], NOON)
        work.notices.add([notice("change", number, first)])
        work.settlements.settle(BANK, [short("change")], settled, minutes(1))
        work.settlements.end(BANK, [(short("g"), _alias(second))], ended, minutes(2))

        found = work.exhibits.frames([short("f"), short("g")])
        assert [one.closed_by for one in found[short("f")].copies] == [_name(settled), None, None]
        assert [one.closed_by for one in found[short("g")].copies] == [_name(settled), _name(ended), None]
        assert [one.alias for one in found[short("g")].copies] == [_alias(one) for one in (first, second, third)]
        assert work.exhibits.receipts([_name(settled), _name(ended)]) == {_name(settled): settled, _name(ended): ended}


def test_a_refused_frame_says_why_and_a_cancelled_one_that_it_is(store: Store) -> None:
    stocked = stock_named(store)
    first, second = stocked.records
    number = stocked.agreement_no
    with store.write() as work:
        names = ("refused", "cancelled", "taken")
        work.sent_frames.add([pushed(name, number, job=7, sequence=place) for place, name in enumerate(names)])
        work.ledger.disclose([shown(number, first, "cancelled"), shown(number, second, "taken")], NOON)
        work.pushed_frames.answered({short("refused"): "OVERSIZED", short("taken"): None}, minutes(1))
        work.sent_frames.withdraw([first, second], minutes(2))

        found = work.exhibits.frames([short(name) for name in names])
        assert [(found[short(name)].refused, found[short(name)].is_cancelled) for name in names] == [
            ("OVERSIZED", False),
            (None, True),
            (None, False),
        ]
        assert found[short("cancelled")].header == b"header cancelled"


def test_received_frames_are_shown_by_sender(store: Store) -> None:
    with store.write() as work:
        for frame in (received("f"), received("f", BUREAU), received("g"), received("h")):
            work.received_frames.add(frame, [])

        assert work.exhibits.received([short("g"), short("f"), short("unknown"), short("f")]) == {
            (AGENCY, short("f")): b"header f sz-agency",
            (BUREAU, short("f")): b"header f mo-bureau",
            (AGENCY, short("g")): b"header g sz-agency",
        }


def test_batches_of_receipts_are_found_by_the_digest_of_their_document(store: Store) -> None:
    stocked = stock(store)
    number = stocked.agreement_no
    frames = [sent(name, number) for name in "fg"]
    with store.write() as work:
        work.sent_frames.add(frames)
        for frame in frames:
            assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts("both"))
        work.notices.add([notice("change", number, stocked.records[0])])
        about_change = receipts("change", COPY_KIND)
        assert len(work.notices.advance(BANK, [(short("change"), "APPLIED", NOON)], about_change)) == 1

        names = [_name(receipts("both")), _name(about_change), digest("unknown"), _name(receipts("both"))]
        assert work.exhibits.receipts(names) == {names[0]: receipts("both"), names[1]: about_change}


def test_of_batches_that_differ_only_in_who_signed_the_first_is_shown(store: Store) -> None:
    number = stock(store).agreement_no
    frame = sent("f", number)
    batches = [receipts("one", key=SigningKey(Purpose.DOCUMENT, digest(f"key {place}"))) for place in range(3)]
    with store.write() as work:
        work.sent_frames.add([frame])
        for batch in batches:
            work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], batch)

        assert len({_name(batch) for batch in batches}) == 1
        assert work.exhibits.receipts([_name(batches[0])]) == {_name(batches[0]): batches[0]}


def test_what_is_no_batch_of_receipts_is_not_kept_as_one(store: Store) -> None:
    number = stock(store).agreement_no
    frame = sent("f", number)
    with store.write() as work:
        work.sent_frames.add([frame])

        for raw in (b"", b"receipts", receipts(kind="notice-batch")):
            with pytest.raises(Malformed):
                work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], raw)


def _ask(store: Store, port: str, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
    with store.read() as work:
        found = work.exhibits.notices(firsts) if port == "notices" else work.exhibits.told(firsts)
        return dict(found)


@pytest.mark.parametrize("port", ["notices", "told"])
def test_batches_of_notices_are_found_by_party_and_first_number(store: Store, port: str) -> None:
    stock(store)
    with store.write() as work:
        keep = _put if port == "notices" else _take
        raws = {(party, first): keep(work, party, first) for party in (BANK, BUREAU) for first in (1, 4, 10, 1 << 40)}
        work.commit()

    firsts = [(BUREAU, 4), (BANK, 1 << 40), (BANK, 10), (BANK, 2), (AGENCY, 1), (BANK, 10)]
    assert _ask(store, port, firsts) == {key: raws[key] for key in firsts[:3]}
    assert _ask(store, "told" if port == "notices" else "notices", firsts) == {}


def test_nothing_is_found_where_nothing_is_asked_for(store: Store) -> None:
    with store.read() as work:
        shown_here = work.exhibits

        assert shown_here.frames([]) == {}
        assert shown_here.received([]) == {}
        assert shown_here.receipts([]) == {}
        assert shown_here.notices([]) == {}
        assert shown_here.told([]) == {}


def test_a_whole_page_of_entries_is_asked_for_at_once(store: Store) -> None:
    stocked = stock_named(store, 20)
    number = stocked.agreement_no
    names = [f"frame {place}" for place in range(1_000)]
    with store.write() as work:
        work.sent_frames.add([sent(name, number) for name in names])
        work.ledger.disclose([shown(number, one, name) for one in stocked.records for name in names], NOON)
        work.commit()

    with store.read() as work:
        found = work.exhibits.frames([short(name) for name in names])
        expected = [_alias(one) for one in stocked.records]
        assert len(found) == len(names)
        assert all([copy.alias for copy in one.copies] == expected for one in found.values())
