"""A new party card: the same keys and certificate, a higher serial, perhaps another endpoint."""

import msgspec

from crypto.errors import CryptoError
from node.app.errors import NotIssued
from node.app.opening import own_card, utc_now
from node.config import Folder, read_config, write_config, write_private
from node.keys import open_node_keys
from node.operations.keep_registry import Unfit
from registry.errors import RegistryError
from registry.parties import ListedCard, issue_card


def renew_card(folder: Folder, passphrase: str, endpoint: str, listen: str) -> ListedCard | Unfit:
    """Issue the node's next card; empty texts leave what is there. An authority, whose card others pinned, has none.

    Peers go by the old card until the authority has admitted the new one. A party that was revoked comes back by a
    new card only.

    Raises:
        NotIssued: the card would not be valid.
        ConfigError: there is no node in the folder, or it is damaged.
        KeysError: the keystore does not open.
    """
    config, own = read_config(folder), own_card(folder)
    if own.card.party_class.is_authority:
        return Unfit(why="an authority's card is pinned by its fingerprint at every node, so it stays as it is")
    network = msgspec.structs.replace(
        config.network, endpoint=endpoint or config.network.endpoint, listen=listen or config.network.listen
    )
    card = msgspec.structs.replace(own.card, endpoint=network.endpoint, serial=own.card.serial + 1, issued_at=utc_now())
    try:
        raw = issue_card(card, open_node_keys(folder.keystore, passphrase).node.document)
    except (CryptoError, RegistryError) as error:
        raise NotIssued(f"the party card would not be valid: {error}") from None
    # The card is what others see, so it is written last: a crash in between leaves the old card and a harmless setting.
    write_config(folder, msgspec.structs.replace(config, network=network))
    write_private(folder.card, raw)
    return own_card(folder)
