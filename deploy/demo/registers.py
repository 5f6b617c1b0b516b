"""The registers of a folder, loaded as a stranger would: what of each was loaded, what was not and why, and again."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.network import Member, Surprise
from deploy.demo.story import Story

ATTESTED = 400
CONTESTED = 4
MUNICIPAL = "SZ-CREDIT"
"""The source that invented files are said to come from: the municipal system, as the catalogue calls it."""
COUNTED = ("rows", "new", "updated", "unchanged", "rejected", "unjoined", "conflicts")


@dataclass(frozen=True)
class Register:
    """A file of the folder: where it is, what kind of records it holds, and the shipped mapping for it."""

    path: str
    kind: str
    mapping: str


ENTERPRISES = Register("shenzhen-enterprises/enterprises.csv", "101", "shenzhen-enterprises")
COMPANIES = Register("hongkong-companies/companies.csv", "101", "hongkong-companies")
REGISTERS = (
    ENTERPRISES,
    COMPANIES,
    Register("hongkong-companies/weekly-with-brn.csv", "101", "hongkong-weekly"),
    Register("gleif/entities.csv", "101", "gleif-entities"),
    Register("financial-penalties/penalties.csv", "201", "financial-penalties"),
)


def load_registers(story: Story, agency: Member, folder: Path, data: Path) -> list[str]:
    """Load every register that is in `data`, twice, and give codes of enterprises that can be asked about."""
    present = [one for one in REGISTERS if (data / one.path).is_file()]
    first = next((one for one in present if one in (ENTERPRISES, COMPANIES)), None)
    if first is None:
        raise SystemExit(f"{data} has neither {ENTERPRISES.path} nor {COMPANIES.path}")
    files: list[tuple[Path, str, tuple[str, ...]]] = [
        (data / one.path, one.kind, ("--mapping", one.mapping)) for one in present
    ]
    files.append((_attested(agency, folder, data, first), "201", ("--source", MUNICIPAL)))
    files.append((_contested(agency, folder), "101", ("--source", MUNICIPAL)))
    for file, kind, more in files:
        story.command(agency, " ".join(["creditport records import", file.name, "--kind", kind, *more]))
    story.say("(the last two are invented: penalties that state real enterprises' codes, and one code with two names)")
    reports = [_import(agency, folder / f"rejects-{file.stem}.csv", file, kind, *more) for file, kind, more in files]
    again = [_import(agency, folder / f"again-{file.stem}.csv", file, kind, *more) for file, kind, more in files]
    names = [file.name for file, _, _ in files]
    _say_counts(story, names, reports)
    _say_reasons(story, names, reports)
    _say_again(story, folder, [file.stem for file, _, _ in files], reports, again)
    return _codes(data / first.path, *(("uscc", "91", "") if first is ENTERPRISES else ("cr_no", "", "HK-CR:")))


def _attested(agency: Member, folder: Path, data: Path, of: Register) -> Path:
    """Invented penalties about enterprises of a real register; each states its enterprise's code."""
    file = folder / "attested-penalties.csv"
    words = ("--kind", "201", "--count", str(ATTESTED), "--of", str(data / of.path), "--mapping", of.mapping)
    agency.run("records", "sample", str(file), *words)
    return file


def _contested(agency: Member, folder: Path) -> Path:
    """Invented enterprises, the last of which claims the code of the first."""
    file = folder / "contested.csv"
    agency.run("records", "sample", str(file), "--kind", "101", "--count", str(CONTESTED), "--seed", "20261125")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows.append(rows[0] | {"name_zh": rows[1]["name_zh"], "name_en": rows[1]["name_en"]})
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def _import(agency: Member, rejects: Path, file: Path, kind: str, *more: str) -> Any:
    words = ("records", "import", str(file), "--kind", kind, *more, "--rejects", str(rejects))
    done = agency.ask(*words, expect=(0, 1))
    if done["rows"] != done["new"] + done["updated"] + done["unchanged"] + done["rejected"]:
        raise Surprise(f"{file.name}: a row is neither loaded nor named")
    return done


def _say_counts(story: Story, names: list[str], reports: list[Any]) -> None:
    headings = ("file", "rows", "loaded", "unchanged", "not loaded", "unjoined", "conflicts")
    rows = [
        (name, done["rows"], done["new"] + done["updated"], *(done[count] for count in COUNTED[3:]))
        for name, done in zip(names, reports, strict=True)
    ]
    story.table(headings, rows)


def _say_reasons(story: Story, names: list[str], reports: list[Any]) -> None:
    """The first row of each file that was not loaded, and how many there are with which reason."""
    for name, done in zip(names, reports, strict=True):
        if not done["rejected"]:
            continue
        one = done["rejects"][0]
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in done["reasons"].items())
        story.say(f"[yellow]{name}: {reasons}[/]")
        story.say(f"[yellow]  row {one['row']}: {one['field']}: expected {one['expected']}, got {one['got']}[/]")
        for conflict in done["conflicts_found"][:1]:
            story.say(
                f"[yellow]  that record is what row {conflict['other_row']} says; neither overwrites the other[/]"
            )


def _say_again(story: Story, folder: Path, stems: list[str], reports: list[Any], again: list[Any]) -> None:
    """Hold the second run against the first: nothing new, and the very same rows named for the very same reasons."""
    for stem, first, second in zip(stems, reports, again, strict=True):
        is_same = second["new"] == second["updated"] == 0 and all(
            first[count] == second[count] for count in ("rows", "rejected", "unjoined", "conflicts")
        )
        texts = [(folder / f"{prefix}-{stem}.csv").read_bytes() for prefix in ("rejects", "again")]
        if not is_same or texts[0] != texts[1]:
            raise Surprise(f"{stem}: loading it again was not the same")
    unchanged, named = (sum(done[count] for done in again) for count in ("unchanged", "rejected"))
    story.say(
        f"all of it again: 0 loaded, {unchanged:,} unchanged, {named:,} not loaded; the rejects files are the same "
        f"to the byte"
    )


def _codes(file: Path, column: str, beginning: str, scheme: str) -> list[str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [scheme + row[column] for row in csv.DictReader(lines) if row[column].startswith(beginning)]
