"""The journal: every entry finds its place, every damage is found, and no peer's log forks unseen."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial

import msgspec
import pytest

from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.errors import BadProof, CryptoError
from crypto.frame import FrameHeader
from node.domain.journal import journal_origin
from node.operations.asked import JournalProof
from node.operations.keep_journal import (
    HeadSeen,
    JournalVerdict,
    ProofAsked,
    check_proof,
    prove_journal,
    see_head,
    sequence_journal,
    verify_own_journal,
)
from node.operations.prove import MOST_LEAVES, ProofJob, note_failure, note_proof, plan_proof
from node.operations.rows import PeerHead, StoredCheckpoint
from node.storage.errors import DiskFull
from tests.fakes.exchange import ABSENT, SHOWN, answer, question
from tests.fakes.members import Member
from tests.fakes.reading import renditions
from tests.fakes.stores import FullStore
from tests.fakes.world import AGENCY, World


def vkey(member: Member) -> str:
    return member.card.card.journal_vkey


def sequence(member: Member) -> StoredCheckpoint | None:
    return member.write(lambda work: sequence_journal(work, member.context))


def published(member: Member) -> StoredCheckpoint:
    checkpoint = sequence(member)
    assert checkpoint is not None
    return checkpoint


def verdict(member: Member) -> JournalVerdict:
    return member.read(lambda work: verify_own_journal(work, vkey(member)))


def prove(member: Member, leaf: bytes = b"", old_size: int = 0) -> JournalProof | None:
    return member.read(lambda work: prove_journal(work, leaf, old_size))


def asked_frame(world: World) -> FrameHeader:
    return renditions(world, answer(world, question(world, SHOWN)))[0]


def damage(member: Member, *statements: str) -> None:
    """What somebody with the disk could do to the journal."""
    with closing(sqlite3.connect(member.database)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1, statement
        connection.commit()


def test_waiting_entries_get_the_next_places_and_one_checkpoint_covers_them(world: World) -> None:
    agency = world.agency
    waiting = len(agency.journal())

    first = published(agency)
    asked_frame(world)
    second = published(agency)

    assert (first.size, second.size) == (waiting, waiting + 1)
    assert second.at == world.clock()
    assert verdict(agency) == JournalVerdict(size=waiting + 1, unsequenced=0, problems=())


def test_when_nothing_waits_nothing_is_published(world: World) -> None:
    first = published(world.agency)

    assert sequence(world.agency) is None
    assert world.agency.read(lambda work: work.journal.head()) == first


def test_entries_that_wait_are_counted_and_prove_nothing_yet(world: World) -> None:
    published(world.agency)
    leaf = bytes.fromhex(asked_frame(world).journal_leaf)

    assert verdict(world.agency).unsequenced == 1
    assert prove(world.agency, leaf) is None
    published(world.agency)
    assert prove(world.agency, leaf) is not None


@pytest.mark.parametrize("more", range(1, 9))
def test_a_journal_of_any_size_proves_each_leaf_and_its_growth_from_any_size(world: World, more: int) -> None:
    agency = world.agency
    heads = [published(agency)]
    headers = []
    for _ in range(more):
        headers.append(renditions(world, answer(world, question(world, ABSENT)))[0])
        heads.append(published(agency))

    for header, head in zip(headers, heads, strict=False):
        leaf = bytes.fromhex(header.journal_leaf)
        proof = prove(agency, leaf, head.size)
        assert proof is not None
        seen = ProofAsked(peer=AGENCY, vkey=vkey(agency), leaf=leaf, old=None)
        assert check_proof(seen, proof).size == heads[-1].size
        assert check_proof(replace(seen, old=_seen(head)), proof).root == heads[-1].root


def _seen(head: StoredCheckpoint, root: bytes | None = None) -> PeerHead:
    return PeerHead(size=head.size, root=root or head.root, note=head.note, seen_at=head.at)


def test_nothing_is_proven_of_an_unknown_leaf_a_future_size_or_an_unpublished_journal(world: World) -> None:
    assert prove(world.agency, old_size=1) is None
    head = published(world.agency)

    assert prove(world.agency, b"\x07" * 32) is None
    assert prove(world.agency, old_size=head.size + 1) is None


def test_false_proofs_are_refused(world: World) -> None:
    agency = world.agency
    old = published(agency)
    leaf = bytes.fromhex(asked_frame(world).journal_leaf)
    published(agency)
    proof = prove(agency, leaf, old.size)
    assert proof is not None
    asked = ProofAsked(peer=AGENCY, vkey=vkey(agency), leaf=leaf, old=_seen(old))
    forked = _seen(old, root=b"\x01" * 32)

    for wrong, given in (
        (asked, replace(proof, inclusion=proof.inclusion[:-1])),
        (asked, replace(proof, index=proof.index - 1)),
        (asked, replace(proof, consistency=())),
        (asked, replace(proof, checkpoint=proof.checkpoint.replace(b"sz-agency", b"hk-bank"))),
        (replace(asked, leaf=b"\x07" * 32), proof),
        (replace(asked, old=forked), proof),
        (replace(asked, vkey=vkey(world.bank)), proof),
    ):
        with pytest.raises(CryptoError):
            check_proof(wrong, given)
    assert check_proof(asked, proof).size == old.size + 1


def test_a_checkpoint_of_another_journal_under_the_same_key_proves_nothing(world: World) -> None:
    agency = world.agency
    published(agency)
    proof = prove(agency, old_size=1)
    assert proof is not None

    with pytest.raises(BadProof, match="another journal"):
        check_proof(ProofAsked(peer=world.bank.party, vkey=vkey(agency), leaf=b"", old=None), proof)


DAMAGES: dict[str, tuple[str, ...]] = {
    "an altered entry": (
        "UPDATE journal_entries SET entry = CAST(replace(entry, 'query', 'queri') AS BLOB) WHERE place = {last}",
    ),
    "an entry of other bytes": ("UPDATE journal_entries SET entry = x'00' WHERE place = 3",),
    "an altered leaf": ("UPDATE journal_entries SET leaf = zeroblob(32) WHERE place = 2",),
    "an altered detail": ("UPDATE journal_entries SET detail = x'7b7d' WHERE place = {last}",),
    "an altered salt": ("UPDATE journal_entries SET salt = zeroblob(32) WHERE place = 0",),
    "the first entry removed": ("DELETE FROM journal_entries WHERE place = 0",),
    "an entry removed": ("DELETE FROM journal_entries WHERE place = 4",),
    "the last entry removed": ("DELETE FROM journal_entries WHERE place = {last}",),
    "two entries exchanged": (
        "UPDATE journal_entries SET place = 999 WHERE place = 1",
        "UPDATE journal_entries SET place = 1 WHERE place = 2",
        "UPDATE journal_entries SET place = 2 WHERE place = 999",
    ),
    "an altered node": ("UPDATE journal_nodes SET hash = zeroblob(32) WHERE level = 3 AND place = 0",),
    "a node removed": ("DELETE FROM journal_nodes WHERE level = 3 AND place = 0",),
    "an altered checkpoint": ("UPDATE journal_head SET note = CAST(replace(note, 'sz-agency', 'hk-bank') AS BLOB)",),
    "a checkpoint cut back": ("UPDATE journal_head SET size = size - 1",),
    "a checkpoint stretched": ("UPDATE journal_head SET size = size + 1",),
}


@pytest.mark.parametrize("statements", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("more", [0, 1])
def test_every_damage_to_the_journal_is_found(world: World, statements: tuple[str, ...], more: int) -> None:
    agency = world.agency
    for _ in range(1 + more):
        asked_frame(world)
    last = published(agency).size - 1
    assert verdict(agency).problems == ()

    damage(agency, *(one.format(last=last) for one in statements))

    assert verdict(agency).problems != ()


def test_a_checkpoint_signed_by_another_key_is_found(world: World) -> None:
    head = published(world.agency)
    note = _note(world.bank, AGENCY, head.size, head.root).hex()
    damage(world.agency, f"UPDATE journal_head SET note = x'{note}'")  # noqa: S608 - our own hex digits

    assert verdict(world.agency).problems == ("the newest checkpoint is not signed by the journal key",)


def _note(signer: Member, named: str, size: int, root: bytes) -> bytes:
    """A checkpoint of `named`'s journal, signed by `signer` under that name."""
    origin = f"creditport/journal/{named}"
    return sign_checkpoint(Checkpoint(origin, size, root), NoteKey(origin, signer.context.keys.journal))


def see(world: World, note: bytes) -> HeadSeen:
    bank = world.bank
    return bank.write(lambda work: see_head(work, AGENCY, vkey(world.agency), note, bank.context))


def test_a_head_is_kept_until_a_larger_one_is_proven_to_have_grown_from_it(world: World) -> None:
    """A peer that rewrote its journal has nothing to gain from showing the new one first."""
    bank = world.bank
    first, second = (_note(world.agency, AGENCY, size, bytes([size]) * 32) for size in (3, 5))

    kept = [see(world, note).kept for note in (first, second, first)]

    held = bank.read(lambda work: work.peers.head(AGENCY))
    assert kept == [True, False, False]
    assert held is not None
    assert (held.size, held.note) == (3, first)
    rewritten = ProofAsked(peer=AGENCY, vkey=vkey(world.agency), leaf=b"", old=held)
    with pytest.raises(BadProof):
        check_proof(rewritten, JournalProof(checkpoint=second, index=0, inclusion=(), consistency=(bytes(32),)))


def test_two_heads_of_one_size_are_a_fork_and_both_notes_are_kept_as_evidence(world: World) -> None:
    held, shown = (_note(world.agency, AGENCY, 3, root * 32) for root in (b"\x01", b"\x02"))
    see(world, held)

    assert see(world, shown) == HeadSeen(kept=False, fork=True)
    written = world.bank.journal()[-1]
    assert written.entry.act == "journal.fork"
    assert written.detail == {"held": held.decode(), "shown": shown.decode()}


def test_a_head_that_the_peer_did_not_sign_proves_nothing_against_it(world: World) -> None:
    see(world, _note(world.agency, AGENCY, 3, bytes(32)))
    before = len(world.bank.journal())

    for note in (
        _note(world.bank, AGENCY, 3, b"\x02" * 32),
        _note(world.agency, "hk-bank", 9, b"\x02" * 32),
        b"no note at all",
    ):
        assert see(world, note) == HeadSeen(kept=False, fork=False)
    assert len(world.bank.journal()) == before


def test_a_proof_job_names_the_leaf_of_each_frame(world: World) -> None:
    bank, headers = world.bank, [asked_frame(world), asked_frame(world)]

    number = bank.write(lambda work: plan_proof(work, AGENCY, headers, bank.context))

    job = bank.read(lambda work: work.outbox.find(number))
    assert job is not None
    assert job.peer == AGENCY
    leaves = msgspec.json.decode(job.payload, type=ProofJob).leaves
    assert leaves == tuple(one.journal_leaf for one in headers)
    assert len(leaves) < MOST_LEAVES


def test_the_head_that_proofs_stood_under_is_the_one_that_the_next_must_extend(world: World) -> None:
    bank = world.bank
    checkpoints = [Checkpoint(journal_origin(AGENCY), size, bytes([size]) * 32) for size in (5, 9, 7)]

    for one in checkpoints:
        bank.write(partial(note_proof, peer=AGENCY, checkpoint=one, note=b"note", context=bank.context))

    held = bank.read(lambda work: work.peers.head(AGENCY))
    assert held is not None
    assert (held.size, held.root) == (9, b"\x09" * 32)


def test_the_sequencer_says_nothing_when_it_cannot_write(world: World) -> None:
    agency = world.agency
    with pytest.raises(DiskFull), FullStore(agency.store).write() as work:
        sequence_journal(work, agency.context)

    assert agency.read(lambda work: work.journal.head()) is None
    assert published(agency).size == len(agency.read(lambda work: work.journal.read(0, 1_000)))


def test_a_proof_that_fails_is_journalled(world: World) -> None:
    bank = world.bank
    before = len(bank.journal())

    bank.write(lambda work: note_failure(work, AGENCY, "leaf 00 is not in the journal", bank.context))

    (written,) = bank.journal()[before:]
    assert (written.entry.act, written.entry.counterparty) == ("journal.unproven", AGENCY)
