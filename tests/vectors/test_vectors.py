"""The project's own vectors: reproduced from their seeds, used as a stranger would, explained in docs."""

import json
from hashlib import sha256
from typing import Any

import pytest

from agreements.declaration import OpenedDeclaration, open_declaration
from agreements.refusal import Refused
from crypto import checkpoint, commitment, envelope, errors, frame, keys, merkle, pseudonym, sealing
from crypto.canonical import canonical, from_base64
from crypto.keys import Algorithm, Purpose, SealKey, SigningKey
from registry.errors import BadStatement
from registry.parties import read_card
from registry.statements import Adoption, read_statement
from tests.vectors import make
from tests.vectors.fixed import NOON
from tests.vectors.make import PAGES, VECTORS, Greeting


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", make.FILES)
def test_a_vector_file_is_what_its_seeds_make(name: str) -> None:
    assert (VECTORS / f"{name}.json").read_text(encoding="utf-8") == make.file_text(name)


@pytest.mark.parametrize("name", make.EXPLAINED)
def test_the_worked_example_of_a_page_is_its_vector(name: str) -> None:
    page = (PAGES / f"{make.EXPLAINED[name]}.md").read_text(encoding="utf-8")

    assert make.worked_example(name) in page
    assert make.page_with_example(page, name) == page


def test_the_documents_open_and_keep_their_name() -> None:
    file = vector("document")
    example, both = file["example"], file["two signatures"]
    signers = [SigningKey(Purpose.DOCUMENT, bytes.fromhex(example["seed"]))]
    signers.append(SigningKey(Purpose.OPERATOR, bytes.fromhex(both["seed"])))
    trusted = {key.key_id: key.public for key in signers}

    assert list(trusted) == [example["keyid"], both["keyid"]]
    for raw, require in ((example["document"], [*trusted][:1]), (both["document"], [*trusted])):
        _, digest = envelope.open_document(raw.encode(), "greeting", Greeting, trusted, require)
        assert digest.hex() == example["digest"]


@pytest.mark.parametrize("case", vector("document")["refused"], ids=lambda case: case["why"])
def test_a_document_that_must_be_refused_is(case: dict[str, str]) -> None:
    key = SigningKey(Purpose.DOCUMENT, bytes.fromhex(vector("document")["example"]["seed"]))

    with pytest.raises(errors.CryptoError) as caught:
        envelope.open_document(case["document"].encode(), "greeting", Greeting, {key.key_id: key.public}, [key.key_id])
    assert type(caught.value).__name__ == case["expect"]


def test_a_declaration_opens_by_itself_under_the_name_that_rows_give_it() -> None:
    example = vector("declaration")["example"]
    opened = open_declaration(example["document"].encode(), "P@1")

    assert isinstance(opened, OpenedDeclaration)
    assert canonical(opened.declaration).decode() == example["payload"]
    assert opened.digest == example["SHA-256 of the document"]


@pytest.mark.parametrize("case", vector("declaration")["refused"], ids=lambda case: case["why"])
def test_a_declaration_that_must_be_refused_is(case: dict[str, str]) -> None:
    answer = open_declaration(case["document"].encode(), "P@1")

    assert isinstance(answer, Refused)
    assert answer.reason == case["expect"]


def test_an_adoption_is_read_by_the_authoritys_card_alone() -> None:
    file = vector("adoption")
    card = read_card(file["authority card"].encode())
    read = read_statement(file["example"]["document"].encode(), card)

    assert isinstance(read.statement, Adoption)
    assert read.digest.hex() == file["example"]["digest"]
    assert read.statement.effective_at.isoformat() == file["in force from"]
    assert [one.digest for one in read.statement.packs] == [sha256(file["example"]["pack"].encode()).hexdigest()]


@pytest.mark.parametrize("case", vector("adoption")["refused"], ids=lambda case: case["why"])
def test_an_adoption_that_must_be_refused_is(case: dict[str, str]) -> None:
    card = read_card(vector("adoption")["authority card"].encode())

    with pytest.raises((errors.CryptoError, BadStatement)) as caught:
        read_statement(case["document"].encode(), card)
    assert type(caught.value).__name__ == case["expect"]


def test_the_rendition_has_its_commitment_and_so_has_the_presentation() -> None:
    example = vector("rendition")["example"]
    read = commitment.decode(example["rendition"].encode())
    shown = commitment.decode_presentation(example["presentation"].encode())

    assert commitment.commitment(read).hex() == example["commitment"]
    assert commitment.verify_disclosure(shown).hex() == example["commitment"]
    assert {field.name: commitment.field_digest(field).hex() for field in read.fields} == example["field digests"]


@pytest.mark.parametrize("name", ["frame", "push"])
def test_a_frame_opens_with_its_rendition(name: str) -> None:
    file = vector(name)
    frame_key = SigningKey(Purpose.FRAME, bytes.fromhex(file["example"]["frame key seed"]))
    seal_key = SealKey(bytes.fromhex(file["example"]["seal key secret"]))
    body = from_base64(file["body"])

    opened = frame.open_frame(file["document"].encode(), body, frame_key.public, seal_key)

    assert opened.digest.hex() == file["example"]["digest"]
    assert opened.header.binding().info().hex() == file["example"]["info"]
    assert [commitment.encode(one).decode() for one in opened.renditions] == [file["rendition"]]
    assert len(body) == frame.BUCKETS[0] + sealing.OVERHEAD


def test_a_push_has_a_number_and_answers_nothing() -> None:
    header = json.loads(vector("push")["example"]["header"])

    assert (header["mode"], header["push_sequence"]) == ("PUSH", 1)
    assert [header[name] for name in ("request", "authorisation", "purpose")] == [None] * 3


def test_the_head_opens_with_its_cosigner_and_proofs() -> None:
    file = vector("checkpoint")
    example = file["example"]
    opened = checkpoint.open_checkpoint(example["cosigned"].encode(), [example["log vkey"], example["cosigner vkey"]])
    leaves = [merkle.leaf_hash(f"entry {number}".encode()) for number in range(7)]
    path, growth = (
        [bytes.fromhex(one) for one in file[name]] for name in ("inclusion of leaf 4", "consistency from 3")
    )

    assert list(opened.cosigners.values()) == [NOON]
    merkle.verify_inclusion(leaves[4], 4, opened.checkpoint.size, path, opened.checkpoint.root)
    merkle.verify_consistency(3, 7, growth, merkle.root(leaves[:3]), opened.checkpoint.root)


@pytest.mark.parametrize("pinned", vector("pseudonym")["keys"], ids=lambda one: f"{one['agreement']} {one['epoch']}")
def test_a_requester_arrives_at_the_pseudonyms(pinned: dict[str, Any]) -> None:
    file = vector("pseudonym")
    inputs = [pseudonym.subject_input(one["scheme"], one["value"]) for one in file["subjects"]]
    blinding = pseudonym.blind(inputs)
    evaluation = pseudonym.evaluate_batch(
        bytes.fromhex(file["seed"]), pinned["agreement"], pinned["epoch"], blinding.blinded
    )

    found = blinding.finalize(*evaluation, bytes.fromhex(pinned["public key"]))

    assert [one.hex() for one in inputs] == [one["input"] for one in file["subjects"]]
    assert [one.hex() for one in found] == pinned["pseudonyms"]


@pytest.mark.parametrize("listed", vector("key_ids")["keys"], ids=lambda one: one["purpose"])
def test_a_key_has_its_name_and_may_be_registered(listed: dict[str, str]) -> None:
    key = keys.register_key(Purpose(listed["purpose"]), Algorithm(listed["algorithm"]), bytes.fromhex(listed["public"]))

    assert key.key_id == listed["keyid"]
