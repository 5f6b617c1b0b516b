"""Keystores that open at once, for who opens them by the hundred."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crypto.keys import Random
from crypto.keystore import LIGHT, Secrets, lock
from node import keys


def locked_lightly(secrets: Secrets, passphrase: str, _: object, random: Random) -> bytes:
    """Lock, whatever work the node would have it cost; what that is, `contracts/test_founding` looks at."""
    return lock(secrets, passphrase, LIGHT, random)


@contextmanager
def light_keystores() -> Iterator[None]:
    """Have new keystores, of nodes and of operators, locked lightly in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "lock", locked_lightly)
        yield
