"""The vectors of what nodes exchange, taken apart by the words of the pages alone: hashed here, signatures opened."""

import json
import re
from hashlib import sha256
from typing import Any

from crypto import envelope
from crypto.keys import Purpose, SigningKey
from node.domain.journal import Act
from node.domain.operators import OperatorAct, Role
from node.domain.receipts import CopyStage, ReceiptBatch
from tests.vectors.make import PAGES
from tests.vectors.test_vectors import vector


def opened(file: dict[str, Any], document: str, kind: str, payload: type[Any], key: SigningKey) -> tuple[Any, bytes]:
    return envelope.open_document(file[document].encode(), kind, payload, {key.key_id: key.public}, [key.key_id])


def test_a_journal_leaf_is_the_hash_of_its_entry_behind_a_zero_byte() -> None:
    example = vector("journal")["example"]

    assert sha256(b"\x00" + example["entry"].encode()).hexdigest() == example["leaf hash"]


def test_an_entry_commits_to_its_detail_under_the_salt() -> None:
    example = vector("journal")["example"]
    salted = bytes.fromhex(example["detail salt"]) + example["detail"].encode()

    assert sha256(b"creditport/journal-detail/v1" + salted).hexdigest() in example["entry"]


def test_entries_of_different_acts_have_one_shape() -> None:
    file = vector("journal")
    entry, other = (
        json.loads(text) for text in (file["example"]["entry"], file["entry without counterparty or agreement"])
    )

    assert list(entry) == list(other)
    assert (other["counterparty"], other["agreement"]) == ("-", "0" * 64)


def test_an_operators_act_opens_with_the_operators_key() -> None:
    file = vector("journal")
    key = SigningKey(Purpose.OPERATOR, bytes.fromhex(file["operator seed"]))

    act, digest = opened(file, "operator act document", "operator-act", OperatorAct, key)

    assert digest.hex() == file["example"]["operator act digest"]
    assert (act.operator, act.act) == ("alice", "queries")


def test_a_receipt_batch_opens_with_the_holders_key() -> None:
    file = vector("receipt")
    key = SigningKey(Purpose.DOCUMENT, bytes.fromhex(file["example"]["document key seed"]))

    batch, digest = opened(file, "document", "receipt-batch", ReceiptBatch, key)

    assert digest.hex() == file["example"]["digest"]
    assert [one.frame for one in batch.receipts] == ["40db78ae029df9f395c8fcd445f1625e"]


def test_a_request_is_named_by_its_method_and_its_bytes() -> None:
    example = vector("exchange")["example"]
    for name in ("evaluate", "query"):
        method, raw = example[f"{name} method"].encode(), bytes.fromhex(example[f"{name} request"])
        named = b"creditport/request/v1" + len(method).to_bytes(4, "big") + method + raw

        assert sha256(named).hexdigest() == example[f"{name} request digest"]


def test_several_authorisations_have_one_digest_in_their_order() -> None:
    example = vector("exchange")["example"]
    several = b"".join(map(bytes.fromhex, example["authorisations"].split()))

    assert sha256(b"creditport/authorisations/v1" + several).hexdigest() == example["authorisations digest"]


def first_cells(page: str) -> set[str]:
    """The words that the rows of a page's tables are about."""
    rows = re.findall(r"^\|([^|]*)\|", (PAGES / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {word for cell in rows for word in re.findall(r"`([\w.]+)`", cell)}


def test_the_journal_page_knows_every_act_and_role() -> None:
    roles = " ".join(role.value for role in Role)

    assert {act.value for act in Act} <= first_cells("journal.md")
    assert f"`{roles}`" in (PAGES / "journal.md").read_text(encoding="utf-8")


def test_the_receipt_page_knows_every_stage() -> None:
    assert {stage.value for stage in CopyStage} <= first_cells("receipt.md")
