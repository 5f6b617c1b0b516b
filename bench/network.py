"""A filed agreement between two real nodes, ready to be asked about: what every measurement of exchange starts from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.wires import Server, Tls
from crypto.canonical import from_base64
from deploy.demo.network import Member, Who, found_network, free_port, mirrored, until
from node.app.opening import Node, opened
from node.config import Folder
from node.domain.certificate import certificate_name
from node.wire.tls import Identity, certificate_pem

WHO = {
    "sz-authority": Who("CREDIT_DEPT", "CN-SZ", "深圳信用主管部门", "Shenzhen Credit Authority"),
    "hk-authority": Who("CREDIT_DEPT", "HK", "香港信用主管機構", "Hong Kong Credit Authority"),
    "sz-credit": Who("MUNI_CREDIT_AGENCY", "CN-SZ", "深圳公共信用中心", "Shenzhen Public Credit Agency"),
    "hk-bank": Who("FIN_INST", "HK", "香港銀行", "Hong Kong Bank"),
}
SUBJECTS = 1_000
PENALTIES = 400
WITHOUT_END = {"elements_per_epoch": 10**9, "elements_lifetime": 10**9, "queries_per_day": 10**9}
A_MONTH = "2592000.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Home serves alone; the authorities have been heard for a month ahead, and the bank is ours to play."""

    home: Member
    bank: Member
    agreement: str
    enterprises: Path = field(repr=False)

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
def founded(folder: Path) -> Iterator[Network]:
    """Found four nodes, load records, agree and file; then let only home serve on."""
    members = [Member(party, folder / party, free_port(), passphrase="bench") for party in WHO]
    sz_authority, hk_authority, home, bank = members
    try:
        found_network((sz_authority, hk_authority), (home, bank), WHO)
        for authority, institution in ((sz_authority, home), (hk_authority, bank)):
            authority.run("party", "admit", str(institution.card), "--fingerprint", institution.fingerprint())
        mirrored(members)
        enterprises = _load(home, folder)
        agreement = _agree(home, bank, folder / "agreement.toml")
        for member in members:
            member.stop()
        for setting, value in (("registry_read_every", "3600.0"), ("registry_max_age", A_MONTH)):
            home.configure(setting, value)
        home.serve()
        yield Network(home=home, bank=bank, agreement=agreement, enterprises=enterprises)
    finally:
        for member in members:
            member.stop()


def _load(home: Member, folder: Path) -> Path:
    enterprises, penalties = folder / "enterprises.csv", folder / "penalties.csv"
    home.run("records", "sample", str(enterprises), "--kind", "101", "--count", str(SUBJECTS))
    of = ("--of", str(enterprises))
    home.run("records", "sample", str(penalties), "--kind", "201", "--count", str(PENALTIES), *of)
    home.run("records", "import", str(enterprises), "--kind", "101")
    home.run("records", "import", str(penalties), "--kind", "201")
    return enterprises


def _agree(home: Member, bank: Member, draft: Path) -> str:
    text = home.run("agreement", "example", "--recipient", bank.party).stdout
    lines = (line.partition(" = ") for line in text.splitlines())
    wide = [f"{name} = {WITHOUT_END.get(name, value)}" if equals else name for name, equals, value in lines]
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
