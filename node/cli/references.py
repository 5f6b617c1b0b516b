"""How people name things on the command line: agreements by the beginning of their digest, subjects by their code."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from agreements.agreement import Agreement
from node.cli.inputs import text_of
from node.cli.screen import Exit, err, fail
from node.domain.identifiers import Identifier, Problem, Remark, likely_schemes, parse_identifier
from node.domain.problem_words import told_in_chinese
from node.operations.facts import NodeFacts
from registry.parties import PartyId

SHORTEST = 6
WHOLE = 64

AgreementName = Annotated[
    str, typer.Argument(metavar="AGREEMENT", help="The agreement's digest, or its first six or more digits.")
]
AgreementOption = Annotated[
    str, typer.Option("--agreement", help="The agreement's digest, or its first six or more digits.")
]
SubjectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--subject",
        metavar="CODE",
        help="Unified code, HK BRN or CR number, Macau number, LEI; or SCHEME:CODE. May be repeated.",
    ),
]
SubjectFile = Annotated[
    Path | None,
    typer.Option("--subject-file", help="A file with one identifier a line.", exists=True, dir_okay=False),
]
CheckAttested = Annotated[
    bool,
    typer.Option(
        "--uscc-check-attested",
        help="The unified codes were issued so, even where the check character does not fit; nothing else is excused.",
    ),
]
_REMARKS = {
    Remark.CHECK_ATTESTED: "the check character of the unified code does not fit, and you attest it",
    Remark.ORGANISATION_CHECK: "the organisation code inside does not fit its own check (GB 11714); is it right?",
}


def find_agreement(name: str, known: NodeFacts) -> Agreement:
    """The one agreement here whose digest begins with `name`."""
    wanted = name.lower()
    if len(wanted) < SHORTEST or not all(digit in "0123456789abcdef" for digit in wanted):
        fail(f"an agreement is named by six or more digits of its digest, not {name}", Exit.USAGE)
    found = [one for digest, one in known.agreements.items() if digest.hex().startswith(wanted)]
    if len(found) != 1:
        count = f"{len(found)} agreements here begin with {name}" if found else f"there is no agreement {name} here"
        fail(f"{count}; see `creditport agreement list`", Exit.REFUSED)
    return found[0]


def only_provider(agreement: Agreement, here: PartyId, what: str) -> None:
    """End the command unless this node is the one that provides under an agreement."""
    _only(agreement.terms.provider, agreement, here, what)


def only_recipient(agreement: Agreement, here: PartyId, what: str) -> None:
    """End the command unless this node is the one that receives under an agreement."""
    _only(agreement.terms.recipient, agreement, here, what)


def _only(party: PartyId, agreement: Agreement, here: PartyId, what: str) -> None:
    if party != here:
        terms = agreement.terms
        fail(
            f"{what} is for {party}: {terms.provider} provides under this agreement to {terms.recipient}", Exit.REFUSED
        )


def read_subjects(subjects: list[str] | None, file: Path | None, *, check_attested: bool = False) -> list[Identifier]:
    """The identifiers that were typed or stand in a file, each once; the first that is none ends the command.

    `check_attested` excuses check characters of unified codes. What is odd about accepted ones is said on standard
    error, by place.
    """
    lines = list(subjects or [])
    if file is not None:
        lines += [line.strip() for line in text_of(file).splitlines() if line.strip()]
    if not lines and file is not None:
        fail(f"{file.name} names no subject: one code in each line", Exit.USAGE)
    if not lines:
        fail("name the subjects with --subject or --subject-file", Exit.USAGE)
    found = list(_identifiers(lines, check_attested=check_attested))
    for remark, text in _REMARKS.items():
        places = [place for place, one in enumerate(found, 1) if remark in one.remarks]
        if places:
            others = f" and {len(places) - 1} more" if places[1:] else ""
            err.print(f"creditport: note: subject {places[0]}{others}: {text}", markup=False)
    return list(dict.fromkeys(found))


def _identifiers(lines: Iterable[str], *, check_attested: bool) -> Iterable[Identifier]:
    for place, line in enumerate(lines, 1):
        scheme, colon, code = line.rpartition(":")
        likely = (scheme,) if colon else likely_schemes(code, waive_check=check_attested)
        if not likely:
            fail(f"subject {place}: no known scheme has codes like this; write SCHEME:CODE", Exit.USAGE)
        if len(likely) > 1:
            fail(f"subject {place}: a code of {' or '.join(likely)}? write SCHEME:CODE", Exit.USAGE)
        parsed = parse_identifier(likely[0], code, waive_check=check_attested)
        if isinstance(parsed, Problem):
            en = f"subject {place}: {parsed.field}: expected {parsed.expected}, got {parsed.got}"
            fail(f"{en}  第 {place} 个主体：{told_in_chinese(parsed)}", Exit.USAGE)
        yield parsed
