"""TOML that people write is read, or refused as one kind of error: a command has one sentence for it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import NotToml
from registry.toml import read_toml


@pytest.mark.parametrize(
    "text",
    ["a = ", f"a = {'[' * 5_000}", f"a = {'9' * 5_000}", f"a = 0x{'f' * 5_000}", f"[[t]]\na = [{{b = {2**63}}}]"],
    ids=["unfinished", "deep", "thousands of digits", "thousands of hexadecimal digits", "more than 64 bits"],
)
def test_what_no_parser_takes_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(NotToml):
        read_toml(text)


@given(st.text(alphabet="a=[]{}\"'#.,-:T \n0123456789_xe", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotToml):
        assert isinstance(read_toml(text), dict)


def test_numbers_of_64_bits_are_read() -> None:
    assert read_toml(f"a = {2**63 - 1}\nb = {-(2**63)}") == {"a": 2**63 - 1, "b": -(2**63)}
