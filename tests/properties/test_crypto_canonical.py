"""Laws of canonical JSON and of what is read back from it."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.canonical import SAFE_INTEGER, canonical, from_base64, read, to_base64
from crypto.errors import Malformed
from crypto.frame import FrameHeader

FIRST, LAST = datetime(1900, 1, 2), datetime(2999, 12, 30)  # noqa: DTZ001 - naive: the strategy adds the zones

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-SAFE_INTEGER, SAFE_INTEGER)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=30,
)
HEX16 = st.binary(min_size=16, max_size=16).map(bytes.hex)
HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
COUNT = st.integers(0, SAFE_INTEGER)
HEADERS = st.builds(
    FrameHeader,
    agreement=HEX32,
    authorisation=st.none() | HEX32,
    body=HEX32,
    count=COUNT,
    epoch=st.integers(0, 0xFFFFFFFF),
    filings=HEX32,
    frame=HEX16,
    journal_leaf=HEX32,
    mode=st.sampled_from(["ANSWER", "PUSH"]),
    purpose=st.none() | TEXT,
    push_sequence=st.none() | COUNT,
    recipient=TEXT,
    request=st.none() | HEX32,
    root=HEX32,
    sender=TEXT,
    suite=INTEGERS,
    time=st.datetimes(FIRST, LAST, timezones=st.timezones()).map(lambda moment: moment.replace(microsecond=0)),
)


@settings(deadline=None)
@given(JSON)
def test_any_value_is_written_as_the_reference_writes_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@settings(deadline=None)
@given(HEADERS)
def test_a_frame_header_is_written_as_the_reference_writes_it(header: FrameHeader) -> None:
    plain = msgspec.json.decode(canonical(header))

    assert canonical(header) == rfc8785.dumps(plain)
    assert plain.keys() == set(FrameHeader.__struct_fields__)


@settings(deadline=None)
@given(HEADERS)
def test_a_header_that_was_written_is_read(header: FrameHeader) -> None:
    in_utc = msgspec.structs.replace(header, time=header.time.astimezone(UTC))

    # Two zones never call a time equal that a clock going forward left out, or showed twice (PEP 495).
    assert read(canonical(header), FrameHeader) == in_utc


@settings(deadline=None)
@given(st.dates())
def test_days_are_written_as_iso(day: date) -> None:
    assert read(canonical(day), date) == day


@settings(deadline=None)
@given(st.binary())
def test_whatever_is_read_from_bytes_is_the_only_spelling(raw: bytes) -> None:
    try:
        value = read(raw, Any)
    except Malformed:
        return
    assert canonical(value) == raw


@settings(deadline=None)
@given(HEADERS, st.data())
def test_a_byte_more_or_less_is_never_read_as_the_same_header(header: FrameHeader, data: st.DataObject) -> None:
    raw = canonical(header)
    at = data.draw(st.integers(0, len(raw) - 1))
    mutated = data.draw(
        st.sampled_from([raw[:at] + raw[at + 1 :], raw[:at] + b" " + raw[at:], raw[:at] + b"0" + raw[at:]])
    )
    try:
        found = read(mutated, FrameHeader)
    except Malformed:
        return
    assert canonical(found) == mutated != raw


@settings(deadline=None)
@given(st.binary())
def test_base64_is_its_own_inverse(raw: bytes) -> None:
    assert from_base64(to_base64(raw)) == raw


@settings(deadline=None)
@given(st.integers(SAFE_INTEGER + 1) | st.integers(max_value=-SAFE_INTEGER - 1))
def test_no_integer_beyond_2_to_the_53_is_written(number: int) -> None:
    with pytest.raises(Malformed):
        canonical([number])
