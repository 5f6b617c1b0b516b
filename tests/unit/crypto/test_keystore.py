"""The keystore file."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crypto import keystore
from crypto.canonical import canonical, to_base64
from crypto.errors import BadKey, DamagedKeystore, WrongPassphrase
from crypto.keys import Algorithm, KeyId, Purpose
from crypto.keystore import LIGHT, KeyEntry, KeyState, Parameters, Secrets
from tests.vectors.fixed import FixedRandom, seal_key, signing_key

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST = keystore.entry_of(signing_key(Purpose.FRAME, "first"), NOON)
SECOND = keystore.entry_of(signing_key(Purpose.FRAME, "second"), LATER)
SEAL = keystore.entry_of(seal_key("unit"), NOON)
SEED = KeyEntry(
    purpose=Purpose.PSEUDONYM,
    algorithm=Algorithm.RISTRETTO255,
    key_id=KeyId("0a" * 16),
    secret=bytes(range(32)),
    public=b"",
    created_at=NOON,
)
SECRETS = Secrets((FIRST, SEAL, SEED))
RAW = keystore.lock(SECRETS, "open sesame", LIGHT, FixedRandom("keystore"))


def altered(path: str, value: object) -> bytes:
    """The file with one field replaced, without mending the checksum."""
    file: dict[str, Any] = json.loads(RAW)
    part = file
    *parents, last = path.split(".")
    for name in parents:
        part = part[name]
    part[last] = value
    return canonical(file)


def mended(path: str, value: object) -> bytes:
    """The file with one field replaced, as somebody would who knows how the checksum is made."""
    file = json.loads(altered(path, value))
    file["checksum"] = keystore._checksum(file["header"], file["ciphertext"])
    return canonical(file)


def test_what_was_locked_is_unlocked() -> None:
    assert keystore.unlock(RAW, "open sesame") == SECRETS


def test_the_standard_parameters_open_too() -> None:
    assert Parameters(passes=3, memory=64 * 1024, lanes=4) == keystore.STANDARD
    raw = keystore.lock(Secrets((FIRST,)), "x", keystore.STANDARD, FixedRandom("standard"))

    assert keystore.unlock(raw, "x") == Secrets((FIRST,))


def test_retired_keys_are_kept() -> None:
    secrets = SECRETS.adding(SECOND).retiring(FIRST.key_id, LATER)

    found = keystore.unlock(keystore.lock(secrets, "x", LIGHT, FixedRandom("r")), "x")

    assert [entry.state for entry in found.history(Purpose.FRAME)] == [KeyState.RETIRED, KeyState.ACTIVE]
    assert found.history(Purpose.FRAME)[0].retired_at == LATER
    assert found.current(Purpose.FRAME) == SECOND


def test_locking_again_shows_nothing_in_common() -> None:
    random = FixedRandom("again")
    first, second = (json.loads(keystore.lock(SECRETS, "x", LIGHT, random)) for _ in range(2))

    assert first["header"]["salt"] != second["header"]["salt"]
    assert first["header"]["nonce"] != second["header"]["nonce"]
    assert first["header"]["check"] != second["header"]["check"]
    assert first["ciphertext"] != second["ciphertext"]


def test_no_secret_is_in_the_file_in_the_clear() -> None:
    for entry in SECRETS:
        assert entry.secret not in RAW
        assert to_base64(entry.secret).encode() not in RAW


def test_a_wrong_passphrase_is_named_so() -> None:
    with pytest.raises(WrongPassphrase):
        keystore.unlock(RAW, "open barley")


@pytest.mark.parametrize("at", range(0, len(RAW), 7))
def test_a_damaged_byte_is_named_so_whatever_the_passphrase(at: int) -> None:
    damaged = RAW[:at] + bytes([RAW[at] ^ 1]) + RAW[at + 1 :]

    for passphrase in ("open sesame", "open barley"):
        with pytest.raises(DamagedKeystore):
            keystore.unlock(damaged, passphrase)


@pytest.mark.parametrize("size", [0, 1, len(RAW) // 2, len(RAW) - 1])
def test_a_cut_file_is_damaged(size: int) -> None:
    with pytest.raises(DamagedKeystore):
        keystore.unlock(RAW[:size], "open sesame")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("header.kdf.memory", 1024 * 1024 + 1),
        ("header.kdf.memory", 7),
        ("header.kdf.passes", 17),
        ("header.kdf.passes", 0),
        ("header.kdf.lanes", 17),
        ("header.kdf.algorithm", "scrypt"),
        ("header.format", "creditport-keystore/v2"),
        ("header.extra", 1),
        ("header.salt", "AAAA"),
        ("header.nonce", "A"),
    ],
)
def test_a_file_that_asks_for_the_absurd_is_refused_before_any_work(path: str, value: object) -> None:
    with pytest.raises(DamagedKeystore):
        keystore.unlock(mended(path, value), "open sesame")


@pytest.mark.parametrize("path", ["header.nonce", "ciphertext"])
def test_an_altered_file_with_a_mended_checksum_does_not_open(path: str) -> None:
    value = json.loads(RAW)["header"]["nonce"] if path == "ciphertext" else "AAAAAAAAAAAAAAAA"

    with pytest.raises(DamagedKeystore):
        keystore.unlock(mended(path, value), "open sesame")


@pytest.mark.parametrize(
    "cost",
    [{"passes": 0}, {"passes": 17}, {"memory": 31}, {"memory": 1024 * 1024 + 1}, {"lanes": 0}, {"lanes": 17}],
)
def test_absurd_parameters_lock_nothing(cost: dict[str, int]) -> None:
    with pytest.raises(BadKey):
        Parameters(**cost)


def test_a_key_check_that_was_replaced_does_not_open() -> None:
    with pytest.raises(WrongPassphrase):
        keystore.unlock(mended("header.check", "0" * 32), "open sesame")


def test_entries_give_back_their_keys() -> None:
    assert FIRST.signing_key() == signing_key(Purpose.FRAME, "first")
    assert SEAL.seal_key() == seal_key("unit")
    with pytest.raises(BadKey):
        FIRST.seal_key()
    with pytest.raises(BadKey):
        SEAL.signing_key()


def test_a_purpose_without_an_active_key_has_no_current_one() -> None:
    with pytest.raises(BadKey):
        SECRETS.retiring(FIRST.key_id, LATER).current(Purpose.FRAME)


def test_a_key_is_added_once() -> None:
    with pytest.raises(BadKey):
        SECRETS.adding(FIRST)


def test_an_unknown_key_is_not_retired() -> None:
    with pytest.raises(BadKey):
        SECRETS.retiring(SECOND.key_id, LATER)


def test_a_retired_key_found_compromised_keeps_the_day_it_retired() -> None:
    secrets = SECRETS.retiring(FIRST.key_id, NOON).retiring(FIRST.key_id, LATER, KeyState.COMPROMISED)

    assert secrets.entries[0] == replace(FIRST, retired_at=NOON, state=KeyState.COMPROMISED)


def test_secrets_are_not_shown() -> None:
    shown = f"{SECRETS!r} {keystore._entry_to_text(FIRST)!r}"

    assert repr(FIRST.secret) not in shown
    assert to_base64(FIRST.secret) not in shown
