"""consent: attest that customers agreed to be asked about, and list what was attested."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from agreements.consent import Consent, Form
from agreements.refusal import Refused
from crypto import envelope
from node.app.opening import utc_now
from node.cli.inputs import a_day, a_file
from node.cli.references import (
    AgreementOption,
    CheckAttested,
    SubjectFile,
    SubjectOption,
    find_agreement,
    only_recipient,
    read_subjects,
)
from node.cli.screen import LARGEST, Exit, err, facts, fail, fail_refused, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.operations.attest_consents import Attestation, attest_consents
from node.operations.facts import NodeFacts
from node.operations.operators import NotAllowed
from registry.norms.calendar import due_end

app = typer.Typer(
    no_args_is_help=True,
    help="Consents of the enterprises you ask about (S 28, 35). They never leave this node.",
)


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="consent")


DEFAULT_TERM = timedelta(days=180)
Standalone = Annotated[
    bool, typer.Option("--standalone/--bundled", help="Given by itself, apart from other terms (S 25).")
]
Free = Annotated[bool, typer.Option("--free/--conditioned", help="No service depended on it (S 25).")]
Warned = Annotated[bool, typer.Option("--warned/--unwarned", help="The form warns of what may follow (S 23).")]
Purposes = Annotated[list[str], typer.Option(metavar="PURPOSE", help="For what. May be repeated.")]
Kinds = Annotated[list[str], typer.Option(metavar="KIND", help="Which kinds of records. May be repeated.")]
Evidence = Annotated[Path, typer.Option(help="The signed form; only its SHA-256 is kept.", callback=a_file)]


@app.command(
    epilog="Example: creditport consent attest --agreement 3fa9c1 --subject 91440300MA5TERT15Q "
    "--purpose CROSS_BORDER_FINANCING --kind 101 --kind 201 --evidence consent.pdf --as carol"
)
@one_sentence
def attest(
    agreement: AgreementOption,
    purpose: Purposes,
    kind: Kinds,
    evidence: Evidence,
    operator: OperatorName,
    subject: SubjectOption = None,
    subject_file: SubjectFile = None,
    uscc_check_attested: CheckAttested = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            parser=a_day,
            metavar="DAY",
            help="Last day in Shenzhen, YYYY-MM-DD; the rule pack bounds it.",
            show_default="180 days",
        ),
    ] = None,
    form: Annotated[Form, typer.Option(metavar="FORM", help=f"How it was given: {' or '.join(Form)}.")] = Form.WRITTEN,
    standalone: Standalone = True,
    free: Free = True,
    warned: Warned = True,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Attest that you hold the written consent of these enterprises, under your operator's signature.

    You attest with it how the consent came about: standalone, free and warned, unless you say otherwise.
    """
    subjects = read_subjects(subject, subject_file, check_attested=uscc_check_attested)
    if evidence.is_file() and not evidence.stat().st_size:
        fail(f"{evidence} is empty, and no signed form  文件为空，并非已签署的书面材料", Exit.USAGE)
    with evidence.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            under = find_agreement(agreement, opened.facts(work))
            only_recipient(under, opened.party, "attesting consents")
            _note_strange({*kind}, set(under.terms.precisions), "kinds")
            _note_strange({*purpose}, set(under.terms.purposes), "purposes")
            attestation = Attestation(
                agreement=under,
                subjects=subjects,
                kinds=frozenset(kind),
                purposes=frozenset(purpose),
                valid_until=due_end(until.date()) if until else utc_now() + DEFAULT_TERM,
                evidence=digest,
                form=form,
                standalone=standalone,
                service_not_conditioned=free,
                adverse_warning=warned,
            )
            done = attest_consents(work, attestation, who, opened.facts(work).law.rules, opened.context)
    if isinstance(done, NotAllowed):
        fail(done.why, Exit.REFUSED)
    if isinstance(done, Refused):
        fail_refused(done)
    assured = {"standalone": standalone, "free": free, "warned": warned}
    facts({"consents": len(done), "valid_until": attestation.valid_until, **assured}, as_json=json)


def _note_strange(given: set[str], named: set[str], what: str) -> None:
    """A consent for what the agreement does not name is kept, but most likely it is a slip of the pen."""
    if not given <= named:
        strange, known = ", ".join(sorted(given - named)), ", ".join(sorted(named))
        err.print(f"creditport: note: the agreement names no {strange}; its {what}: {known}", markup=False)


def _versions(known: NodeFacts) -> dict[str, list[str]]:
    """The digests by which people name agreements, by the id that a consent names and every version shares."""
    found: dict[str, list[str]] = {}
    for digest, one in known.agreements.items():
        found.setdefault(one.terms.agreement, []).append(digest.hex())
    return found


@app.command("list", epilog="Example: creditport consent list --limit 20")
@one_sentence
def list_consents(
    after: Annotated[int, typer.Option(help="Go on after this number.", min=0, max=LARGEST)] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """List attested consents, a page at a time."""
    with reading(node) as opened, opened.store.read() as work:
        versions = _versions(opened.facts(work))
        rows = [
            {
                "number": number,
                "consent": row.consent.hex(),
                "subject": f"{row.scheme}:{row.value}",
                "agreement_id": row.agreement.hex(),
                "agreements": versions.get(row.agreement.hex(), []),
                "kinds": list(consent.kinds),
                "purposes": list(consent.purposes),
                "valid_until": row.valid_until,
                "evidence": consent.evidence,
                "standalone": consent.standalone,
                "free": consent.service_not_conditioned,
                "warned": consent.adverse_warning,
            }
            for number, row in work.consents.page(after, limit)
            for consent in [envelope.read_payload(envelope.parse(row.raw, "consent"), Consent)]
        ]
    columns = {
        "number": "no.",
        "subject": "subject",
        "kinds": "kinds",
        "purposes": "purposes",
        "valid_until": "until",
        "warned": "warned",
        "agreements": "agreement",
    }
    table(rows, columns, as_json=json, empty="no consents yet: creditport consent attest --help")
