"""Laws of agreements between nodes: in whatever order and however often documents come, both sides agree."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.agreement import State, state_at
from agreements.documents import propose
from agreements.filing import KIND as RECEIPT
from agreements.termination import Ending, Termination, terminate
from crypto.keys import Suite
from node.operations.asked import RefusedAnswer
from node.operations.keep_agreements import receive_document, take_filing
from node.operations.ports import UnitOfWork
from tests.fakes.exchange import signed, terms
from tests.fakes.members import Member
from tests.fakes.world import AGENCY, BANK, World, copied, founded


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("laws")
    with founded(folder):
        pass
    yield folder
    documents.cache_clear()


@cache
def documents(network: Path) -> tuple[bytes, ...]:
    """Everything that two parties and an authority may send about one agreement: it is made once, on the side."""
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as world:
        agreement = signed(world)
        agency, bank = world.agency, world.bank
        whole = agency.read(lambda work: work.agreements.documents(agreement.digest))[-1].raw
        receipt = world.sz.write(
            lambda work: take_filing(work, AGENCY, whole, world.sz.facts(work), world.sz.settings, world.sz.context)
        )
        assert isinstance(receipt, bytes)
        at = world.clock()
        endings = [
            terminate(
                Termination(
                    agreement=agreement.digest.hex(), party=member.party, reason=Ending.BREACH, effective_at=at,
                    issued_at=at, suite=Suite.ONE,
                ),
                member.context.keys.document,
            )
            for member in (agency, bank)
        ]  # fmt: skip
        halves = [propose(terms(world), member.context.keys.document) for member in (agency, bank)]
        return (whole, *halves, receipt, *endings)


def deliver(member: Member, peer: Member, order: Sequence[bytes]) -> None:
    """Every document comes from the other party, again and again until nothing new is taken in."""

    def taken_in(raw: bytes, work: UnitOfWork) -> object:
        return receive_document(work, peer.party, raw, member.facts(work), member.context)

    for raw in (*order, *order):
        member.write(partial(taken_in, raw))


def view(member: Member, world: World) -> list[tuple[object, ...]]:
    known = member.known().agreements.values()
    return [
        (one.digest, one.signed_by, one.filing_set, one.terminated_at, state_at(one, world.clock())) for one in known
    ]


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_both_nodes_converge_whatever_the_order_and_repetition(network: Path, data: st.DataObject) -> None:
    every = documents(network)
    kept = data.draw(st.lists(st.sampled_from(every[1:]), unique=True).map(lambda some: [every[0], *some]))
    orders = [
        data.draw(st.permutations(kept + data.draw(st.lists(st.sampled_from(kept), max_size=4)))) for _ in range(2)
    ]
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        world = stack.enter_context(copied(network, Path(folder)))
        deliver(world.agency, world.bank, orders[0])
        deliver(world.bank, world.agency, orders[1])

        assert view(world.agency, world) == view(world.bank, world) != []
        (state,) = {row[-1] for row in view(world.agency, world)}
        expected = State.ACTIVE if every[3] in kept else State.SIGNED
        assert state is (State.TERMINATED if {every[4], every[5]} & set(kept) else expected)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_document_is_journalled_once_however_often_it_comes(network: Path, data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(documents(network)[:3]), min_size=1, max_size=9))
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as world:
        before = len(world.agency.journal())
        deliver(world.agency, world.bank, order)

        told = [one.told for one in world.agency.journal()[before:]]
        received = [one for one in told if one == ("agreement", "received")]
        halves = {documents(network)[1]} & set(order)
        assert len(received) == len(set(order) - halves)
        assert all(outcome == "SIGNATURE_INVALID" for act, outcome in told if act == "refused")


def test_a_receipt_before_its_terms_is_refused_and_taken_in_when_it_comes_again(network: Path) -> None:
    whole, _, _, receipt, *_ = documents(network)
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as world:
        bank = world.bank

        def take(raw: bytes) -> bytes | RefusedAnswer:
            return bank.write(lambda work: receive_document(work, AGENCY, raw, bank.facts(work), bank.context))

        assert isinstance(take(receipt), RefusedAnswer)
        assert isinstance(take(whole), bytes)
        assert isinstance(take(receipt), bytes)
        kinds = [row.kind for row in bank.read(lambda work: list(work.agreements.all()))]
        assert kinds == ["agreement", RECEIPT]
        assert BANK in next(iter(bank.known().agreements.values())).signed_by
