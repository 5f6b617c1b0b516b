"""Founding a node: folder, keys, card, database, pinned authorities, adopted norms; all, or nothing to be seen."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from crypto.errors import CryptoError
from crypto.keys import PublicKey, Purpose
from node.app.errors import NotIssued, NotPinned
from node.app.opening import own_card, settings_of, utc_now
from node.config import Config, ConfigError, Folder, write_config, write_private
from node.domain.context import Context
from node.keys import OpenKeys, make_node_keys, node_keys, sealed_keystore
from node.operations.facts import Settings, load_facts
from node.operations.keep_registry import Unfit, adopt_packs, pin_authority
from node.storage.engine import create, open_store, remove
from node.storage.errors import StorageError
from registry.errors import RegistryError
from registry.norms.calendar import shanghai_day
from registry.norms.shelf import adopted_by_default
from registry.parties import ListedCard, draft_card, issue_card
from registry.statements import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An authority's card, and the digest that somebody compared out of band."""

    card: ListedCard
    digest: bytes


def found(folder: Folder, config: Config, passphrase: str, pins: Sequence[Pin]) -> ListedCard:
    """Make a new node, and give its card.

    Everything is made in a draft folder beside the final one, which is renamed last: a founding that fails leaves no
    half node behind. A process that is killed may leave an empty database on a PostgreSQL server.

    Raises:
        ConfigError: the folder is in use, or cannot be made.
        NotPinned: a card is not the one that somebody compared, or of no authority.
        NotIssued: the node's own card would not be valid.
        StorageError: the database cannot be made, or there is one already.
    """
    if folder.path.exists() and not folder.path.is_dir():
        raise ConfigError(f"{folder.path} is not a folder")
    if folder.path.exists() and any(folder.path.iterdir()):
        raise ConfigError(f"{folder.path} is not empty: a node needs a folder of its own")
    draft = Folder(folder.path.with_name(folder.path.name + ".new"))
    shutil.rmtree(draft.path, ignore_errors=True)
    try:
        context = _make(draft, config, passphrase)
        with _new_database(draft.database_url(config)) as url:
            _pin(url, _given(draft, config, pins), context)
            if config.identity.party_class.is_authority:
                _adopt(url, settings_of(draft, config, own_card(draft)), context)
            if folder.path.exists():
                folder.path.rmdir()
            draft.path.rename(folder.path)
    except OSError as error:
        raise ConfigError(f"{folder.path} cannot be made: {error.strerror}") from None
    finally:
        shutil.rmtree(draft.path, ignore_errors=True)
    return own_card(folder)


def _make(draft: Folder, config: Config, passphrase: str) -> Context:
    """Write configuration, keystore and card; gives what to act with."""
    at = utc_now()
    write_config(draft, config)
    secrets = make_node_keys(config.identity.party_class, at)
    write_private(draft.keystore, sealed_keystore(secrets, passphrase))
    keys = node_keys(secrets)
    _issue(draft, config, keys, at)
    return Context(
        node=config.identity.party,
        now=utc_now,
        random=os.urandom,
        keys=keys.node,
    )


@contextmanager
def _new_database(url: str) -> Iterator[str]:
    """Make an empty database, and take it away again if what follows fails."""
    create(url)
    try:
        yield url
    except BaseException:
        # Whatever it is, an interrupt too: nobody could found a node at an address where half of one lies.
        with suppress(StorageError):
            remove(url)
        raise


def _given(draft: Folder, config: Config, pins: Sequence[Pin]) -> list[Pin]:
    """What to pin: an authority's own card is the first."""
    card = own_card(draft)
    own = [Pin(card=card, digest=card.digest)] if config.identity.party_class.is_authority else []
    return [*own, *pins]


def _pin(url: str, pins: Sequence[Pin], context: Context) -> None:
    store = open_store(url)
    try:
        for pin in pins:
            with store.write() as work:
                pinned = pin_authority(work, pin.card, pin.digest, context)
            if isinstance(pinned, Unfit):
                raise NotPinned(pinned.why)
    finally:
        store.close()


def _adopt(url: str, settings: Settings, context: Context) -> None:
    """Adopt the shipped norms of the jurisdiction from today on, so that its parties have a law from the beginning."""
    packs = adopted_by_default(settings.own.card.jurisdiction, settings.shelf())
    store = open_store(url)
    try:
        with store.write() as work:
            facts = load_facts(work, settings, context.now())
            term = Term(start=shanghai_day(context.now()))
            adopted = adopt_packs(work, packs, term, facts, settings, context)
        if isinstance(adopted, Unfit):
            raise ConfigError(adopted.why)
    finally:
        store.close()


def _issue(draft: Folder, config: Config, keys: OpenKeys, at: datetime) -> None:
    """Write the node's self-signed card."""
    from node.domain.certificate import make_certificate  # noqa: PLC0415 - X.509 only where it is needed

    identity = config.identity
    listed = [entry for entry in keys.entries if entry.purpose not in {Purpose.TLS, Purpose.PSEUDONYM}]
    try:
        card = draft_card(
            party=identity.party,
            name_zh=identity.name_zh,
            name_en=identity.name_en,
            jurisdiction=identity.jurisdiction,
            party_class=identity.party_class,
            endpoint=config.network.endpoint,
            keys=[PublicKey(entry.purpose, entry.algorithm, entry.public) for entry in listed],
            certificate=make_certificate(identity.party, keys.tls_secret, at, os.urandom),
            serial=1,
            issued_at=at,
        )
        raw = issue_card(card, keys.node.document)
    except (CryptoError, RegistryError) as error:
        raise NotIssued(f"the party card would not be valid: {error}") from None
    write_private(draft.card, raw)
