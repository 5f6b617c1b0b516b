"""norms: which rule packs, catalogues, code lists and calendars are in force, at hand, and adopted."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from crypto.canonical import canonical
from node.app.opening import Node, own_card, settings_of
from node.app.packs import install as install_pack
from node.cli.inputs import DAY, a_day, a_file, bytes_of
from node.cli.screen import Exit, facts, fail, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.cli.standing import recheck_in_words, recheck_of
from node.config import Folder, read_config
from node.domain.operators import Role
from node.operations.facts import NodeFacts
from node.operations.keep_registry import Unfit, adopt_packs
from node.operations.operators import NotAllowed, order
from registry.errors import BadPack, NotAPack
from registry.norms.adoption import Adopted, Clash, in_force
from registry.norms.calendar import shanghai_day
from registry.norms.calendar_pack import CalendarPack, PackStatus
from registry.norms.catalogue import Catalogue
from registry.norms.code_lists import BandTable, CodeList
from registry.norms.overlay import Overlay
from registry.norms.rule_pack import RulePack
from registry.norms.shelf import Content, Named, Pack, PackKind, Shelf, adopted_by_default
from registry.parties import Jurisdiction
from registry.statements import Term

app = typer.Typer(no_args_is_help=True, help="Norm packs: in force, at hand, adopted (规则包、目录、代码表、日历).")

_KINDS: Final[Mapping[type[Content], tuple[str, str]]] = {
    RulePack: ("规则包", "rule pack"),
    Overlay: ("叠加规则包", "overlay"),
    Catalogue: ("目录", "catalogue"),
    CalendarPack: ("工作日历", "calendar"),
    CodeList: ("代码表", "code list"),
    BandTable: ("分档表", "band table"),
}
PackName = Annotated[str, typer.Argument(metavar="PACK", help="KIND/ID or KIND/ID@VERSION, as `norms list` shows.")]


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="norms")


@app.command(
    "list", epilog="Example: creditport norms list; creditport norms list --codes; creditport norms list --json"
)
@one_sentence
def list_norms(
    codes: Annotated[
        bool, typer.Option("--codes", help="Every code list too, also those that are in force and at hand.")
    ] = False,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """List what each authority adopted, from when, and whether it is at hand (各主管部门采用的规则).

    Below the table: how far the home records are looked at by it, and how many it does not admit. `norms check --json`
    has the same for programs.
    """
    with reading(node) as opened, opened.store.read() as work:
        known, shelf = opened.facts(work), opened.settings.shelf()
        recheck = recheck_of(work, known)
    rows = [
        _row(place, one, known, shelf)
        for place, adopted in sorted(known.snapshot.norms.items())
        for one in sorted(adopted, key=lambda one: (one.named, one.effective_from, one.number))
    ]
    columns = {
        "jurisdiction": "in",
        "pack": "pack",
        "title_zh": "名称",
        "title_en": "title",
        "effective_from": "from",
        "effective_until": "until",
        "standing": "standing",
        "at_hand": "at hand",
    }
    shown = rows if json or codes else _with_codes_counted(rows)
    table(shown, columns, as_json=json, empty="no authority that is pinned here has adopted any norms yet")
    if not json:
        for line in recheck_in_words(recheck):
            out.print(line, markup=False)


@app.command(epilog="Example: creditport norms check; creditport norms check --json")
@one_sentence
def check(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """Say whether a law is in force here; if not, why, and what to install (检查规则是否齐备)."""
    with reading(node) as opened, opened.store.read() as work:
        known, shelf = opened.facts(work), opened.settings.shelf()
        recheck = recheck_of(work, known)
    lacking, place = known.lacking, opened.settings.own.card.jurisdiction
    missing = [one for one in known.snapshot.norms.get(place, ()) if one.digest not in shelf.packs]
    shown: dict[str, Any] = {
        "in_force": lacking is None,
        "jurisdiction": place.value,
        "rule_pack": known.law.rules.reference if lacking is None else None,
        "packs": list(known.law.packs) if lacking is None else [],
        "lacking": None if lacking is None else lacking.lack.value,
        "detail": None if lacking is None else lacking.detail,
        "digest": lacking.digest.hex() if lacking is not None and lacking.digest is not None else None,
        "help": None if lacking is None else _help(lacking.digest),
        "to_install": [f"{one.reference} {one.effective_from} {one.digest.hex()}" for one in missing],
        "contradictions": [one.place for one in known.snapshot.conflicts if one.place],
        "unusable_files": [str(one) for one in shelf.unusable],
        "records": recheck,
    }
    if json:
        say_json(shown)
    else:
        lists = [one for one in shown["packs"] if _is_code_list(one)]
        others = [one for one in shown["packs"] if not _is_code_list(one)]
        packs = {"packs": [*others, f"{len(lists)} code lists (`norms list --codes`)"] if lists else others}
        facts({name: fact for name, fact in (shown | packs).items() if name != "records"}, as_json=False)
        for line in recheck_in_words(recheck):
            out.print(line, markup=False)
    if lacking is not None:
        raise typer.Exit(Exit.REFUSED)


@app.command(epilog="Example: creditport norms show rules/SZ-DRAFT-82; creditport norms show rules/HK@1 --text")
@one_sentence
def show(
    pack: PackName,
    node: NodeFolder = HERE,
    text: Annotated[bool, typer.Option("--text", help="Print the pack itself, byte for byte.")] = False,
    json: JsonFlag = False,
) -> None:
    """Show a pack that is at hand: what it is, from when it may apply, its digest (显示规则包)."""
    found = _referred(pack, settings_of(Folder(node), read_config(Folder(node)), own_card(Folder(node))).shelf())
    if text:
        sys.stdout.buffer.write(found.raw)
        return
    facts(_described(found), as_json=json)


@app.command(epilog="Example: creditport norms install SZ-DRAFT-82.toml")
@one_sentence
def install(
    file: Annotated[Path, typer.Argument(help="A pack file, TOML.", callback=a_file)],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Put a pack into the node's folder. It applies once an authority has adopted these very bytes (安装规则包)."""
    raw = bytes_of(file)
    with reading(node) as opened:
        try:
            pack = install_pack(opened.folder, raw, str(file))
        except NotAPack as none:
            fail(f"{none.pack} is no norm pack: at {none.place}: expected {none.expected}", Exit.USAGE)
        except BadPack as unfit:
            fail(f"{unfit.pack} must not be used: at {unfit.place}: expected {unfit.expected}", Exit.REFUSED)
        with opened.store.write() as work:
            work.generation.move()  # a process that serves looks at the packs again with the next thing it does
            work.commit()
    facts(_described(pack), as_json=json)


@app.command(
    epilog="Example: creditport norms adopt rules/CN-NDRC-2026 --from 2026-12-01 --as alice; "
    "creditport norms adopt --shipped --as alice"
)
@one_sentence
def adopt(
    operator: OperatorName,
    packs: Annotated[
        list[str] | None, typer.Argument(metavar="[PACK]...", help="KIND/ID or KIND/ID@VERSION; may be several.")
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="The newest shipped packs for this jurisdiction, as at a founding.")
    ] = False,
    start: Annotated[
        datetime | None,
        typer.Option("--from", parser=a_day, metavar=DAY, help="First day in force.", show_default="today"),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--until", parser=a_day, metavar=DAY, help="First day no longer in force.")
    ] = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """As an authority: put packs in force for the parties of this jurisdiction (主管部门采用规则包).

    It is published in the registry log and cannot be called back; a higher version takes its place later.
    """
    if bool(packs) == shipped:
        fail("name packs, or say --shipped", Exit.USAGE)
    with acting(node) as opened:
        term = Term(start=start.date() if start else shanghai_day(opened.clock()), end=end.date() if end else None)
        chosen = _chosen(packs or [], opened)
        who = ordering(opened, operator)
        with opened.store.write() as work:
            ordered = order(work, who, Role.REGISTRAR, _subject(chosen, term), opened.context)
            if isinstance(ordered, NotAllowed):
                fail(ordered.why, Exit.REFUSED)
            known = opened.facts(work)
            done = adopt_packs(work, chosen, term, known, opened.settings, opened.context, ordered)
    if isinstance(done, Unfit):
        fail(done.why, Exit.REFUSED)
    facts(
        {
            "adopted": [one.reference for one in chosen],
            "jurisdiction": opened.settings.own.card.jurisdiction.value,
            "effective_from": term.start,
            "effective_until": term.end,
        },
        as_json=json,
    )


def _chosen(names: Sequence[str], opened: Node) -> Sequence[Pack]:
    shelf = opened.settings.shelf()
    if not names:
        return adopted_by_default(opened.settings.own.card.jurisdiction, shelf)
    return [_referred(name, shelf) for name in names]


def _referred(name: str, shelf: Shelf) -> Pack:
    found = shelf.referred(name)
    if not found:
        folder = name.partition("/")[0]
        if folder not in {*PackKind}:
            fail(f"{name} names no pack: KIND/ID, where KIND is one of {', '.join(PackKind)}", Exit.USAGE)
        known = sorted(one.reference for one in shelf.packs.values() if one.named.kind == folder)
        fail(f"{name} is not at hand; of {folder} there are: {', '.join(known)}", Exit.REFUSED)
    if len(found) > 1:
        digests = ", ".join(one.digest.hex() for one in found)
        fail(f"{name} stands for several packs, with the digests {digests}: remove the wrong one", Exit.REFUSED)
    return found[0]


def _subject(packs: Sequence[Pack], term: Term) -> bytes:
    """What the operator signs for: these bytes, from this day to that."""
    ordered = {
        "from": term.start.isoformat(),
        "packs": sorted(one.digest.hex() for one in packs),
        "until": term.end.isoformat() if term.end else None,
    }
    return hashlib.sha256(b"creditport/adopt/v1" + canonical(ordered)).digest()


def _described(pack: Pack) -> dict[str, Any]:
    content = pack.content
    zh, en = _titles(content)
    return {
        "pack": pack.reference,
        "title_zh": zh,
        "title_en": en,
        "digest": pack.digest.hex(),
        "source": getattr(content, "source", None),
        "may_apply_from": pack.first_day,
        "narrows": getattr(content, "narrows", None),
        "bytes": len(pack.raw),
    }


def _titles(content: Content) -> tuple[str, str]:
    """What a pack is called; one without a title of its own by what kind it is."""
    if isinstance(content, RulePack | Overlay):
        return content.title, content.title_en
    if isinstance(content, CalendarPack) and content.status is PackStatus.PROVISIONAL:
        return "工作日历（暂定）", "calendar, provisional"
    return _KINDS[type(content)]


def _row(place: Jurisdiction, one: Adopted, known: NodeFacts, shelf: Shelf) -> dict[str, Any]:
    pack = shelf.packs.get(one.digest)
    zh, en = _titles(pack.content) if pack is not None else ("", "")
    return {
        "jurisdiction": place.value,
        "pack": one.reference,
        "title_zh": zh,
        "title_en": en,
        "effective_from": one.effective_from,
        "effective_until": None if one.works_until is None else shanghai_day(one.works_until),
        "standing": _standing(one, in_force(known.snapshot.norms[place], known.as_of), known.as_of),
        "at_hand": pack is not None,
        "digest": one.digest.hex(),
        "statement": one.number,
    }


def _is_code_list(reference: str) -> bool:
    return reference.startswith(f"{PackKind.CODES}/")


def _with_codes_counted(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows with one line for all code lists of an authority that need nobody's eye: in force, and at hand."""
    shown: list[Mapping[str, Any]] = []
    counted: dict[tuple[str, date], dict[str, Any]] = {}
    for row in rows:
        quiet = row["standing"] == "IN_FORCE" and row["at_hand"] and row["effective_until"] is None
        if not (quiet and _is_code_list(row["pack"])):
            shown.append(row)
            continue
        since = (row["jurisdiction"], row["effective_from"])
        if since not in counted:
            counted[since] = {
                **row,
                "number": 0,
                "title_zh": "代码表、分档表",
                "title_en": "code lists and band tables",
            }
            shown.append(counted[since])
        counted[since]["number"] += 1
        counted[since]["pack"] = f"{PackKind.CODES}/... ({counted[since]['number']}; --codes lists them)"
    return shown


def _standing(one: Adopted, now: Mapping[Named, Adopted | Clash], at: datetime) -> str:
    chosen = now.get(one.named)
    if one.works_from > at:
        return "ANNOUNCED"
    if isinstance(chosen, Clash):
        return "CONTRADICTED" if one in {chosen.first, chosen.second} else "OVER"
    return "IN_FORCE" if one == chosen else "OVER"


def _help(digest: bytes | None) -> str:
    if digest is None:
        return "the authority adopts what is missing: creditport norms adopt"
    return f"install the pack with this SHA-256: creditport norms install FILE ({digest.hex()})"
