from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from agreements.acceptance import FrameFacts, accept_frame
from crypto.frame import FrameHeader
from tests.unit.agreements.world import (
    AGENCY,
    ASKED,
    BANK,
    DIGEST,
    END,
    HK,
    IN_FORCE,
    NOON,
    PURPOSE,
    RULES,
    TERMS,
    both_signed,
    ended,
    filed,
    folded,
    reason,
)

HEADER = FrameHeader(
    agreement=DIGEST.hex(),
    authorisation="01" * 32,
    body="02" * 32,
    count=1,
    epoch=1,
    filings=IN_FORCE.filing_set.hex(),
    frame="03" * 16,
    journal_leaf="04" * 32,
    mode="ANSWER",
    purpose=PURPOSE,
    push_sequence=None,
    recipient=BANK,
    request="05" * 32,
    root="06" * 32,
    sender=AGENCY,
    suite=1,
    time=NOON,
)
FRAME = FrameFacts(header=HEADER, sender=AGENCY, recipient=BANK, shown=ASKED)


def verdict(frame: FrameFacts = FRAME, at: datetime = NOON, **header: Any) -> str:
    changed = replace(frame, header=msgspec.structs.replace(frame.header, **header))
    return reason(accept_frame(changed, IN_FORCE, at, RULES.reference))


def test_a_frame_of_the_agreement_is_accepted() -> None:
    assert verdict() == "NoneType"


def test_a_replacement_is_a_push_that_needs_no_manner_of_its_own() -> None:
    pushed: dict[str, Any] = {
        "mode": "PUSH",
        "purpose": None,
        "request": None,
        "authorisation": None,
        "push_sequence": 3,
    }

    assert verdict(**pushed) == "AGREEMENT_SCOPE"
    assert verdict(replace(FRAME, replacing=True), **pushed) == "NoneType"
    assert verdict(replace(FRAME, replacing=True), **pushed, at=END) == "AGREEMENT_EXPIRED"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"agreement": "ff" * 32}, "AGREEMENT_MISSING"),
        ({"sender": HK}, "AGREEMENT_MISSING"),
        ({"recipient": HK}, "AGREEMENT_MISSING"),
        ({"time": NOON + timedelta(seconds=61)}, "MALFORMED"),
        ({"filings": "ff" * 32}, "AGREEMENT_NOT_FILED"),
        ({"time": datetime.fromisoformat("2026-05-02T00:00:00Z")}, "AGREEMENT_NOT_FILED"),
        ({"epoch": 2}, "AGREEMENT_SCOPE"),
        ({"mode": "PUSH"}, "AGREEMENT_SCOPE"),
        ({"purpose": "CROSS_BORDER_INVESTMENT"}, "PURPOSE_MISMATCH"),
    ],
)
def test_each_header_that_is_not_of_the_agreement_is_refused(header: dict[str, Any], expected: str) -> None:
    assert verdict(**header) == expected


def test_a_frame_from_or_for_somebody_else_is_refused() -> None:
    assert verdict(replace(FRAME, sender=HK)) == "AGREEMENT_MISSING"
    assert verdict(replace(FRAME, recipient=HK)) == "AGREEMENT_MISSING"


@pytest.mark.parametrize("shown", [{"101": frozenset({"region"})}, {"301": frozenset({"title"})}])
def test_a_field_beyond_the_agreement_refuses_the_frame(shown: Any) -> None:
    assert verdict(replace(FRAME, shown=shown)) == "AGREEMENT_SCOPE"


def test_a_frame_that_arrives_after_the_end_is_refused() -> None:
    over = folded(both_signed(), filed(), ended(AGENCY, NOON + timedelta(minutes=1)))

    assert verdict(at=END) == "AGREEMENT_EXPIRED"
    assert reason(accept_frame(FRAME, over, NOON, "P@1")) == "NoneType"
    assert reason(accept_frame(FRAME, over, NOON + timedelta(minutes=1), "P@1")) == "AGREEMENT_EXPIRED"


def test_a_clock_one_minute_behind_is_forgiven() -> None:
    assert verdict(at=NOON - timedelta(seconds=60)) == "NoneType"


def test_a_push_carries_no_purpose_of_its_own() -> None:
    pushing = replace(IN_FORCE, terms=msgspec.structs.replace(TERMS, manner=("PULL", "PUSH")))
    header = msgspec.structs.replace(HEADER, mode="PUSH", purpose=None, request=None, push_sequence=1)

    assert accept_frame(replace(FRAME, header=header), pushing, NOON, RULES.reference) is None
