"""What was stored before the catalogue described contents: it reads as it did, and loading it again changes nothing.

The file holds rows with the content, digest and keys that the first version of the product made of them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from node.domain.correction import columns_of
from node.domain.intake import Admitted, admit
from node.domain.records import Kind, decode_content, encode_content
from node.domain.rows import Row
from tests.unit.node.domain.given import intake

STORED = json.loads((Path(__file__).parent / "stored_before.json").read_text("utf-8"))
EVERY = pytest.mark.parametrize("stored", STORED, ids=[f"{one['kind']}-{n}" for n, one in enumerate(STORED)])


def admitted(stored: dict[str, Any], row: dict[str, str]) -> Admitted:
    answer = admit(Row(2, row), intake(Kind(stored["kind"])))
    assert isinstance(answer, Admitted), answer
    return answer


@EVERY
def test_a_row_gives_the_content_digest_and_key_that_it_gave_before(stored: dict[str, Any]) -> None:
    made = admitted(stored, stored["row"])

    assert made.encoded.decode() == stored["content"]
    assert made.record.content_digest.hex() == stored["content_digest"]
    assert made.record.source_key.hex() == stored["source_key"]
    assert made.record.subject_kind == stored["subject_kind"]
    assert made.record.generated_at.isoformat() == stored["generated_at"]
    until = made.record.disclose_until
    assert (until.isoformat() if until else None) == stored["disclose_until"]


@EVERY
def test_a_content_that_was_stored_before_reads_and_is_written_as_it_was(stored: dict[str, Any]) -> None:
    content = decode_content(Kind(stored["kind"]), stored["content"].encode())

    assert encode_content(content).decode() == stored["content"]
    assert content == admitted(stored, stored["row"]).record.content


@EVERY
def test_a_record_that_was_stored_before_can_be_written_as_a_row(stored: dict[str, Any]) -> None:
    record = admitted(stored, stored["row"]).record

    assert admitted(stored, columns_of(record)).record == record
