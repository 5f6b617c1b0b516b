"""A filed agreement between two real nodes, ready to be asked about: what every measurement of exchange starts from."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agreements.terms import epoch_at
from bench.databases import Place
from bench.wires import Server, Tls
from crypto.canonical import from_base64
from deploy.demo.network import Member, Who, found_network, free_port, mirrored, until
from node.app.opening import Node, opened, utc_now
from node.config import Folder
from node.domain.certificate import certificate_name
from node.operations.ports import UnitOfWork
from node.wire.tls import Identity, certificate_pem

WHO = {
    "sz-authority": Who("CREDIT_DEPT", "CN-SZ", "深圳信用主管部门", "Shenzhen Credit Authority"),
    "hk-authority": Who("CREDIT_DEPT", "HK", "香港信用主管機構", "Hong Kong Credit Authority"),
    "sz-credit": Who("MUNI_CREDIT_AGENCY", "CN-SZ", "深圳公共信用中心", "Shenzhen Public Credit Agency"),
    "hk-bank": Who("FIN_INST", "HK", "香港銀行", "Hong Kong Bank"),
}
SUBJECTS = 1_000
PENALTIES = 400
WITHOUT_END = {"elements_per_epoch": "1000000000", "elements_lifetime": "1000000000", "queries_per_day": "1000000000"}
TERMS = WITHOUT_END | {"manner": '["PULL", "PUSH"]'}
A_MONTH, AN_HOUR = "2592000.0", "3600.0"
QUIET = {
    "registry_read_every": AN_HOUR,
    "registry_max_age": A_MONTH,
    "retention_every": AN_HOUR,
    "erase_every": AN_HOUR,
}
"""What a node that is measured does not do meanwhile: hear authorities, and write its database anew."""
SERVE = (sys.executable, "-m", "bench.varied")


@dataclass
class Institution(Member):
    """A node with its database at `url`, of which one thing can be varied while it serves (see `bench.varied`)."""

    url: str = ""
    program: tuple[str, ...] = SERVE

    def run(self, *words: str, expect: Sequence[int] = (0,)) -> "subprocess.CompletedProcess[str]":
        """Run one command at this node; its database is named where it is made."""
        where = ("--database", self.url) if words[0] == "init" else ()
        return super().run(*words, *where, expect=expect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Home serves alone; the authorities are heard for a month ahead, and the bank is ours to play, or to serve."""

    place: Place
    home: Institution
    bank: Institution
    agreement: str
    enterprises: Path = field(repr=False)

    @property
    def digest(self) -> bytes:
        """The agreement by its digest."""
        return bytes.fromhex(self.agreement)

    def epoch(self, node: Node, work: UnitOfWork) -> int:
        """The number of the agreement's present epoch."""
        epoch = epoch_at(node.facts(work).agreements[self.digest].terms, utc_now())
        assert epoch is not None
        return epoch.number

    @property
    def server(self) -> Server:
        """Home's serving process."""
        assert self.home.process is not None
        return Server(address=f"127.0.0.1:{self.home.port}", process=self.home.process.pid)

    @contextmanager
    def keys(self, member: Member) -> Iterator[Node]:
        """A node opened beside the serving process, for its keys and facts."""
        with opened(Folder(member.folder), member.passphrase) as node:
            yield node

    def tls(self) -> Tls:
        """What both sides show each other: home as the server, the bank as its client."""
        with self.keys(self.home) as home, self.keys(self.bank) as bank:
            return Tls(
                name=certificate_name(home.party),
                server_key=_identity(home).key_pem,
                server_certificate=certificate_pem(_identity(home).certificate),
                client_key=_identity(bank).key_pem,
                client_certificate=certificate_pem(_identity(bank).certificate),
            )


@contextmanager
def founded(place: Place) -> Iterator[Network]:
    """Found four nodes, load records, agree and file; then let only home serve on."""
    folder = place.folder
    sz_authority, hk_authority = (Member(party, folder / party, free_port(), "bench") for party in list(WHO)[:2])
    home, bank = (
        Institution(party, folder / party, free_port(), "bench", url=place.url()) for party in list(WHO)[2:]
    )  # fmt: skip
    members: list[Member] = [sz_authority, hk_authority, home, bank]
    try:
        found_network((sz_authority, hk_authority), (home, bank), WHO)
        for authority, institution in ((sz_authority, home), (hk_authority, bank)):
            authority.run("party", "admit", str(institution.card), "--fingerprint", institution.fingerprint())
        mirrored(members)
        enterprises = _load(home, folder)
        agreement = _agree(home, bank, folder / "agreement.toml")
        for member in members:
            member.stop()
        for member in (home, bank):
            for setting, value in QUIET.items():
                member.configure(setting, value)
        home.serve()
        yield Network(place=place, home=home, bank=bank, agreement=agreement, enterprises=enterprises)
    finally:
        for member in members:
            member.stop()


def _load(home: Member, folder: Path) -> Path:
    enterprises, penalties = folder / "enterprises.csv", folder / "penalties.csv"
    home.run("records", "sample", str(enterprises), "--kind", "101", "--count", str(SUBJECTS))
    of = ("--of", str(enterprises))
    home.run("records", "sample", str(penalties), "--kind", "201", "--count", str(PENALTIES), *of)
    home.run("records", "import", str(enterprises), "--kind", "101", "--source", "SZ-CREDIT")
    home.run("records", "import", str(penalties), "--kind", "201", "--source", "SZ-CREDIT")
    return enterprises


def _agree(home: Member, bank: Member, draft: Path) -> str:
    text = home.run("agreement", "example", "--recipient", bank.party).stdout
    lines = (line.partition(" = ") for line in text.splitlines())
    wide = [f"{name} = {TERMS.get(name, value)}" if equals else name for name, equals, value in lines]
    draft.write_text("\n".join(wide) + "\n", encoding="utf-8")
    agreement = str(home.ask("agreement", "draft", str(draft))["agreement"])
    home.run("agreement", "propose", agreement)
    bank.reach(agreement, "PROPOSED")
    bank.run("agreement", "sign", agreement)
    home.reach(agreement, "SIGNED")
    home.run("agreement", "file", agreement)
    for member in (home, bank):
        member.reach(agreement, "ACTIVE")
    until("the index is built", lambda: home.ask("agreement", "show", agreement)["ready"])
    return agreement


def _identity(node: Node) -> Identity:
    assert node.keys is not None
    return Identity.of(from_base64(node.settings.own.card.tls_certificate), node.keys.tls_secret)
