"""Document tokens: one number, one token, for whoever has the key of the agreement."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.document_token import document_tokens
from crypto.errors import BadKey, Malformed
from crypto.pseudonym import own_pseudonyms

SEED = bytes(range(32))
AGREEMENT, ANOTHER = "0a" * 16, "0b" * 16
NUMBER = "深市监罚[2026]1号"


def test_a_token_is_what_the_page_says_for_a_fixed_seed() -> None:
    """The same by hand: HKDF of one block, and the framed parts under HMAC."""
    pseudorandom = hmac.digest(bytes(32), SEED, "sha256")
    info = b"creditport/document-token/v1" + (32).to_bytes(4) + AGREEMENT.encode()
    key = hmac.digest(pseudorandom, info + b"\x01", "sha256")
    parts = [part.encode() for part in ("201", "document_token", NUMBER)]
    framed = b"".join(len(part).to_bytes(4) + part for part in parts)

    made = document_tokens(SEED, AGREEMENT).token("201", "document_token", NUMBER)

    assert made == hmac.digest(key, framed, "sha256")[:16].hex() == "d493e7af226746fd289a053de919ed97"


@given(st.text(min_size=1), st.text(min_size=1))
def test_tokens_are_equal_only_where_number_and_agreement_are(number: str, another: str) -> None:
    tokens, elsewhere = document_tokens(SEED, AGREEMENT), document_tokens(SEED, ANOTHER)
    made = tokens.token("201", "document_token", number)

    assert made == document_tokens(SEED, AGREEMENT).token("201", "document_token", number)
    assert (made == tokens.token("201", "document_token", another)) == (number == another)
    assert made != elsewhere.token("201", "document_token", number)
    assert made != document_tokens(bytes(32), AGREEMENT).token("201", "document_token", number)


@given(st.text(), st.text(), st.text(min_size=1))
def test_the_parts_of_what_is_tokenised_cannot_run_into_each_other(kind: str, item: str, number: str) -> None:
    tokens = document_tokens(SEED, AGREEMENT)

    assert tokens.token(kind + "x", item, number) != tokens.token(kind, "x" + item, number)
    assert tokens.token(kind, item + "x", number) != tokens.token(kind, item, "x" + number)


def test_without_the_key_no_number_can_be_tried() -> None:
    """What a holder knows is the number's spelling, the agreement and home's pseudonyms: none of it makes the token."""
    made = document_tokens(SEED, AGREEMENT).token("201", "document_token", NUMBER)
    known = [AGREEMENT.encode(), *own_pseudonyms(SEED, AGREEMENT, 1, [NUMBER.encode()]), b""]

    guesses = {hmac.digest(key, NUMBER.encode(), "sha256")[:16].hex() for key in known}
    guesses |= {sha256(key + NUMBER.encode()).hexdigest()[:32] for key in known}

    assert made not in guesses


def test_the_key_is_in_no_representation() -> None:
    assert repr(document_tokens(SEED, AGREEMENT)) == "DocumentTokens(...)"


def test_no_token_stands_for_nothing_and_no_short_seed_makes_one() -> None:
    with pytest.raises(Malformed):
        document_tokens(SEED, AGREEMENT).token("201", "document_token", "")
    with pytest.raises(BadKey):
        document_tokens(SEED[:31], AGREEMENT)
