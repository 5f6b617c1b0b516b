"""Opening the node's keystore and its operators' keystores: files here, bytes in `crypto.keystore`."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crypto.errors import DamagedKeystore, WrongPassphrase
from crypto.keys import Algorithm, Purpose, SigningKey, generate, generate_seal_key, key_id
from crypto.keystore import STANDARD, KeyEntry, Parameters, Secrets, entry_of, lock, require_sound, unlock
from crypto.pseudonym import SEED_SIZE, public_key
from node.domain.context import NodeKeys
from registry.parties import PartyClass


class KeysError(Exception):
    """A keystore could not be opened; the text is one sentence for a person and never shows a key."""


class NoSuchKey(KeysError):
    """A file that somebody named as a key of an enterprise is none; the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenKeys:
    """Everything the keystore holds, ready for use. `tls_secret` is the 32-byte secret of the TLS key."""

    node: NodeKeys = field(repr=False)
    tls_secret: bytes = field(repr=False)
    entries: tuple[KeyEntry, ...] = field(repr=False)


def make_node_keys(party_class: PartyClass, at: datetime) -> Secrets:
    """Fresh keys for a new node, one for each purpose."""
    from node.domain.certificate import new_tls_secret, tls_public_key  # noqa: PLC0415 - X.509 only where it is needed

    signing = [Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL]
    if party_class.is_authority:
        signing.append(Purpose.REGISTRY)
    entries = [entry_of(generate(purpose, os.urandom), at) for purpose in signing]
    entries.append(entry_of(generate_seal_key(os.urandom), at))
    tls = new_tls_secret(os.urandom)
    entries.append(_plain_entry(Purpose.TLS, Algorithm.P256, tls, tls_public_key(tls), at))
    seed = os.urandom(SEED_SIZE)
    # The seed has no public half of its own: its name is that of a key derived for no agreement at all.
    entries.append(_plain_entry(Purpose.PSEUDONYM, Algorithm.RISTRETTO255, seed, public_key(seed, "", 0), at))
    return Secrets(tuple(entries))


def make_person_keys(at: datetime, purpose: Purpose = Purpose.OPERATOR) -> tuple[Secrets, SigningKey]:
    """A fresh signing key for one operator, or for an enterprise that declares something of itself."""
    key = generate(purpose, os.urandom)
    return Secrets((entry_of(key, at),)), key


def sealed_keystore(secrets: Secrets, passphrase: str, parameters: Parameters = STANDARD) -> bytes:
    """The keystore file of these secrets under a passphrase."""
    return lock(secrets, passphrase, parameters, os.urandom)


def open_node_keys(path: Path, passphrase: str) -> OpenKeys:
    """Open a node's keystore.

    Raises:
        KeysError: it is missing, damaged, or the passphrase is wrong.
    """
    return node_keys(_open(path, passphrase, "the node's keystore"))


def node_keys(secrets: Secrets) -> OpenKeys:
    """The keys in use, out of everything the keystore holds."""
    return OpenKeys(
        node=NodeKeys(
            document=secrets.current(Purpose.DOCUMENT).signing_key(),
            frame=secrets.current(Purpose.FRAME).signing_key(),
            journal=secrets.current(Purpose.JOURNAL).signing_key(),
            registry=_registry_key(secrets),
            seal=secrets.current(Purpose.SEAL).seal_key(),
            pseudonym_seed=secrets.current(Purpose.PSEUDONYM).secret,
        ),
        tls_secret=secrets.current(Purpose.TLS).secret,
        entries=secrets.entries,
    )


def open_operator_key(path: Path, name: str, passphrase: Callable[[], str]) -> SigningKey:
    """Open one operator's signing key; the passphrase is only asked for when there is such an operator."""
    if not path.exists():
        raise KeysError(f"there is no operator {name} at this node: add one with `creditport operator add`")
    return _open(path, passphrase(), f"the keystore of operator {name}").current(Purpose.OPERATOR).signing_key()


def open_subject_key(path: Path, passphrase: Callable[[], str]) -> SigningKey:
    """Open an enterprise's own signing key, which no node knows; the passphrase is only asked for a keystore.

    Raises:
        NoSuchKey: the file is no keystore, or one without such a key.
        KeysError: it is missing or cannot be read, or the passphrase is wrong.
    """
    if not path.exists():
        raise KeysError(f"there is no key in {path}: make one with `creditport declaration key`")
    try:
        raw = path.read_bytes()
        require_sound(raw)
        secrets = unlock(raw, passphrase())
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}") from None
    except WrongPassphrase:
        raise KeysError(f"wrong passphrase for {path}, the key of the enterprise") from None
    except DamagedKeystore:
        raise NoSuchKey(f"{path} is no key of an enterprise, or a damaged one") from None
    if not secrets.history(Purpose.SUBJECT):
        raise NoSuchKey(f"{path} holds no key of an enterprise")
    return secrets.current(Purpose.SUBJECT).signing_key()


def _open(path: Path, passphrase: str, what: str) -> Secrets:
    try:
        return unlock(path.read_bytes(), passphrase)
    except FileNotFoundError:
        raise KeysError(f"{what} is missing: {path}") from None
    except WrongPassphrase:
        raise KeysError(f"wrong passphrase for {what}") from None
    except DamagedKeystore:
        raise KeysError(f"{what} is damaged: restore {path} from a backup") from None
    except OSError as error:
        raise KeysError(f"{what} cannot be read: {error.strerror}") from None


def _registry_key(secrets: Secrets) -> SigningKey | None:
    return secrets.current(Purpose.REGISTRY).signing_key() if secrets.history(Purpose.REGISTRY) else None


def _plain_entry(purpose: Purpose, algorithm: Algorithm, secret: bytes, public: bytes, at: datetime) -> KeyEntry:
    name = key_id(purpose, algorithm, public)
    return KeyEntry(purpose=purpose, algorithm=algorithm, key_id=name, secret=secret, public=public, created_at=at)
