"""How people name things on the command line: agreements by the beginning of their digest, subjects by their code."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from agreements.agreement import Agreement
from crypto.errors import CryptoError, Malformed
from node.cli.inputs import a_file, bytes_of, text_of
from node.cli.screen import Exit, err, fail
from node.domain.identifiers import Identifier, Problem, Remark, likely_schemes, parse_identifier
from node.domain.problem_words import told_in_chinese
from node.operations.facts import NodeFacts
from registry.errors import RegistryError
from registry.parties import ListedCard, PartyId, read_card

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
    typer.Option("--subject-file", help="A file with one identifier a line.", callback=a_file),
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


class Place(NamedTuple):
    """Where an identifier stands, in both languages."""

    en: str
    zh: str


def card_in(file: Path) -> ListedCard:
    """The party card in a file; what is none, or contradicts itself, ends the command."""
    try:
        return read_card(bytes_of(file))
    except Malformed:
        fail(f"{file} is no party card  该文件不是机构名片", Exit.USAGE)
    except (CryptoError, RegistryError) as error:
        fail(f"{file}: not a valid party card: {error}", Exit.REFUSED)


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
    lines = {Place(f"subject {at}", f"第 {at} 个主体"): typed for at, typed in enumerate(subjects or (), 1)}
    if file is not None:
        written = enumerate(text_of(file).splitlines(), 1)
        lines |= {place_in(file, number): line.strip() for number, line in written if line.strip()}
    if not lines and file is not None:
        fail(f"{file.name} names no subject: one code in each line", Exit.USAGE)
    if not lines:
        fail("name the subjects with --subject or --subject-file", Exit.USAGE)
    found = {where: read_subject(where, text, check_attested=check_attested) for where, text in lines.items()}
    for remark, text in _REMARKS.items():
        places = [where for where, one in found.items() if remark in one.remarks]
        if places:
            others = f" and {len(places) - 1} more" if places[1:] else ""
            err.print(f"creditport: note: {places[0].en}{others}: {text}", markup=False)
    return list(dict.fromkeys(found.values()))


def place_in(file: Path, line: int) -> Place:
    """How a line of a file is called."""
    return Place(f"{file.name} line {line}", f"{file.name} 第 {line} 行")


def read_subject(where: Place, text: str, *, check_attested: bool = False) -> Identifier:
    """The identifier that was typed, or stands at a place of a file; text that is none ends the command."""
    scheme, colon, code = text.rpartition(":")
    likely = (scheme,) if colon else likely_schemes(code, waive_check=check_attested)
    if not likely:
        fail(f"{where.en}: no known scheme has codes like this; write SCHEME:CODE", Exit.USAGE)
    if len(likely) > 1:
        fail(f"{where.en}: a code of {' or '.join(likely)}? write SCHEME:CODE", Exit.USAGE)
    parsed = parse_identifier(likely[0], code, waive_check=check_attested)
    if isinstance(parsed, Problem):
        en = f"{where.en}: {parsed.field}: expected {parsed.expected}, got {parsed.got}"
        fail(f"{en}  {where.zh}：{told_in_chinese(parsed)}", Exit.USAGE)
    return parsed
