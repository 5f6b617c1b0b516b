"""SHA-256 of many things that begin alike."""

from collections.abc import Iterable
from hashlib import sha256


def hash_each(beginning: bytes, rests: Iterable[bytes]) -> list[bytes]:
    """H(beginning || rest) of each rest.

    One hash object takes the beginning in and is copied for each: to set one up afresh, OpenSSL looks its algorithm up
    by name, which takes longer than hashing some hundred bytes.
    """
    copied, hashes = sha256(beginning).copy, list[bytes]()
    for rest in rests:
        one = copied()
        one.update(rest)
        hashes.append(one.digest())
    return hashes


def hash_pairs(beginning: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """H(beginning || first || second) of each pair, without putting the two together first."""
    copied, hashes = sha256(beginning).copy, list[bytes]()
    for first, second in pairs:
        one = copied()
        one.update(first)
        one.update(second)
        hashes.append(one.digest())
    return hashes
