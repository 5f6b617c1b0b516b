"""Reading a norm pack: TOML text into a typed fact, strictly, naming the place that does not fit."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final, TypeVar

import msgspec

from registry.errors import BadPack, NotAPack, NotToml
from registry.toml import read_toml

T = TypeVar("T")
_COMPLAINTS: Final = {
    "Expected ": "",
    "Object missing required field ": "a field ",
    "Object contains unknown field ": "no field ",
    "Invalid enum value ": "a known value, got ",
}


def read_pack(text: str, kind: type[T], pack: str) -> T:
    """The pack in `text`; `pack` is the name by which errors call it.

    Raises:
        NotAPack: not TOML, or a key is missing, unknown, or of another type; the error names the place.
    """
    plain = read_tables(text, pack)
    try:
        return msgspec.convert(plain, kind, strict=True, str_keys=True)
    except msgspec.ValidationError as failure:
        complaint, _, place = str(failure).rpartition(" - at ")
        raise NotAPack(pack, place.replace("`", "") if complaint else "$", _expected(complaint or place)) from None


def _expected(complaint: str) -> str:
    """What a decoder's complaint says was expected, to be read after that word."""
    for begins, instead in _COMPLAINTS.items():
        if complaint.startswith(begins):
            return instead + complaint.removeprefix(begins)
    return complaint


def read_tables(text: str, pack: str) -> Mapping[str, object]:
    """The tables of a TOML text, before it is known of what they are; NotAPack when it is not TOML."""
    try:
        return _tables(text)
    except NotToml:
        raise NotAPack(pack, "the whole file", "TOML") from None


@lru_cache(maxsize=1)
def _tables(text: str) -> Mapping[str, object]:
    """Parsing is most of the work: who asks what a text is, and then reads it, has it parsed once."""
    return read_toml(text)


def shipped(folder: str, name: str) -> str:
    """The text of a pack that the product ships under `registry/data/<folder>/<name>.toml`.

    Raises:
        BadPack: none of that name is shipped.
    """
    return shipped_bytes(folder, name).decode()


def shipped_bytes(folder: str, name: str) -> bytes:
    """The exact bytes of the same; BadPack when none of that name is shipped."""
    source = files("registry") / "data" / folder / f"{name}.toml"
    if not source.is_file():
        raise BadPack(name, folder, "not among the shipped packs")
    return source.read_bytes()


def shipped_names(folder: str) -> tuple[str, ...]:
    """The names of the packs shipped under `registry/data/<folder>`, in order."""
    found = (entry.name for entry in (files("registry") / "data" / folder).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))
