"""What takes time, or others' keys: holders that are away, keys that were taken, cards renewed or not given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from crypto import envelope
from crypto.frame import KIND as FRAME
from crypto.frame import FrameHeader
from crypto.keys import Purpose, Suite
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import EntryLine, HeadLine, ReceiptsLine, StatementLine
from node.domain.receipts import KIND as RECEIPTS
from node.domain.receipts import Receipt, ReceiptBatch, Stage
from node.operations.keep_registry import revoke_party
from registry.mirror import Mirror
from registry.parties import ListedCard, PartyId
from registry.statements import RevocationReason
from tests.fakes.evidence import cards, checked, fetched, read
from tests.fakes.founding import copied, founded
from tests.fakes.hostile import Book, entry_again
from tests.fakes.members import Clock, Part
from tests.fakes.network import Network
from tests.fakes.propagation import HK, HOME, SZ, address, agree, corrected, deleted, enterprise, load, push
from tests.simulation import test_evidence_exchange, test_evidence_together, test_evidence_tricks
from tests.simulation.held import rows
from tests.simulation.scene import wrongs
from tests.simulation.two_ways import BANK, PARTS

FOUND_HERE = {Wrong.NOTICE_LATE, Wrong.NOTICE_UNANSWERED, Wrong.RECEIPT_KEY_REVOKED}


@dataclass(frozen=True, slots=True)
class Begun:
    """A folder of a network at rest, in which the bank has a copy of each of two records, and what time it is there."""

    folder: Path
    agreement: bytes


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp("breaches")
    with founded(PARTS, folder, seed=1) as network:
        agreement = agree(network, HOME, BANK)
        load(network, HOME, [enterprise(number) for number in range(2)])
        push(network, HOME, agreement)
        network.settle()
        return Begun(folder, agreement)


@pytest.fixture
def network(begun: Begun, tmp_path: Path) -> Iterator[Network]:
    with copied(begun.folder, PARTS, tmp_path, seed=2) as opened:
        opened.wait(hours=1)
        yield opened


def book(network: Network, node: PartyId = HOME) -> Book:
    """What a node shows to its own authority now."""
    bundle = fetched(network, SZ if node == HOME else HK, node)
    return Book(network.members[node], tuple(read(bundle)))


def check(network: Network, bundle: bytes, *authorities: PartyId) -> Report:
    return checked(bundle, cards(network, *(authorities or (SZ, HK))))


def findings(network: Network, *nodes: PartyId) -> set[Wrong]:
    return wrongs([check(network, book(network, node).signed()) for node in nodes or (HOME, BANK)])


def bustle(network: Network) -> None:
    for _ in range(4):
        network.run()
        network.erase()


# Who is away


def test_a_notice_that_nobody_followed_for_a_week_is_a_finding_and_followed_then_it_is_late(network: Network) -> None:
    network.weather.down.add(BANK)
    deleted(network, HOME, 1)
    bustle(network)
    network.wait(days=2)
    soon = findings(network, HOME)
    network.wait(days=5)
    unanswered = findings(network, HOME)
    network.settle()
    late = findings(network, HOME)

    assert soon == set()
    assert unanswered == {Wrong.NOTICE_UNANSWERED}
    assert late == {Wrong.NOTICE_LATE}


def test_a_notice_that_was_not_even_sent_is_missed_when_it_is_due(network: Network) -> None:
    deleted(network, HOME, 1)
    network.wait(days=2)
    soon = findings(network, HOME)
    network.wait(days=5)

    assert soon == set()
    assert findings(network, HOME) == {Wrong.NOTICE_MISSING}


def test_a_frame_without_a_receipt_is_a_finding_after_a_day(network: Network, begun: Begun) -> None:
    network.weather.down.add(BANK)
    load(network, HOME, [enterprise(7)])
    push(network, HOME, begun.agreement)
    bustle(network)
    network.wait(hours=23)
    soon = findings(network, HOME)
    network.wait(hours=2)

    assert soon == set()
    assert findings(network, HOME) == {Wrong.RECEIPT_MISSING}


# Whose keys were taken


def revoke(network: Network, reason: RevocationReason, party: PartyId = BANK, by: PartyId = HK) -> None:
    authority = network.members[by]
    stated = authority.write(
        lambda work: revoke_party(work, party, reason, authority.facts(work), authority.settings, authority.context)
    )
    assert isinstance(stated, Mirror), stated
    network.hear()


def unreceipted(network: Network, begun: Begun) -> FrameHeader:
    """A frame that was sent, and of which no receipt came."""
    network.weather.down.add(BANK)
    load(network, HOME, [enterprise(7)])
    push(network, HOME, begun.agreement)
    bustle(network)
    (*_, (raw,)) = rows(network.members[HOME].database, "SELECT header FROM sent_frames ORDER BY number")
    return envelope.read_payload(envelope.parse(raw, FRAME), FrameHeader)


def receipt(network: Network, header: FrameHeader, dated_back: timedelta) -> None:
    """A receipt of it, signed with the bank's document key, by whoever has that."""
    at = (network.clock.at - dated_back).replace(microsecond=0)
    raw = rows(network.members[HOME].database, "SELECT header FROM sent_frames ORDER BY number DESC LIMIT 1")[0][0]
    one = Receipt(
        at=at, frame=header.frame, header=envelope.parse(raw, FRAME).digest.hex(), journal_leaf="0" * 64,
        stage=Stage.RECEIVED,
    )  # fmt: skip
    batch = ReceiptBatch(holder=BANK, home=HOME, issued_at=at, receipts=(one,), suite=Suite.ONE)
    signed = envelope.sign(RECEIPTS, batch, [network.members[BANK].context.keys.document])
    network.gateways[HOME].receive_receipts(BANK, signed)


@pytest.mark.parametrize("dated_back", [timedelta(0), timedelta(days=1)])
def test_a_receipt_by_a_key_that_was_taken_does_not_count_however_it_is_dated(
    network: Network, begun: Begun, dated_back: timedelta
) -> None:
    header = unreceipted(network, begun)
    network.wait(hours=2)
    revoke(network, RevocationReason.KEY_COMPROMISED)
    network.wait(hours=2)
    receipt(network, header, dated_back)

    assert findings(network, HOME) == {Wrong.RECEIPT_KEY_REVOKED}


def test_receipts_from_before_the_keys_were_taken_still_count(network: Network, begun: Begun) -> None:
    receipt(network, unreceipted(network, begun), timedelta(0))
    network.wait(hours=2)
    revoke(network, RevocationReason.KEY_COMPROMISED)
    network.wait(hours=48)

    assert findings(network, HOME) == set()


def test_receipts_of_a_party_that_left_still_count(network: Network, begun: Begun) -> None:
    header = unreceipted(network, begun)
    revoke(network, RevocationReason.LEFT)
    network.wait(hours=2)
    receipt(network, header, timedelta(0))

    assert findings(network, HOME) == set()


def test_a_receipt_whose_entry_is_dated_back_is_judged_by_the_newest_time_before_it(
    network: Network, begun: Begun
) -> None:
    header = unreceipted(network, begun)
    revoke(network, RevocationReason.KEY_COMPROMISED)
    network.wait(hours=2)
    load(network, HOME, [enterprise(8)])
    receipt(network, header, timedelta(0))
    shown = book(network)
    at = shown.behind(ReceiptsLine, nth=-1)
    back = entry_again(shown.at(at, EntryLine), at=network.clock.at - timedelta(days=1))

    assert wrongs([check(network, shown.putting({at: back}).signed())]) == {Wrong.RECEIPT_KEY_REVOKED}


def test_a_frame_to_a_party_that_is_revoked_is_a_finding(network: Network) -> None:
    revoke(network, RevocationReason.UNLAWFUL_CONDUCT)
    network.wait(hours=3)
    at = network.clock.at.replace(microsecond=0)
    shown = book(network).once_more(time=at, push_sequence=2).signed()

    assert wrongs([check(network, shown)]) == {Wrong.FRAME_PARTY_NOT_ADMITTED}


def test_who_is_revoked_and_has_long_heard_no_authority_is_inspected_all_the_same(network: Network) -> None:
    """S 80: evidence discloses no record, so nothing stops it that stops disclosure."""
    revoke(network, RevocationReason.UNLAWFUL_CONDUCT, HOME, SZ)
    network.clock.forward(days=3)

    shown = read(fetched(network, SZ, HOME))

    assert not network.members[HOME].known().snapshot.listings[HOME].is_active
    assert [line for line in shown if isinstance(line, ReceiptsLine)]


def test_an_older_log_does_not_hide_that_a_party_is_revoked(network: Network) -> None:
    before = book(network)
    revoke(network, RevocationReason.UNLAWFUL_CONDUCT)
    network.wait(hours=3)
    at = network.clock.at.replace(microsecond=0)
    after = book(network).once_more(time=at, push_sequence=2)
    kept = [one for one in before.lines if isinstance(one, StatementLine | HeadLine)]
    rest = [one for one in after.lines[1:] if not isinstance(one, StatementLine | HeadLine)]
    older = Book(after.node, (after.lines[0], *kept, *rest)).signed()

    assert wrongs([check(network, older)]) == {Wrong.FRAME_PARTY_NOT_ADMITTED}


def test_a_frame_under_an_agreement_that_has_run_out_is_a_finding(network: Network) -> None:
    network.wait(days=361)
    at = network.clock.at.replace(microsecond=0)
    shown = book(network).once_more(time=at, push_sequence=2).signed()

    assert wrongs([check(network, shown)]) == {Wrong.FRAME_NOT_IN_FORCE, Wrong.FRAME_OUTSIDE_AGREEMENT}


# Whose card was renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Part):
    """A party with other keys and a newer card."""

    def secret(self, purpose: Purpose) -> bytes:
        return sha256(f"{self.party}/{purpose}/2".encode()).digest()

    def card(self, at: datetime, serial: int = 2) -> ListedCard:
        return Part.card(self, at, serial)


@pytest.mark.parametrize("party", [HOME, BANK])
@pytest.mark.parametrize("taken", [False, True])
def test_a_party_whose_card_was_renewed_is_clean(
    network: Network, begun: Begun, party: PartyId, *, taken: bool
) -> None:
    change(network, 1)
    authority = SZ if party == HOME else HK
    network.wait(minutes=1)
    if taken:
        revoke(network, RevocationReason.KEY_COMPROMISED, party, authority)
        network.wait(hours=2)
    renew(network, party, authority)
    load(network, HOME, [enterprise(8)])
    push(network, HOME, begun.agreement)
    network.settle()
    change(network, 2)
    deleted(network, HOME, 1)
    network.settle()
    network.wait(days=9)

    assert findings(network) == set()


def change(network: Network, record: int) -> None:
    corrected(network, HOME, record, {"status": "REVOKED", "address": address(record, 1)})
    network.settle()


def renew(network: Network, party: PartyId, authority: PartyId) -> None:
    old = network.close(party)
    network.open(Renewed(party=party, party_class=old.party_class, jurisdiction=old.jurisdiction))
    network.members[authority].admit(network.members[party].card)
    network.wait(minutes=5)


# Whose clock is wrong


@dataclass(slots=True)
class Skewed(Clock):
    """A clock that is always ahead of another by a span, or behind it."""

    true: Clock
    by: timedelta

    def __call__(self) -> datetime:
        return self.true() + self.by


@pytest.mark.parametrize("party", [HOME, BANK, SZ, HK])
@pytest.mark.parametrize("seconds", [-45, 45])
def test_clocks_that_differ_by_less_than_a_minute_are_no_finding(
    network: Network, begun: Begun, party: PartyId, seconds: int
) -> None:
    true = network.clock
    network.clock = Skewed(at=true.at, true=true, by=timedelta(seconds=seconds))
    network.restart(party)
    network.clock = true
    network.wait(hours=1)
    load(network, HOME, [enterprise(8)])
    push(network, HOME, begun.agreement)
    change(network, 1)
    deleted(network, HOME, 2)
    network.settle()
    network.wait(days=9)

    assert findings(network) == set()


# Which cards were given


@pytest.mark.parametrize("node", [HOME, BANK])
@pytest.mark.parametrize("given", [SZ, HK])
def test_without_a_card_it_cannot_be_checked_and_nobody_is_accused(
    network: Network, node: PartyId, given: PartyId
) -> None:
    deleted(network, HOME, 1)
    network.settle()
    network.wait(days=9)
    report = check(network, book(network, node).signed(), given)

    assert report.findings == ()
    assert report.hindrance
    assert not report.is_clean


def test_without_the_card_of_who_ordered_it_an_inspection_cannot_be_checked(network: Network) -> None:
    report = check(network, fetched(network, HK, HOME), SZ)

    assert report.findings == ()
    assert report.hindrance


def test_an_authority_that_nobody_knows_changes_nothing(network: Network) -> None:
    shown = book(network)
    stranger = strange(network)

    assert check(network, shown.adding(*stranger, at=1).signed()).is_clean


def test_behind_an_authority_that_nobody_knows_nothing_is_hidden(network: Network) -> None:
    network.wait(days=2)
    shown = book(network)
    at = shown.place(ReceiptsLine)
    report = check(network, shown.without(at - 1, at).adding(*strange(network), at=1).signed())

    assert wrongs([report]) == {Wrong.RECEIPT_MISSING}


def strange(network: Network) -> Sequence[StatementLine | HeadLine]:
    """The log of an authority whose card was not given: Hong Kong's, under another name."""
    lines = [one for one in book(network).lines if isinstance(one, StatementLine | HeadLine) and one.authority == HK]
    return [msgspec.structs.replace(one, authority="mo-authority") for one in lines]


def test_every_kind_of_finding_is_reached_by_a_trick() -> None:
    tricks = [*test_evidence_tricks.TRICKS, *test_evidence_exchange.TRICKS, *test_evidence_together.TRICKS]

    assert {wrong for _, wrong, _ in tricks} | FOUND_HERE == set(Wrong)
