"""The norm packs in a node's folder: put there by a person, from a file, and never from the network.

They lie under `norms/<kind>/<id>@<version>.<digest>.toml`, with the first digits of the digest, so that a file whose
bytes were changed gives itself away. It is then passed over, and named by `creditport norms check`.
"""

from pathlib import Path
from typing import Final

from node.config import Folder, write_private
from registry.errors import BadPack
from registry.norms.shelf import Pack, Shelf, open_pack, shipped_shelf

_DIGITS: Final = 16


def shelf_of(folder: Folder) -> Shelf:
    """The packs at hand: those the product ships, and those installed here."""
    packs: list[Pack] = []
    unusable: list[BadPack] = []
    for file in sorted(folder.norms.glob("*/*.toml")):
        try:
            packs.append(_installed(file, folder))
        except BadPack as unfit:
            unusable.append(unfit)
    return shipped_shelf().and_also(packs, unusable)


def install(folder: Folder, raw: bytes, where: str) -> Pack:
    """Put a pack into the node's folder; it is used once an authority has adopted exactly these bytes.

    Raises:
        NotAPack: it is none; file and place are named.
        BadPack: it must not be used; the same.
        ConfigError: it cannot be written.
    """
    pack = open_pack(raw, where)
    write_private(folder.norms / _place(pack), raw)
    return pack


def _installed(file: Path, folder: Folder) -> Pack:
    where = str(file.relative_to(folder.norms))
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BadPack(where, "the whole file", f"readable ({error.strerror})") from None
    pack = open_pack(raw, where)
    if where != _place(pack):
        raise BadPack(where, "the whole file", f"the bytes of which it is named, got those of {_place(pack)}")
    return pack


def _place(pack: Pack) -> str:
    return f"{pack.reference}.{pack.digest.hex()[:_DIGITS]}.toml"
