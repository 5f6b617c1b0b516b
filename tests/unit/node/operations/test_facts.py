"""The facts that decisions are made of: reloaded exactly when they changed, and stale when nobody was heard."""

from datetime import datetime, timedelta

from agreements.termination import Ending
from crypto.checkpoint import NoteKey
from crypto.envelope import sign
from node.domain.receipts import KIND, ReceiptBatch
from node.domain.records import Kind
from node.operations.asked import RegistryPage
from node.operations.build_index import IndexNeeded, extend_index, indexes_needed
from node.operations.facts import heard_authorities, is_registry_fresh, load_facts
from node.operations.keep_agreements import receive_document, terminate_agreement
from node.operations.keep_registry import advance_mirror
from node.operations.take_receipts import take_receipts
from registry.log import grow, issue_head
from registry.norms.calendar import due_end, shanghai_day
from registry.parties import PartyId, registry_origin
from registry.snapshot import Standing
from registry.statements import Desk, RevocationReason, revoke
from tests.fakes.exchange import SHOWN, answers, charges, done, evaluation, filed, index, load, question, reasons
from tests.fakes.members import Clock, Member
from tests.fakes.world import AGENCY, BANK, HK, SZ, World
from tests.unit.node.domain.given import REGISTRATION
from tests.unit.node.operations.test_keep_agreements import ending


def moved(world: World, **span: float) -> None:
    """Let time pass without anybody hearing the authorities."""
    assert isinstance(world.clock, Clock)
    world.clock.forward(**span)


def test_the_facts_stay_the_same_object_while_nothing_changes(world: World) -> None:
    first = world.agency.known()
    question(world, SHOWN)
    answers(world, question(world, SHOWN))
    world.wait(minutes=1)

    assert world.agency.known() is first


def test_an_agreement_document_makes_the_facts_be_read_again(world: World) -> None:
    first, agency = world.agency.known(), world.agency
    agency.write(
        lambda work: done(terminate_agreement(work, world.agreement(), Ending.END_OF_COOPERATION, agency.office(work)))
    )

    assert agency.known() is not first
    assert agency.known().agreements[world.agreement().digest].terminated_at == world.clock()


def test_another_cache_on_the_same_database_sees_the_change_in_its_next_unit(world: World) -> None:
    """Two processes share a database: the generation number tells each of the other's changes."""
    other = Member.open(world.agency.part, world.agency.database, world.clock, world.clock(), seed=9)
    try:
        agency = world.agency
        assert other.known().agreements.keys() == agency.known().agreements.keys()
        agency.write(
            lambda work: done(
                terminate_agreement(work, world.agreement(), Ending.END_OF_COOPERATION, agency.office(work))
            )
        )

        (seen,) = other.known().agreements.values()
        assert seen.terminated_at is not None
    finally:
        other.close()


def test_an_announced_effect_begins_on_its_time_without_any_message(world: World) -> None:
    begins = world.clock() + timedelta(minutes=30)
    _announce_revocation(world, begins)
    before = world.agency.known()
    assert (before.good_until, _standing(world)) == (begins, Standing.ADMITTED)

    moved(world, minutes=29)
    assert world.agency.known() is before
    moved(world, minutes=1)

    assert _standing(world) is Standing.REVOKED
    assert world.agency.known().good_until == due_end(shanghai_day(world.clock()))
    assert world.agency.known().generation == before.generation


def _announce_revocation(world: World, begins: object) -> None:
    """A revocation that takes effect later, written into Hong Kong's log and heard by everybody."""

    assert isinstance(begins, datetime)
    hk, agency = world.hk, world.agency
    mirror = agency.known().mirrors[HK]
    desk = Desk(authority=hk.card, key=hk.context.keys.document, number=len(mirror.statements), at=world.clock())
    raw = revoke(desk, BANK, RevocationReason.KEY_COMPROMISED, begins)
    frontier = grow(mirror.frontier, [raw])
    assert hk.context.keys.registry is not None
    key = NoteKey(registry_origin(HK), hk.context.keys.registry)
    page = RegistryPage(head=issue_head(frontier.size, frontier.root(), key, world.clock()), statements=(raw,))
    agency.write(lambda work: advance_mirror(work, HK, page, agency.facts(work), agency.context))


def _standing(world: World) -> Standing:
    listing = world.agency.known().snapshot.party(BANK)
    assert listing is not None
    return listing.status


def test_an_authority_is_heard_for_an_hour_and_a_minute(world: World) -> None:
    def heard() -> frozenset[PartyId]:
        agency = world.agency
        return agency.read(lambda work: heard_authorities(work, agency.facts(work), agency.settings, world.clock()))

    assert heard() == {SZ, HK}
    moved(world, hours=1, minutes=1)
    assert heard() == {SZ, HK}
    moved(world, seconds=1)
    assert heard() == frozenset()


def test_a_silent_authority_stops_its_own_parties_and_nobody_elses(world: World) -> None:
    facts = world.agency.known()

    assert is_registry_fresh(frozenset({HK}), facts, (BANK,))
    assert not is_registry_fresh(frozenset({HK}), facts, (AGENCY, BANK))
    assert is_registry_fresh(frozenset({SZ, HK}), facts, (AGENCY, BANK))
    assert is_registry_fresh(frozenset(), facts, (PartyId("stranger"),))
    assert not is_registry_fresh(frozenset({SZ, HK}), facts, ())


def test_under_stale_heads_nothing_is_disclosed_and_everything_else_goes_on(world: World) -> None:
    asked, agency = question(world, SHOWN), world.agency
    answers(world, asked)
    declared = ending(world.agreement(), world.bank)
    moved(world, hours=2)

    assert reasons(answers(world, question(world, SHOWN))) == ["REGISTRY_STALE"]
    assert reasons(charges(world, evaluation(world))) == ["REGISTRY_STALE"]
    received = agency.write(lambda work: receive_document(work, BANK, declared, agency.facts(work), agency.context))
    assert isinstance(received, bytes)
    receipts = agency.write(
        lambda work: take_receipts(work, BANK, _no_receipts(world), agency.facts(work), agency.context)
    )
    assert receipts is None


def _no_receipts(world: World) -> bytes:
    batch = ReceiptBatch(holder=BANK, home=AGENCY, issued_at=world.clock(), receipts=(), suite=1)
    return sign(KIND, batch, [world.bank.context.keys.document])


def test_what_was_stored_restores_to_what_was_known(world: World) -> None:
    kept, agency = world.agency.known(), world.agency

    again = agency.read(lambda work: load_facts(work, agency.settings, kept.as_of))

    assert again == kept


def test_an_index_is_needed_once_an_agreement_of_ours_is_filed_and_only_at_home(admitted: World) -> None:
    assert indexes_needed(admitted.agency.known(), AGENCY, admitted.clock()) == []
    agreement = filed(admitted)

    needed = [
        IndexNeeded(agreement=agreement.digest, agreement_id=agreement.terms.agreement, epoch=number)
        for number in (1, 2)
    ]
    known = admitted.agency.known()
    assert indexes_needed(known, AGENCY, admitted.clock()) == needed[:1]
    assert indexes_needed(known, AGENCY, admitted.clock() + timedelta(days=100)) == needed[1:]
    assert indexes_needed(known, AGENCY, admitted.clock() + timedelta(days=200)) == []
    assert indexes_needed(admitted.bank.known(), BANK, admitted.clock()) == []


def test_an_index_that_is_complete_costs_nothing_and_follows_new_records(world: World) -> None:
    agency = world.agency
    (needed,) = indexes_needed(agency.known(), AGENCY, world.clock())
    evaluated: list[int] = []

    def evaluate(agreement_id: str, epoch: int, inputs: object) -> list[bytes]:
        assert isinstance(inputs, list)
        evaluated.append(len(inputs))
        return agency.pseudonyms(agreement_id, epoch, inputs)

    assert extend_index(agency.store, needed, evaluate) == 0
    _load_newcomer(world)
    assert extend_index(agency.store, needed, evaluate) == 1
    assert extend_index(agency.store, needed, evaluate) == 0
    assert evaluated == [1]
    index(world)


def _load_newcomer(world: World) -> None:
    load(world, Kind.REGISTRATION, REGISTRATION | {"uscc": "", "hk_cr": "5000000"})
