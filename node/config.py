"""A node's configuration: one folder, one `node.toml` in it.

The folder holds everything of a node: `node.toml`, the keystore, the operators' keystores, the party card, and (on
SQLite) the database. File permissions of the operating system guard it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from registry.errors import NotToml
from registry.parties import Jurisdiction, PartyClass, PartyId
from registry.toml import read_toml

CONFIG_FILE = "node.toml"
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
SQLITE_IN_FOLDER = "sqlite:///node.sqlite"
"""The database, where nothing else is said: a file in the node's folder."""

_FORMER_LAW: Final = {"rule_pack": "SZ-DRAFT-82", "catalogue": "SZ-2026"}

Endpoint = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9.\-]{1,253}:[0-9]{1,5}\Z")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400 * 30)]


class ConfigError(Exception):
    """The node's folder or its node.toml is not as it must be; the text is one sentence for a person."""


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the node is: what its party card says."""

    party: PartyId
    name_zh: str
    name_en: str
    jurisdiction: Jurisdiction
    party_class: PartyClass


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the node listens, and where others reach it."""

    listen: Endpoint
    endpoint: Endpoint
    metrics_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cadences in seconds.

    `registry_max_age` is how old an authority's newest head may be before nothing more is disclosed. `erase_every` is
    how long destroyed content may lie in the database's files: erasing writes the database anew, and nobody else
    writes to it meanwhile.
    """

    checkpoint_every: Seconds = 1.0
    registry_head_every: Seconds = 60.0
    registry_read_every: Seconds = 10.0
    registry_max_age: Seconds = 3_600.0
    courier_every: Seconds = 0.05
    retention_every: Seconds = 60.0
    erase_every: Seconds = 3_600.0
    clocks_every: Seconds = 60.0
    recheck_every: Seconds = 5.0


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in node.toml.

    So many processes evaluate blinded identifiers, and open the authorisations of queries, beside the one that serves;
    with 0 it does so itself.
    """

    identity: Identity
    network: Network
    database: str = SQLITE_IN_FOLDER
    evaluation_workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 1
    authorisation_workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 1
    timing: Timing = Timing()


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths inside a node's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """node.toml."""
        return self.path / CONFIG_FILE

    @property
    def keystore(self) -> Path:
        """The encrypted keys of the node."""
        return self.path / "keystore.json"

    @property
    def card(self) -> Path:
        """The node's own signed party card."""
        return self.path / "card.json"

    @property
    def norms(self) -> Path:
        """The norm packs that were installed here, beside those that the product ships."""
        return self.path / "norms"

    @property
    def lock(self) -> Path:
        """Held by the one serving process."""
        return self.path / "serving.lock"

    @property
    def shared_lock(self) -> Path:
        """Held by every serving process together, where several may serve."""
        return self.path / "serving.shared.lock"

    def operator(self, name: str) -> Path:
        """The encrypted signing key of one operator."""
        return self.path / "operators" / f"{name}.json"

    def database_url(self, config: Config) -> str:
        """The database's URL, with a relative SQLite path resolved against the folder."""
        prefix = "sqlite:///"
        if config.database.startswith(prefix):
            return prefix + str((self.path / config.database.removeprefix(prefix)).resolve())
        return config.database


def read_config(folder: Folder) -> Config:
    """Read and check node.toml.

    Raises:
        ConfigError: there is no node in the folder, or node.toml is not valid; the sentence names the place.
    """
    try:
        raw = folder.config.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no node in {folder.path}: make one with `creditport init`") from None
    except OSError as error:
        raise ConfigError(f"{folder.config} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{folder.config} is not UTF-8 text") from None
    try:
        plain = read_toml(raw)
        if plain.get("law") == _FORMER_LAW:
            del plain["law"]  # written by versions that chose the packs here; authorities adopt them now
        return msgspec.convert(plain, Config)
    except NotToml as error:
        raise ConfigError(f"{folder.config} is not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{folder.config} is not valid: {error}") from None


def write_config(folder: Folder, config: Config) -> None:
    """Write a new node.toml; every setting stands in it, so that an operator sees what can be set."""
    folder.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    plain = msgspec.to_builtins(config)
    tables = {name: value for name, value in plain.items() if isinstance(value, dict)}
    lines = [f"{name} = {_toml(value)}" for name, value in plain.items() if name not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    write_private(folder.config, ("\n".join(lines) + "\n").encode())


def write_private(path: Path, raw: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all (also across a crash)."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _toml(value: object) -> str:
    """One TOML value: numbers as they are, text as a basic string (JSON's escapes are TOML's)."""
    return msgspec.json.encode(value).decode()
