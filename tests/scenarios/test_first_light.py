"""One lawful query, and everything about it verified as a stranger with the registry's keys alone would do it."""

from dataclasses import dataclass
from typing import Any

import pytest

from crypto import commitment
from crypto.checkpoint import open_checkpoint
from crypto.errors import BadProof, BadSignature
from crypto.frame import FrameHeader, open_body, open_header
from crypto.keys import PublicKey, Purpose
from crypto.merkle import inclusion_proof, leaf_hash, verify_inclusion
from crypto.renditions import Read
from deploy.demo.network import until
from node.keys import open_node_keys
from registry.parties import read_card
from registry.statements import read_statement
from tests.scenarios.cast import FINANCING, PROVIDER, RECIPIENT, World, query
from tests.scenarios.wire import RawClient, card_of


@dataclass(frozen=True)
class Answer:
    """One answered query: what the program told, the frame as the bank keeps it, and what it opens to."""

    told: list[dict[str, Any]]
    raw_header: bytes
    body: bytes
    header: FrameHeader
    received: list[Read]


@pytest.fixture(scope="module")
def answer(world: World, agreement: str) -> Answer:
    """The bank asks about one customer with a registration and a recent penalty, and opens the frame itself."""
    subject = world.home.recent_penalty
    world.attest(agreement, [subject])
    told = world.bank.ask(*query(agreement, subject))
    frame = bytes.fromhex(told["frames"][0])
    ((raw_header,),) = world.bank.rows("SELECT header FROM received_frames WHERE frame = ?", frame)
    ((body,),) = world.agency.rows("SELECT body FROM sent_frames WHERE frame = ?", frame)
    header, _ = open_header(raw_header, provider_key(world, Purpose.FRAME))
    keys = open_node_keys(world.bank.folder / "keystore.json", world.bank.passphrase)
    return Answer(told["renditions"], raw_header, body, header, open_body(header, body, keys.node.seal))


def provider_key(world: World, purpose: Purpose) -> PublicKey:
    """A key of the provider by the registry that the bank mirrors, read with the pinned authority's card alone."""
    authority = read_card(world.sz_authority.card.read_bytes())
    rows = world.bank.rows("SELECT raw FROM registry_statements WHERE authority = ?", world.sz_authority.party)
    cards = [card for (raw,) in rows if (card := read_statement(raw, authority).card) is not None]
    (card,) = [one for one in cards if one.card.party == PROVIDER]
    return card.key(purpose)


def test_the_header_names_who_asked_whom_for_what(agreement: str, answer: Answer) -> None:
    header = answer.header

    assert (header.sender, header.recipient, header.agreement) == (PROVIDER, RECIPIENT, agreement)
    assert (header.mode, header.purpose, header.count) == ("ANSWER", FINANCING, 2)


def test_the_header_is_signed_by_the_listed_frame_key_and_no_other(world: World, answer: Answer) -> None:
    another = read_card(world.rival.card.read_bytes()).key(Purpose.FRAME)

    with pytest.raises(BadSignature):
        open_header(answer.raw_header, another)


def test_the_renditions_say_what_home_knows_in_coarse_terms(world: World, answer: Answer) -> None:
    penalty = next(row for row in world.home.penalties if row["decision_no"].endswith("新0000001号"))

    shown = {one.rendition.header.kind: one.rendition.values() for one in answer.received}

    assert shown["201"]["decision"] == penalty["decided_on"][:7]
    assert shown["201"]["authority_class"] == penalty["authority_class"]
    assert shown["201"].keys() & {"decision_no", "legal_basis_code", "amount"} == set()
    assert [one["values"] for one in answer.told] == [listed(shown["101"]), listed(shown["201"])]


def listed(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def test_the_document_token_of_a_copy_is_resolved_by_the_provider_and_by_nobody_else(
    world: World, agreement: str, answer: Answer
) -> None:
    (token,) = {one["values"]["document_token"] for one in answer.told if one["kind"] == "201"}
    words = ("records", "find", "--agreement", agreement, "--token")

    (found,) = world.agency.ask(*words, token)

    assert answer.header.frame in found["shown_in_frames"]
    content = world.agency.ask("records", "show", str(found["record"]))["content"]
    assert content["decision_no"].endswith("新0000001号")
    assert "no record here has this token" in world.agency.run(*words, "00" * 16, expect=(1,)).stderr
    assert "provides under this agreement" in world.bank.run(*words, token, expect=(1,)).stderr
    assert "32 hexadecimal digits" in world.agency.run(*words, content["decision_no"], expect=(2,)).stderr


def test_each_rendition_proves_itself_under_the_signed_root(answer: Answer) -> None:
    leaves = [leaf_hash(one.commitment) for one in answer.received]

    for place, one in enumerate(answer.received):
        path = inclusion_proof(leaves, place)
        verify_inclusion(leaf_hash(one.commitment), place, len(leaves), path, bytes.fromhex(answer.header.root))


def test_one_field_can_be_shown_to_a_court_without_the_others(answer: Answer) -> None:
    penalty = next(one for one in answer.received if one.rendition.header.kind == "201")

    shown = commitment.encode_presentation(commitment.disclose(penalty.rendition, ["decision"]))

    presented = commitment.decode_presentation(shown)
    assert commitment.verify_disclosure(presented) == penalty.commitment
    opened = [one for one in presented.fields if isinstance(one, commitment.Field)]
    assert [one.name for one in opened] == ["decision"]
    assert b"authority_class" not in shown


def test_a_field_changed_on_the_way_to_the_court_is_found_out(answer: Answer) -> None:
    penalty = next(one for one in answer.received if one.rendition.header.kind == "201")
    shown = commitment.encode_presentation(commitment.disclose(penalty.rendition, ["performed"]))

    forged = (
        shown.replace(b'"b",true', b'"b",false') if b'"b",true' in shown else shown.replace(b'"b",false', b'"b",true')
    )

    with pytest.raises(BadProof):
        commitment.require_commitment(commitment.decode_presentation(forged), penalty.commitment)


def test_the_frames_leaf_is_in_the_providers_journal(world: World, answer: Answer) -> None:
    """Asked over a connection of one's own, and checked with the journal key of the provider's card alone."""
    leaf = bytes.fromhex(answer.header.journal_leaf)
    world.agency.published()

    with RawClient(world.bank, world.agency) as client:
        proof = client.prove(leaf)

    head = open_checkpoint(proof.checkpoint, [card_of(world.agency).journal_vkey]).checkpoint
    assert head.origin == f"creditport/journal/{PROVIDER}"
    verify_inclusion(leaf, proof.index, head.size, list(proof.inclusion), head.root)


def test_the_leaf_commits_to_this_very_body(world: World, answer: Answer) -> None:
    entries = world.agency.journal_since(0)

    (entry,) = [one for one in entries if one["leaf"] == answer.header.journal_leaf]
    assert (entry["act"], entry["counterparty"]) == ("query", RECIPIENT)
    assert entry["detail"]["body"] == answer.header.body
    assert entry["detail"]["root"] == answer.header.root


@pytest.mark.usefixtures("answer")
def test_both_journals_verify_and_the_peers_holds_every_frame(world: World) -> None:
    assert [side.ask("journal", "verify")["problems"] for side in (world.agency, world.bank)] == [[], []]

    held = world.bank.ask("journal", "verify", "--peer", PROVIDER)

    assert held["problems"] == []
    assert held["leaves"] == len(world.bank.rows("SELECT 1 FROM received_frames WHERE sender = ?", PROVIDER))


def test_the_receipt_arrives_at_home(world: World, answer: Answer) -> None:
    def receipted() -> bool:
        question = "SELECT 1 FROM frame_receipts JOIN sent_frames ON number = frame_no WHERE frame = ? AND header = ?"
        return bool(world.agency.rows(question, bytes.fromhex(answer.header.frame), answer.raw_header))

    until("the receipt is stored", receipted)
    assert receipted()
