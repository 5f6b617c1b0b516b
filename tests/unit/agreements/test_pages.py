"""The worked examples of the protocol pages are the documents of the test world, byte for byte."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crypto import envelope
from crypto.canonical import canonical
from tests.unit.agreements.test_attestation import ATTESTATION, SIGNED
from tests.unit.agreements.world import CONSENT, DIGEST, TERMS, attested, authorised, both_signed, filed

PAGES = Path(__file__).parents[3] / "docs" / "protocol"


def examples(page: str) -> list[Any]:
    text = (PAGES / page).read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def payload(raw: bytes, kind: str) -> bytes:
    return envelope.parse(raw, kind).payload


@pytest.mark.parametrize(
    ("page", "payloads"),
    [
        ("agreement.md", [canonical(TERMS)]),
        ("filing.md", [payload(filed(), "filing-receipt")]),
        ("attestation.md", [canonical(ATTESTATION)]),
        ("authorisation.md", [payload(authorised().raw, "authorisation"), canonical(CONSENT)]),
    ],
)
def test_the_examples_of_a_page_are_real_documents(page: str, payloads: list[bytes]) -> None:
    assert [canonical(example) for example in examples(page)] == payloads


def test_the_digests_of_the_pages_are_those_of_their_examples() -> None:
    assert DIGEST.hex() in (PAGES / "agreement.md").read_text(encoding="utf-8")
    assert envelope.parse(both_signed(), "agreement").digest == DIGEST
    receipt = envelope.parse(filed(), "filing-receipt").digest.hex()
    assert receipt in (PAGES / "filing.md").read_text(encoding="utf-8")
    attestation = envelope.parse(SIGNED, "attestation").digest.hex()
    assert attestation in (PAGES / "attestation.md").read_text(encoding="utf-8")
    page = (PAGES / "authorisation.md").read_text(encoding="utf-8")
    assert {authorised().digest.hex(), attested().digest.hex(), authorised().salt.hex()} <= set(
        re.findall(r"[0-9a-f]{32,64}", page)
    )
