"""Jobs wait longer with every try; and what holds content, keys or seeds never shows it."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from msgspec import Struct

from crypto.keys import Purpose, SealKey, SigningKey
from node.domain.context import Context, NodeKeys
from node.domain.jobs import FIRST_RETRY, LONGEST_RETRY, Job, JobKind, JobState, NewJob, next_try
from node.domain.operators import OperatorAct, Role, SigningOperator, sign_act
from node.domain.receipts import Receipt, ReceiptBatch, Stage
from registry.parties import PartyId

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BANK = PartyId("hk-bank")


@pytest.mark.parametrize("attempts", [0, 1, 5, 10, 11, 30, 10_000])
def test_the_pause_doubles_with_each_try_up_to_ten_minutes_and_half_of_it_is_chance(attempts: int) -> None:
    longest = min(FIRST_RETRY * 2 ** min(attempts, 30), LONGEST_RETRY)

    pauses = [next_try(attempts, NOON, Random(seed)) - NOON for seed in range(50)]

    assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert len(set(pauses)) > 1


def test_the_pauses_of_a_day_are_few_enough_to_bother_nobody() -> None:
    at, tries = NOON, 0
    while at < NOON + timedelta(days=1):
        at, tries = next_try(tries, at, Random(tries)), tries + 1

    assert 140 < tries < 320


def test_jobs_hide_what_they_carry() -> None:
    new = NewJob(kind=JobKind.QUERY, peer=BANK, key="query:1", payload=b"91440300MA5TERT15Q")
    job = Job(
        number=1, kind=new.kind, peer=BANK, key=new.key, payload=new.payload, state=JobState.DONE, attempts=1,
        next_at=NOON, give_up_at=None, result=b"91440300MA5TERT15Q",
    )  # fmt: skip

    assert "91440300MA5TERT15Q" not in repr(new) + repr(job)


def test_a_context_and_an_operator_hide_their_keys() -> None:
    signing = [SigningKey(purpose, b"secret of the house, 32 bytes!!!") for purpose in (
        Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL, Purpose.OPERATOR,
    )]  # fmt: skip
    keys = NodeKeys(
        document=signing[0], frame=signing[1], journal=signing[2], registry=None,
        seal=SealKey(b"secret of the house, 32 bytes!!!"), pseudonym_seed=b"secret of the house, 32 bytes!!!",
    )  # fmt: skip
    context = Context(node=BANK, now=lambda: NOON, random=Random(1).randbytes, keys=keys)

    shown = repr(context) + repr(keys) + repr(SigningOperator(name="alice", key=signing[3]))
    assert "secret" not in shown
    assert b"secret".hex() not in shown


def test_an_operators_act_is_signed_over_role_subject_node_and_time() -> None:
    operator = SigningOperator(name="alice", key=SigningKey(Purpose.OPERATOR, bytes(32)))
    acts = [
        sign_act(operator, Role.QUERIES.value, bytes(32), BANK, NOON),
        sign_act(operator, Role.CONSENTS.value, bytes(32), BANK, NOON),
        sign_act(operator, Role.QUERIES.value, b"\x01" * 32, BANK, NOON),
        sign_act(operator, Role.QUERIES.value, bytes(32), PartyId("sz-agency"), NOON),
        sign_act(operator, Role.QUERIES.value, bytes(32), BANK, NOON + timedelta(seconds=1)),
    ]

    assert len({act.digest for act in acts}) == len(acts)
    assert sign_act(operator, "queries", bytes(32), BANK, NOON) == acts[0]
    assert "raw" not in repr(acts[0])


@pytest.mark.parametrize("kind", [Receipt, ReceiptBatch, OperatorAct])
def test_a_document_takes_no_field_that_it_does_not_know(kind: type[Struct]) -> None:
    assert kind.__struct_config__.forbid_unknown_fields


def test_there_is_one_stage_of_a_receipt_in_this_version() -> None:
    assert [stage.value for stage in Stage] == ["RECEIVED"]
