"""Who takes part in the scenarios, what they know, and how they are asked: programs first, databases to look on."""

import csv
import re
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.demo.network import SWIFT, Member, Who, free_port, until
from node.domain.columns import IDENTITY_COLUMNS
from node.domain.records import Kind
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records
from tests.scenarios.warm import warm

FINANCING, TRADE = "CROSS_BORDER_FINANCING", "CROSS_BORDER_TRADE"
PROVIDER, RECIPIENT, RIVAL = "sz-credit", "hk-bank", "hk-rival"

WHO = {
    "sz-authority": Who("CREDIT_DEPT", "CN-SZ", "深圳信用主管部门", "Shenzhen Credit Authority"),
    "hk-authority": Who("CREDIT_DEPT", "HK", "香港信用主管機構", "Hong Kong Credit Authority"),
    PROVIDER: Who("MUNI_CREDIT_AGENCY", "CN-SZ", "深圳公共信用中心", "Shenzhen Public Credit Agency"),
    RECIPIENT: Who("FIN_INST", "HK", "香港銀行", "Hong Kong Bank"),
    RIVAL: Who("FIN_INST", "HK", "香港另一銀行", "Another Hong Kong Bank"),
}


@dataclass
class Actor(Member):
    """A member that remembers everything its programs said: the words typed, and what came of them."""

    said: list[tuple[tuple[str, ...], str]] = field(default_factory=list, repr=False)
    metrics_port: int = field(default_factory=free_port)

    def found(self, who: Who, pins: Sequence[str] = ()) -> None:
        super().found(who, pins)
        self.configure("metrics_port", str(self.metrics_port))
        # Ten nodes that look everywhere twice a second would take a third of the machine for nothing.
        self.configure("courier_every", "0.2")
        for setting in SWIFT:
            self.configure(setting, "2.0")

    def run(self, *words: str, expect: Sequence[int] = (0,)) -> "subprocess.CompletedProcess[str]":
        done = super().run(*words, expect=expect)
        self.said.append((words, done.stdout + done.stderr))
        return done

    def _done(self, program: str, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        if words[:1] == ("serve",):
            # Who serves starts threads and processes, from nothing.
            return super()._done(program, words)
        return warm().run(Path(program).name, words, self.environment())

    def rows(self, question: str, *facts: object) -> list[Any]:
        """Look into the node's database, from outside and without touching it."""
        with closing(sqlite3.connect(f"file:{self.folder / 'node.sqlite'}?mode=ro", uri=True, timeout=60)) as database:
            return database.execute(question, facts).fetchall()

    def published(self) -> int:
        """The size of the journal, once every entry has its place."""
        until("the journal is sequenced", lambda: not self._count("place IS NULL"))
        return self._count("place IS NOT NULL")

    def journal_since(self, start: int) -> list[dict[str, Any]]:
        """The entries from `start` on, as `journal show` tells them, once every entry has its place."""
        self.published()
        shown: list[dict[str, Any]] = self.ask("journal", "show", "--start", str(start), "--limit", "10000")
        return shown

    def _count(self, which: str) -> int:
        ((count,),) = self.rows(f"SELECT count(*) FROM journal_entries WHERE {which}")  # noqa: S608 - two fixed words
        return int(count)


@dataclass(frozen=True)
class Home:
    """What the provider loads: rows as its files have them. `absent` is of nobody's file."""

    enterprises: list[dict[str, str]]
    penalties: list[dict[str, str]]
    absent: str
    old_penalty_only: str
    recent_penalty: str

    @property
    def codes(self) -> list[str]:
        """Unified codes of the mainland enterprises, in the order of the file."""
        return [row["uscc"] for row in self.enterprises if row["uscc"]]


def make_home(today: date) -> Home:
    """Invented rows; some of them with amounts long enough to be searched for without chance finds."""
    rows = list(sample_enterprises(7, 300, today))
    enterprises, strangers = rows[:-20], rows[-20:]
    mainland = [row for row in enterprises if row["uscc"]]
    for number, row in enumerate(mainland[:6]):
        row["capital"] = f"{768_193_254_607 + number * 1_234_567_891}元"
    # Decisions of these days may share their date with a card or a journal, which says nothing about them.
    lately = (today - timedelta(days=60)).isoformat()
    fines = list(sample_records(Kind.PENALTY, 7, mainland[:40], 80, today))
    penalties = [row for row in fines if row["decided_on"] < lately]
    old, recent = mainland[50], mainland[51]
    penalties += [_fine(penalties, old, today - timedelta(days=6 * 366), "旧", "468135792604.37元")]
    lately_fined = today - timedelta(days=200)
    penalties += [_fine(penalties, recent, lately_fined, "新", "579246813705.48元")]
    # Others were fined alike, so that the fine may be shown as it was agreed.
    penalties += [_fine(penalties, one, lately_fined, "同", "579246813705.48元") for one in mainland[60:64]]
    absent = next(row["uscc"] for row in strangers if row["uscc"])
    return Home(enterprises, penalties, absent, old["uscc"], recent["uscc"])


def _fine(
    others: list[dict[str, str]], enterprise: Mapping[str, str], day: date, mark: str, amount: str
) -> dict[str, str]:
    names = {name: enterprise.get(name, "") for name in IDENTITY_COLUMNS}
    about = names | {
        "decision_no": f"示例罚〔{day.year}〕{mark}0000001号",
        "decided_on": day.isoformat(),
        "amount": amount,
    }
    return others[0] | about | {"penalty_types": "FINE", "generated_on": "", "small_impact": "false"}


def write_rows(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class World:
    """A running network: two authorities, a provider, and two banks of which one has agreements with it."""

    folder: Path
    sz_authority: Actor
    hk_authority: Actor
    agency: Actor
    bank: Actor
    rival: Actor
    home: Home = field(repr=False)
    example: str = field(repr=False)

    @property
    def everybody(self) -> tuple[Actor, ...]:
        return (self.sz_authority, self.hk_authority, self.agency, self.bank, self.rival)

    def sign(self, title: str, struck: Sequence[str] = (), **settings: str) -> str:
        """Draft, propose and sign the example agreement, with fields struck and settings changed; its digest."""
        lines = self.example.splitlines(keepends=True)
        text = "".join(line for line in lines if line.split(" = ")[0] not in struck)
        return self._sign(self.agency, self.bank, text, title, settings)

    def northbound(self, title: str, **settings: str) -> str:
        """Bring into force an agreement with the bank as provider and the agency, which files, as recipient."""
        example = self.bank.run("agreement", "example", "--recipient", self.agency.party).stdout
        agreement = self._sign(self.bank, self.agency, example, title, settings)
        return self._file(agreement, filer=self.agency, provider=self.bank)

    def _sign(self, provider: Actor, recipient: Actor, text: str, title: str, settings: Mapping[str, str]) -> str:
        for name, value in ({"title": f'"{title}"'} | dict(settings)).items():
            text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
            assert found, name
        draft = self.folder / f"{title.replace(' ', '-')}.toml"
        draft.write_text(text, encoding="utf-8")
        agreement = str(provider.ask("agreement", "draft", str(draft))["agreement"])
        provider.run("agreement", "propose", agreement, "--wait", "60")
        recipient.reach(agreement, "PROPOSED")
        recipient.run("agreement", "sign", agreement, "--wait", "60")
        return agreement

    def file(self, agreement: str) -> str:
        """File a signed agreement, and wait until both sides know and the provider can answer."""
        return self._file(agreement, filer=self.agency, provider=self.agency)

    def _file(self, agreement: str, *, filer: Actor, provider: Actor) -> str:
        filer.reach(agreement, "SIGNED")
        filer.run("agreement", "file", agreement, "--wait", "60")
        for party in (self.agency, self.bank):
            party.reach(agreement, "ACTIVE")
        until("the pseudonym index is built", lambda: provider.ask("agreement", "show", agreement)["ready"])
        return agreement

    def attest(self, agreement: str, subjects: Sequence[str], *purposes: str) -> None:
        """Have the bank attest consents for both kinds of records."""
        evidence = self.folder / "consent.txt"
        evidence.write_text("signed consent forms, kept by the bank\n", encoding="utf-8")
        words = [word for purpose in purposes or (FINANCING,) for word in ("--purpose", purpose)]
        self.bank.run(
            "consent", "attest", "--agreement", agreement, "--subject-file", str(self.listed(subjects)),
            *words, "--kind", "101", "--kind", "201", "--evidence", str(evidence),
        )  # fmt: skip

    def listed(self, subjects: Sequence[str]) -> Path:
        """A file with one identifier a line."""
        path = self.folder / f"subjects-{len(subjects)}-{subjects[0]}.txt"
        path.write_text("\n".join(subjects) + "\n", encoding="utf-8")
        return path


def query(agreement: str, *subjects: str, purpose: str = FINANCING) -> tuple[str, ...]:
    """A query as a person would type it."""
    named = [word for subject in subjects for word in ("--subject", subject)]
    return ("query", "--agreement", agreement, *named, "--purpose", purpose, "--wait", "60")
