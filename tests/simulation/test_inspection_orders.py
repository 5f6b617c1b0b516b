"""Who may have evidence shown, of what, and that the node wrote down who looked before it showed anything."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from agreements.refusal import Refusal
from agreements.signatures import sign_document
from crypto import envelope
from node.domain.evidence.lines import DocumentLine, EntryLine, LeafLine
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.domain.journal import Act
from node.operations.asked import RefusedAnswer
from registry.parties import PartyId
from tests.fakes.evidence import cards, checked, fetched, inspection_order, read
from tests.fakes.founding import founded
from tests.fakes.members import Member
from tests.fakes.network import Network
from tests.fakes.propagation import EVERYBODY, HK, HOLDERS, HOME, SZ, agree, enterprise, load, push

FIRST, SECOND, _ = HOLDERS


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with founded(EVERYBODY, tmp_path_factory.mktemp("orders"), seed=2) as opened:
        load(opened, HOME, [enterprise(number) for number in range(3)])
        for holder in (FIRST, SECOND):
            push(opened, HOME, agree(opened, HOME, holder))
        opened.settle()
        yield opened


def agreement_with(network: Network, holder: PartyId) -> bytes:
    held = network.members[HOME].known().agreements.values()
    return next(one.digest for one in held if one.terms.recipient == holder)


def changed(by: Member, node: PartyId, **facts: object) -> bytes:
    """An order of an authority with other facts in it, signed by its document key."""
    raw = inspection_order(by, node)
    order = envelope.read_payload(envelope.parse(raw, ORDER_KIND), InspectionOrder)
    return sign_document(ORDER_KIND, msgspec.structs.replace(order, **facts), by.context.keys.document)


def refused(network: Network, sender: PartyId, order: bytes, node: PartyId = HOME) -> Refusal:
    answer = network.gateways[node].inspect(sender, order)
    assert isinstance(answer, RefusedAnswer)
    assert network.members[node].journal()[-1].leaf == answer.leaf
    return answer.refused.reason


def test_only_a_pinned_authority_orders_an_inspection(network: Network) -> None:
    bank = network.members[FIRST]

    assert refused(network, FIRST, inspection_order(bank, HOME)) is Refusal.PARTY_NOT_ELIGIBLE


def test_the_order_is_signed_by_the_document_key_of_the_authority_that_brings_it(network: Network) -> None:
    hong_kong = network.members[HK]

    assert refused(network, SZ, inspection_order(hong_kong, HOME)) is Refusal.SIGNATURE_INVALID
    assert refused(network, SZ, changed(network.members[SZ], HOME, authority=HK)) is Refusal.SIGNATURE_INVALID
    assert refused(network, SZ, b"{}") is Refusal.MALFORMED


def test_an_order_for_another_node_shows_nothing_here(network: Network) -> None:
    assert refused(network, SZ, inspection_order(network.members[SZ], FIRST)) is Refusal.SIGNATURE_INVALID


def test_an_order_works_in_its_time_and_for_a_day_at_most(network: Network) -> None:
    authority, now = network.members[SZ], network.clock().replace(microsecond=0)
    over = changed(authority, HOME, issued_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1))
    early = changed(authority, HOME, issued_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2))
    long = changed(authority, HOME, expires_at=now + timedelta(hours=25))

    assert [refused(network, SZ, order) for order in (over, early, long)] == [Refusal.AUTHORISATION_MISSING] * 3


def test_agreements_that_are_not_held_or_do_not_concern_the_authority_are_said_to_be_missing(network: Network) -> None:
    nowhere = inspection_order(network.members[SZ], HOME, [bytes(32)])
    unconcerned = inspection_order(network.members[SZ], FIRST, [bytes(32)])

    assert refused(network, SZ, nowhere) is Refusal.AGREEMENT_MISSING
    assert refused(network, SZ, unconcerned, FIRST) is Refusal.AGREEMENT_MISSING


def test_nothing_is_shown_before_the_inspection_is_published_and_it_is_journalled_once(network: Network) -> None:
    order = inspection_order(network.members[SZ], HOME)

    assert refused(network, SZ, order) is Refusal.NOT_READY
    assert refused(network, SZ, order) is Refusal.NOT_READY
    network.sequence(HOME)
    shown = network.gateways[HOME].inspect(SZ, order)

    assert not isinstance(shown, RefusedAnswer)
    digest = envelope.parse(order, ORDER_KIND).digest.hex()
    entries = [one for one in network.members[HOME].journal() if one.entry.act is Act.INSPECTION]
    assert [one.detail["order"] for one in entries].count(digest) == 1


def test_the_authority_that_lists_a_node_sees_every_entry(network: Network) -> None:
    shown = read(fetched(network, SZ, HOME))

    assert not [line for line in shown if isinstance(line, LeafLine)]


def test_an_order_for_one_agreement_opens_only_that_one(network: Network) -> None:
    agreement = agreement_with(network, FIRST)
    bundle = fetched(network, SZ, HOME, [agreement])
    shown = read(bundle)

    assert checked(bundle, cards(network, SZ, HK)).is_clean
    assert [line for line in shown if isinstance(line, LeafLine)]
    assert not [line for line in shown if isinstance(line, EntryLine) and SECOND in line.entry]
    assert len([line for line in shown if isinstance(line, DocumentLine)]) < len(
        [line for line in read(fetched(network, SZ, HOME)) if isinstance(line, DocumentLine)]
    )


def test_another_authority_sees_what_concerns_its_own_parties(network: Network) -> None:
    bundle = fetched(network, HK, HOME)
    acts = {line.entry for line in read(bundle) if isinstance(line, EntryLine)}

    assert checked(bundle, cards(network, SZ, HK)).is_clean
    assert not [entry for entry in acts if '"act":"records"' in entry]
    assert [entry for entry in acts if '"act":"push"' in entry]
