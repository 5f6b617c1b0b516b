"""The node as its peers reach it: one unit of work each, and what cannot be written down is not shown."""

from collections.abc import Callable, Iterator

import pytest

from agreements.refusal import Refusal, Refused, refuse
from crypto.errors import Malformed
from crypto.pseudonym import blind, subject_input
from crypto.pseudonym_pool import PseudonymPool
from node.app.gateway import MOST_UNREAD_HEADS, NodeGateway
from node.operations.asked import Answered, EvaluationGranted, JournalProof, RefusedAnswer, RegistryPage
from node.operations.keep_journal import sequence_journal
from node.wire.methods import Method
from registry.parties import PartyId
from tests.fakes.exchange import SHOWN, evaluation, identifier, pseudonym, question, reasons
from tests.fakes.members import Member
from tests.fakes.serving import node_of
from tests.fakes.stores import FullStore
from tests.fakes.world import AGENCY, BANK, SZ, World
from tests.unit.node.operations.test_keep_agreements import ending

Make = Callable[..., NodeGateway]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes gateways of the world's members, under the world's clock."""
    made: list[NodeGateway] = []

    def of(member: Member, *, full: bool = False) -> NodeGateway:
        store = FullStore(member.store) if full else member.store
        pool = PseudonymPool(member.context.keys.pseudonym_seed, 0)
        made.append(NodeGateway(node_of(member, store), pool))
        return made[-1]

    yield of
    for gateway in made:
        gateway.close()


@pytest.fixture
def agency(make: Make, world: World) -> NodeGateway:
    return make(world.agency)


def certificate(member: Member) -> bytes:
    return member.card.certificate_sha256


def test_before_the_registry_was_read_nobody_is_known(agency: NodeGateway, world: World) -> None:
    found = agency.identify(certificate(world.bank), Method.QUERY)

    assert isinstance(found, Refused)
    assert found.reason is Refusal.PEER_UNKNOWN


def test_a_peer_is_who_the_registry_says_its_certificate_is(agency: NodeGateway, world: World) -> None:
    agency.now_knows(world.agency.known().snapshot)

    assert agency.identify(certificate(world.bank), Method.QUERY) == BANK
    assert agency.identify(certificate(world.sz), Method.QUERY) == SZ
    stranger = agency.identify(bytes(32), Method.QUERY)
    assert isinstance(stranger, Refused)
    assert stranger.reason is Refusal.PEER_UNKNOWN


def test_a_revoked_peer_is_not_served(agency: NodeGateway, world: World) -> None:
    world.revoke(world.hk, BANK)
    agency.now_knows(world.agency.known().snapshot)

    found = agency.identify(certificate(world.bank), Method.QUERY)

    assert isinstance(found, Refused)
    assert found.reason is Refusal.PEER_SUSPENDED


def test_queries_are_answered_under_the_newest_checkpoint(agency: NodeGateway, world: World) -> None:
    agency.now_publishes(b"newest")

    (given,) = agency.answer_queries([question(world, SHOWN)])

    assert isinstance(given, Answered)
    assert given.checkpoint == agency.newest_checkpoint() == b"newest"


def test_what_cannot_be_written_down_is_not_shown(make: Make, world: World) -> None:
    full, asked = make(world.agency, full=True), question(world, SHOWN)

    given = [*full.answer_queries([asked, asked]), *full.charge_evaluations([evaluation(world)])]

    assert reasons(given) == ["JOURNAL_UNAVAILABLE"] * 3
    assert all(isinstance(one, RefusedAnswer) and one.leaf == b"" for one in given)
    assert reasons(make(world.agency).answer_queries([asked])) == ["Answered"]


def test_an_evaluation_that_was_charged_unblinds_to_homes_own_pseudonym(agency: NodeGateway, world: World) -> None:
    blinding = blind([subject_input(SHOWN.scheme.value, SHOWN.value)])
    (granted,) = agency.charge_evaluations([evaluation(world, blinded=tuple(blinding.blinded))])
    assert isinstance(granted, EvaluationGranted)

    elements, proof = agency.evaluate(granted.agreement_id, granted.epoch, blinding.blinded).result()

    key = bytes.fromhex(world.agreement().terms.epochs[0].public_key)
    assert blinding.finalize(elements, proof, key) == [pseudonym(world, SHOWN)]


def test_what_is_no_element_of_the_group_is_not_evaluated(agency: NodeGateway) -> None:
    with pytest.raises(Malformed):
        agency.evaluate("0a" * 16, 1, [b"\xff" * 32]).result()


def test_documents_receipts_and_filings_are_taken_in_or_refused(agency: NodeGateway, make: Make, world: World) -> None:
    assert isinstance(agency.receive_document(BANK, ending(world.agreement(), world.bank)), bytes)
    assert reasons([agency.file_agreement(BANK, b"{}")]) == ["PARTY_NOT_ELIGIBLE"]
    assert reasons([make(world.sz).file_agreement(BANK, b"{}")]) == ["MALFORMED"]
    refused = agency.receive_receipts(BANK, b"{}")
    assert isinstance(refused, RefusedAnswer)
    assert refused.refused.reason is Refusal.MALFORMED


def test_only_an_authority_has_a_registry_to_read(agency: NodeGateway, make: Make, world: World) -> None:
    assert isinstance(make(world.sz).read_registry(0, 0), RegistryPage)
    assert reasons([agency.read_registry(0, 0)]) == ["PARTY_NOT_ELIGIBLE"]


def test_a_published_leaf_is_proven_to_any_peer_and_one_that_waits_is_not_ready(
    agency: NodeGateway, world: World
) -> None:
    leaf = world.agency.journal()[-1].leaf
    assert reasons([agency.prove_journal(BANK, leaf, 0)]) == ["NOT_READY"]

    world.agency.write(lambda work: sequence_journal(work, world.agency.context))

    assert isinstance(agency.prove_journal(BANK, leaf, 0), JournalProof)


def test_what_the_edge_refused_is_journalled_once_under_the_peers_name(agency: NodeGateway, world: World) -> None:
    before = len(world.agency.journal())

    answer = agency.refuse(BANK, "/creditport.v1.ExchangeService/Query", refuse(Refusal.OVERSIZED, "", "message"))

    (written,) = world.agency.journal()[before:]
    assert answer.leaf == written.leaf
    assert written.told == ("refused", "OVERSIZED")
    assert written.entry.counterparty == BANK
    assert written.detail["method"] == "/creditport.v1.ExchangeService/Query"


def test_checkpoints_of_peers_wait_to_be_read_and_a_flood_pushes_out_the_oldest(agency: NodeGateway) -> None:
    agency.saw_checkpoint(BANK, b"")
    for number in range(MOST_UNREAD_HEADS + 1):
        agency.saw_checkpoint(BANK, b"%d" % number)

    taken = agency.take_heads()

    assert (len(taken), taken[0]) == (MOST_UNREAD_HEADS, (BANK, b"1"))
    assert agency.take_heads() == []


def test_a_stranger_learns_nothing_of_an_agreement(agency: NodeGateway, world: World) -> None:
    absent = identifier(SHOWN.scheme, SHOWN.value)
    stranger = PartyId("stranger")
    asked = question(world, absent)

    given = agency.charge_evaluations([evaluation(world, peer=stranger)])

    assert asked.peer == BANK
    assert reasons(given) == ["PEER_UNKNOWN"]
    assert AGENCY not in str(given)
