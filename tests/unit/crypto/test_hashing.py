"""Many hashes that begin alike are those of each by itself."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from crypto.hashing import hash_each, hash_pairs


@given(st.binary(max_size=130), st.lists(st.binary(max_size=130), max_size=5))
def test_each_is_hashed_behind_the_beginning(beginning: bytes, rests: list[bytes]) -> None:
    assert hash_each(beginning, rests) == [sha256(beginning + rest).digest() for rest in rests]


@given(st.binary(max_size=130), st.lists(st.tuples(st.binary(max_size=130), st.binary(max_size=130)), max_size=5))
def test_each_pair_is_hashed_as_one_behind_the_other(beginning: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    assert hash_pairs(beginning, pairs) == [sha256(beginning + one + other).digest() for one, other in pairs]
