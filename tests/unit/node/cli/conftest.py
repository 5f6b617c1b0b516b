"""A founded bank that trusts a founded authority, made once and copied for every test; nothing serves."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from node.cli.main import program
from tests.fakes.light import light_keystores

PASSPHRASES = {"CREDITPORT_PASSPHRASE": "of the house", "CREDITPORT_OPERATOR_PASSPHRASE": "of alice"}
AUTHORITY_WORDS = (
    "--party", "hk-authority", "--class", "CREDIT_DEPT", "--jurisdiction", "HK", "--name-zh", "香港信用主管機構",
    "--name-en", "Hong Kong Credit Authority", "--listen", "127.0.0.1:7001",
)  # fmt: skip
BANK_WORDS = (
    "--party", "hk-bank", "--class", "FIN_INST", "--jurisdiction", "HK", "--name-zh", "香港示範銀行",
    "--name-en", "Hong Kong Demo Bank", "--listen", "127.0.0.1:7002",
)  # fmt: skip


@dataclass(frozen=True)
class Terminal:
    """Runs the program as a person at one node would."""

    node: Path
    environment: dict[str, str]

    def run(self, *words: str, code: int = 0, **environment: str) -> Result:
        result = CliRunner().invoke(_program(words[0]), list(words), env=self.environment | environment)
        assert result.exit_code == code, (words, result.exit_code, result.output)
        assert "Traceback" not in result.output
        return result

    def ask(self, *words: str, code: int = 0) -> Any:
        """The same with --json, parsed."""
        return json.loads(self.run(*words, "--json", code=code).stdout)


@cache
def _program(word: str) -> typer.Typer:
    """What of the program this word begins, as for a person who types it; built once."""
    return program(word)


def at(node: Path) -> Terminal:
    variables = PASSPHRASES | {"CREDITPORT_NODE": str(node), "CREDITPORT_OPERATOR": "alice", "COLUMNS": "200"}
    return Terminal(node, variables)


@pytest.fixture(scope="module", autouse=True)
def _lightly() -> Iterator[None]:
    with light_keystores():
        yield


@pytest.fixture(scope="session")
def founded_nodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nodes")
    authority, bank = at(folder / "authority"), at(folder / "bank")
    with light_keystores():
        authority.run("init", *AUTHORITY_WORDS)
        fingerprint = authority.ask("party", "card")["fingerprint"]
        bank.run("init", *BANK_WORDS, "--authority", f"{authority.node}/card.json@{fingerprint}")
        for terminal in (authority, bank):
            roles = [word for role in terminal.ask("operator", "roles") for word in ("--role", role)]
            terminal.run("operator", "add", "alice", *roles)
    return folder


@pytest.fixture
def nodes(founded_nodes: Path, tmp_path: Path) -> Callable[[str], Terminal]:
    """Terminals at fresh copies of the two nodes."""
    copies = shutil.copytree(founded_nodes, tmp_path / "nodes")
    return lambda name: at(Path(copies) / name)


@pytest.fixture
def bank(nodes: Callable[[str], Terminal]) -> Terminal:
    return nodes("bank")


@pytest.fixture
def authority(nodes: Callable[[str], Terminal]) -> Terminal:
    return nodes("authority")
