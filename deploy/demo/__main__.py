"""Two authorities, two institutions, one filed agreement: queries, a push, a correction and a deletion that arrive.

Four real processes on the loopback interface, driven through the `creditport` program as people would drive it.
"""

import argparse
import csv
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.network import Member, Surprise, Who, found_network, free_port, mirrored, until
from deploy.demo.registers import MUNICIPAL, load_registers
from deploy.demo.story import Story, console
from node.app.lock import is_served
from node.config import Folder

BIN = Path(sys.executable).parent
ENTERPRISES = 1_050
PENALTIES = 400
BATCH = 50
CHANGED = ("61", "62")
"""Records that the demonstration corrects and deletes: pushed ones, which no later query is about."""
ROLES = ("registrar", "contracts", "records", "consents", "queries")


@dataclass(frozen=True)
class Cast:
    """Who takes part."""

    sz_authority: Member
    hk_authority: Member
    agency: Member
    bank: Member

    def all(self) -> tuple[Member, ...]:
        """Everybody, authorities first."""
        return (self.sz_authority, self.hk_authority, self.agency, self.bank)


WHO = {
    "sz-authority": Who("CREDIT_DEPT", "CN-SZ", "深圳市社会信用管理部门（演示）", "Shenzhen Credit Authority (demo)"),
    "hk-authority": Who("CREDIT_DEPT", "HK", "香港信用主管機構（演示）", "Hong Kong Credit Authority (demo)"),
    "sz-credit": Who("MUNI_CREDIT_AGENCY", "CN-SZ", "深圳公共信用中心（演示）", "Shenzhen Public Credit Agency (demo)"),
    "hk-bank": Who("FIN_INST", "HK", "香港示範銀行", "Hong Kong Demo Bank"),
}


def main() -> None:
    """Run the story; keep or clear away the network at its end. One that did not come to its end is stopped."""
    options = _options()
    folder = _fresh_folder(options.keep)
    cast = _cast(folder)
    story, runs_on = Story(), False
    try:
        names = _tell(story, cast, folder, options.data)
        if options.keep:
            _say_how_to_go_on(cast, folder, names)
            runs_on = True
    except Surprise as surprise:
        raise SystemExit(str(surprise)) from None
    finally:
        if not runs_on:
            for member in cast.all():
                member.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    console.print(f"\n[bold]Done in {time.monotonic() - story.began:.0f} s.[/]")


def _tell(story: Story, cast: Cast, folder: Path, data: Path | None) -> dict[str, str]:
    """Tell the story; give the agreement, and a subject whom the bank may ask about, by the names people use."""
    with story.chapter("Four nodes come up", "四个节点启动"):
        found_network(cast.all()[:2], cast.all()[2:], WHO)
        for member in cast.all():
            story.say(f"[bold]{member.party}[/] serves on 127.0.0.1:{member.port} (mutual TLS)")
    with story.chapter("Authorities admit their institutions", "主管部门准入机构"):
        _admit(story, cast)
    with story.chapter("The agency loads its records", "公共信用机构载入记录"):
        subjects = _load(story, cast, folder, data)
    with story.chapter("An agreement is drafted, proposed and signed by both", "双方起草、提出并签署协议"):
        agreement = _agree(story, cast, folder)
    with story.chapter("Rule one: no filing, no flow", "未备案，不流通（第三十四条）"):
        _attest(story, cast, folder, agreement, subjects)
        _refused(story, cast, agreement, subjects[0])
        _file(story, cast, agreement)
    with story.chapter("The bank asks, and is answered under seal", "银行查询，密封作答"):
        _query(story, cast, agreement, subjects[0])
        _batch(story, cast, folder, agreement, subjects)
    with story.chapter("The agency pushes what the agreement covers", "征信机构推送协议范围内的记录"):
        _push(story, cast, agreement)
    with story.chapter("A correction and a deletion reach whoever holds a copy", "更正与删除送达每一份副本的持有方"):
        _change(story, cast)
    with story.chapter("What may not be asked is refused, with its reason", "不得查询的，附理由拒绝"):
        _out_of_bounds(story, cast, agreement, subjects)
    with story.chapter("Every act stands in a journal that cannot be rewritten", "一切行为载入不可篡改的日志"):
        _verify(story, cast)
    with story.chapter("Two inspectors fetch the evidence, and verify it offline", "双方监管人员调取证据，离线核验"):
        _inspect(story, cast, folder)
    return {"AGREEMENT": agreement[:12], "SUBJECT": subjects[0]}


def _admit(story: Story, cast: Cast) -> None:
    for authority, institution in ((cast.sz_authority, cast.agency), (cast.hk_authority, cast.bank)):
        authority.run("party", "admit", str(institution.card), "--fingerprint", institution.fingerprint())
        story.command(authority, f"creditport party admit {institution.party}.card.json")
    mirrored(cast.all())
    story.say("every node has mirrored both registries and checked that they only grew")


def _load(story: Story, cast: Cast, folder: Path, data: Path | None) -> list[str]:
    if data is None:
        enterprises, penalties = folder / "enterprises.csv", folder / "penalties.csv"
        cast.agency.run("records", "sample", str(enterprises), "--kind", "101", "--count", str(ENTERPRISES))
        cast.agency.run(
            "records",
            "sample",
            str(penalties),
            "--kind",
            "201",
            "--count",
            str(PENALTIES),
            "--of",
            str(enterprises),
        )
        _import(story, cast, enterprises, "101")
        _import(story, cast, penalties, "201")
        return _codes(enterprises, "uscc")
    return load_registers(story, cast.agency, folder, data)


def _import(story: Story, cast: Cast, file: Path, kind: str) -> None:
    story.command(cast.agency, f"creditport records import {file.name} --kind {kind} --source {MUNICIPAL}")
    done = cast.agency.ask("records", "import", str(file), "--kind", kind, "--source", MUNICIPAL, expect=(0, 1))
    story.say(f"{done['rows']:,} rows: {done['new']:,} new, {done['rejected']:,} rejected")
    for reject in done["rejects"][:5]:
        story.say(
            f"[yellow]row {reject['row']}: {reject['field']}: expected {reject['expected']}, got {reject['got']}[/]"
        )
    if done["rows"] != done["new"] + done["rejected"] + done["unchanged"] + done["updated"]:
        raise SystemExit("a row is neither loaded nor named")


def _codes(file: Path, column: str) -> list[str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [row[column] for row in csv.DictReader(lines) if row[column].startswith("91")]


def _agree(story: Story, cast: Cast, folder: Path) -> str:
    draft = folder / "agreement.toml"
    example = cast.agency.run("agreement", "example", "--recipient", cast.bank.party).stdout
    draft.write_text(example.replace('manner = ["PULL"]', 'manner = ["PULL", "PUSH"]'), encoding="utf-8")
    agreement = str(cast.agency.ask("agreement", "draft", str(draft))["agreement"])
    story.command(cast.agency, "creditport agreement draft agreement.toml")
    cast.agency.run("agreement", "propose", agreement)
    story.command(cast.agency, f"creditport agreement propose {agreement[:12]}")
    cast.bank.reach(agreement, "PROPOSED")
    cast.bank.run("agreement", "sign", agreement)
    story.command(cast.bank, f"creditport agreement sign {agreement[:12]}")
    cast.agency.reach(agreement, "SIGNED")
    return agreement


def _attest(story: Story, cast: Cast, folder: Path, agreement: str, subjects: list[str]) -> None:
    customers = folder / "customers.txt"
    customers.write_text("\n".join(subjects[:BATCH]) + "\n", encoding="utf-8")
    evidence = folder / "consent.txt"
    evidence.write_text("signed consent forms, kept by the bank\n", encoding="utf-8")
    cast.bank.run(
        "consent", "attest", "--agreement", agreement, "--subject-file", str(customers),
        "--purpose", "CROSS_BORDER_FINANCING", "--kind", "101", "--kind", "201", "--evidence", str(evidence),
    )  # fmt: skip
    story.say(f"the bank attests the written consent of {BATCH} customers (S 28, 35)")


def _refused(story: Story, cast: Cast, agreement: str, subject: str) -> None:
    line = _query_line(agreement, subject)
    story.command(cast.bank, line)
    answer = cast.bank.ask(*shlex.split(line)[1:], expect=(1,))
    story.say(f"[yellow]refused: {answer['reason']} ({answer['article']})[/]  {answer['text_en']} {answer['text_zh']}")


def _file(story: Story, cast: Cast, agreement: str) -> None:
    filed = cast.agency.ask("agreement", "file", agreement)
    story.command(cast.agency, f"creditport agreement file {agreement[:12]}")
    story.say(f"filed under {filed['receipt_no']}, due {filed['due_on']}, late: {filed['late']}")
    for member in (cast.agency, cast.bank):
        member.reach(agreement, "ACTIVE")
    until("the pseudonym index is built", lambda: cast.agency.ask("agreement", "show", agreement)["ready"])


def _query_line(agreement: str, subject: str, *more: str) -> str:
    words = ["creditport", "query", "--agreement", agreement[:12], "--subject", subject]
    return shlex.join([*words, "--purpose", "CROSS_BORDER_FINANCING", *more])


def _query(story: Story, cast: Cast, agreement: str, subject: str) -> None:
    line = _query_line(agreement, subject)
    story.command(cast.bank, line)
    console.print(cast.bank.run(*shlex.split(line)[1:]).stdout.rstrip())


def _batch(story: Story, cast: Cast, folder: Path, agreement: str, subjects: list[str]) -> None:
    answer = cast.bank.ask(
        "query", "--agreement", agreement, "--subject-file", str(folder / "customers.txt"),
        "--purpose", "CROSS_BORDER_FINANCING",
    )  # fmt: skip
    story.say(
        f"batch query about {len(subjects[:BATCH])} customers (S 29): {len(answer['renditions'])} renditions in "
        f"{len(answer['frames'])} sealed frame(s), {len(answer['refused'])} refused"
    )


def _push(story: Story, cast: Cast, agreement: str) -> None:
    line = shlex.join(["creditport", "push", "--agreement", agreement[:12], "--kind", "101"])
    story.command(cast.agency, line)
    done = cast.agency.ask(*shlex.split(line)[1:])
    story.say(
        f"{done['renditions']:,} renditions in {done['frames']} sealed frames, {done['taken']} of them taken; what the "
        f"bank was shown before is not sent again"
    )


def _change(story: Story, cast: Cast) -> None:
    """Correct one record and delete another, and show the bank's signed receipts for both."""
    wrong, void = CHANGED
    lines = [
        ["records", "correct", wrong, "--set", "status=REVOKED", "--basis", "OWN_ERROR", "--document", "note 12"],
        ["records", "delete", void, "--basis", "REVOKED", "--document", "decision 31"],
    ]
    for line in lines:
        story.command(cast.agency, shlex.join(["creditport", *line]))
        done = cast.agency.ask(*line)
        story.say(f"record {done['record']} is version {done['version']} now; {done['notices']} holder is told")
    until("the bank has followed both", lambda: not cast.agency.ask("notices", "list", "--open"))
    for notice in cast.agency.ask("notices", "list"):
        story.command(cast.agency, f"creditport notices show {notice['notice']}")
        console.print(cast.agency.run("notices", "show", str(notice["notice"])).stdout.rstrip(), style="dim")
    story.command(cast.agency, f"creditport holders {void}")
    console.print(cast.agency.run("holders", void).stdout.rstrip())


def _out_of_bounds(story: Story, cast: Cast, agreement: str, subjects: list[str]) -> None:
    lines = [
        _query_line(agreement, subjects[0], "--field", "201.decision_no"),
        _query_line(agreement, subjects[BATCH]),
    ]
    for line in lines:
        story.command(cast.bank, line)
        answer = cast.bank.ask(*shlex.split(line)[1:], expect=(1,))
        story.say(f"[yellow]refused: {answer['reason']} ({answer['article']})[/]  {answer['text_en']}")


def _verify(story: Story, cast: Cast) -> None:
    for member in (cast.agency, cast.bank):
        verdict = member.ask("journal", "verify")
        story.say(f"{member.party}: {verdict['size']} entries, {len(verdict['problems'])} problems")
    proof = cast.bank.ask("journal", "verify", "--peer", cast.agency.party)
    story.say(
        f"the bank checked {proof['leaves']} frames against {cast.agency.party}'s journal of {proof['size']} entries: "
        f"each one's leaf is included, and the journal only grew"
    )


def _inspect(story: Story, cast: Cast, folder: Path) -> None:
    """Each authority fetches from its own institution; both bundles are held against each other, by the cards alone."""
    bundles = []
    for authority, institution in ((cast.sz_authority, cast.agency), (cast.hk_authority, cast.bank)):
        bundle = folder / f"{institution.party}.bundle"
        authority.inspect("fetch", institution.party, "--output", str(bundle))
        story.command(authority, f"creditport-inspect fetch {institution.party}")
        bundles.append(str(bundle))
    cards = [f"{one.card}@{one.fingerprint()}" for one in (cast.sz_authority, cast.hk_authority)]
    trust = [word for card in cards for word in ("--authority", card)]
    story.command(cast.sz_authority, "creditport-inspect verify sz-credit.bundle hk-bank.bundle --authority ...")
    console.print(cast.sz_authority.inspect("verify", *bundles, *trust).stdout.rstrip(), markup=False)
    story.command(cast.sz_authority, "creditport-inspect notices sz-credit.bundle")
    console.print(cast.sz_authority.inspect("notices", bundles[0]).stdout.rstrip(), markup=False, style="dim")


def _say_how_to_go_on(cast: Cast, folder: Path, names: Mapping[str, str]) -> None:
    """Write a file for each party that makes a terminal its own, and say how to begin and end."""
    cards = " ".join(f"{one.card}@{one.fingerprint()}" for one in (cast.sz_authority, cast.hk_authority))
    for member in cast.all():
        settings = {name: value for name, value in member.environment().items() if name.startswith("CREDITPORT_")}
        settings |= {**names, "CREDITPORT_AUTHORITIES": cards}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
        lines.append(f'case ":$PATH:" in *:{BIN}:*) ;; *) export PATH={BIN}:$PATH ;; esac')
        (folder / f"as-{member.party}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    serving = " ".join(str(member.process.pid) for member in cast.all() if member.process)
    (folder / "pids").write_text(serving + "\n", encoding="utf-8")
    console.print("\n[bold]The network keeps running.[/] In another terminal, in this folder, act for whom you like:")
    for member in cast.all():
        console.print(f"  . {_near(folder)}/as-{member.party}", soft_wrap=True)
    console.print(f"\nTo end it:  kill $(cat {_near(folder)}/pids)", soft_wrap=True)


def _near(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A whole Creditport network on this machine.")
    parser.add_argument("--data", type=Path, help="folder with public registers; deploy/README.md says which")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the network running, in this folder")
    return parser.parse_args()


def _fresh_folder(kept: Path | None) -> Path:
    if kept is None:
        return Path(tempfile.mkdtemp(prefix="creditport-demo-"))
    if any(is_served(Folder(one)) for one in kept.glob("*/")):
        raise SystemExit(f"a network is still running in {kept}; end it first: kill $(cat {kept}/pids)")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    return kept.resolve()


def _cast(folder: Path) -> Cast:
    members = [Member(party, folder / party, free_port(), passphrase=f"demo of {party}") for party in WHO]
    return Cast(*members)


if __name__ == "__main__":
    main()
