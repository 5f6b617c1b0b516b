"""agreement: draft, propose, sign, file, list, show, terminate."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from agreements.agreement import Agreement, missing_filings, state_at
from agreements.filing import filing_due
from agreements.termination import Ending
from agreements.terms import epoch_at
from node.app.opening import Node, utc_now
from node.cli.inputs import a_file, require_party, text_of
from node.cli.references import AgreementName, find_agreement
from node.cli.screen import Exit, facts, fail, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.cli.waiting import fail_if_given_up, fail_if_refused, job_result, queued, wait_for
from node.domain.drafting import OFFERED, Draft, DraftRefused, Setting, complete, example, read_draft
from node.domain.jobs import Job
from node.domain.records import Kind
from node.domain.vocabulary import vocabulary_of
from node.operations.disclose import is_ready
from node.operations.keep_agreements import (
    DocumentPayload,
    Done,
    NotPossible,
    Office,
    draft_agreement,
    epoch_keys,
    file_agreement,
    propose_agreement,
    sign_agreement,
    terminate_agreement,
)
from node.operations.ports import UnitOfWork
from registry.errors import CalendarUnavailable
from registry.norms.catalogue import Crossing
from registry.norms.law import Law
from registry.parties import PartyId

app = typer.Typer(no_args_is_help=True, help="Agreements: draft, propose, sign, file, end.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="agreement")


Wait = Annotated[
    float, typer.Option("--wait", help="Seconds to wait for the other side; 0 only queues.", min=0, max=3_600)
]
Order = Callable[[UnitOfWork, Agreement, Office], Done | NotPossible]


@app.command("example", epilog="Example: creditport agreement example --recipient hk-bank > agreement.toml")
@one_sentence
def show_example(
    recipient: Annotated[str, typer.Option(help="The party that will receive records.")],
    kind: Annotated[
        list[Kind] | None, typer.Option(metavar="KIND", help="Offer this kind; 101 and 201 if none is named.")
    ] = None,
    node: NodeFolder = HERE,
) -> None:
    """Print a draft file to be edited."""
    require_party("--recipient", recipient)
    offered = [one.value for one in kind or ()] or OFFERED
    with reading(node) as opened:
        entries = opened.law.catalogue.entries
        never = [one for one in offered if one not in entries or entries[one].crosses is Crossing.NEVER]
        if never:
            fail(f"no agreement offers kind {', '.join(never)}, which never crosses  该种类信息不得出境", Exit.USAGE)
        text = example(PartyId(recipient), utc_now(), opened.law, offered)
    out.print(text, end="", markup=False)


@app.command(epilog="Example: creditport agreement draft agreement.toml --as alice")
@one_sentence
def draft(
    file: Annotated[
        Path, typer.Argument(help="A draft file; `creditport agreement example` prints one.", callback=a_file)
    ],
    operator: OperatorName,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Complete a draft with epoch keys and keep it; nothing is sent yet."""
    drafted = _drafted(file)
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            known = opened.facts(work)
            recipient = known.snapshot.party(drafted.recipient)
            if recipient is None:
                fail(f"{drafted.recipient} is not a listed party; see `creditport party list`", Exit.REFUSED)
            context = opened.context
            setting = Setting(
                provider=opened.settings.own.card,
                recipient=recipient.card.card,
                law=known.law,
                epoch_key=lambda name, number: epoch_keys(context, name, range(number, number + 1))[0],
            )
            try:
                terms = complete(drafted, setting, context.random(16).hex())
            except DraftRefused as wrong:
                fail(f"{file}: {wrong}", Exit.REFUSED)
            office = Office(facts=known, settings=opened.settings, context=context, operator=who)
            done = draft_agreement(work, terms, office)
    facts({"agreement": _or_fail(done).agreement.hex(), "state": "DRAFT"}, as_json=json)


@app.command(epilog="Example: creditport agreement propose 3fa9c1 --as alice")
@one_sentence
def propose(
    name: AgreementName,
    operator: OperatorName,
    node: NodeFolder = HERE,
    wait: Wait = 15,
    json: JsonFlag = False,
) -> None:
    """Sign a draft as its provider and send it to the recipient."""
    _order(name, operator, node, wait, propose_agreement, json=json)


@app.command(epilog="Example: creditport agreement sign 3fa9c1 --as bob")
@one_sentence
def sign(
    name: AgreementName,
    operator: OperatorName,
    node: NodeFolder = HERE,
    wait: Wait = 15,
    json: JsonFlag = False,
) -> None:
    """Check proposed terms against registry and law, sign them as the recipient, and send them back."""
    _order(name, operator, node, wait, sign_agreement, json=json)


@app.command(epilog="Example: creditport agreement file 3fa9c1 --as alice")
@one_sentence
def file(
    name: AgreementName,
    operator: OperatorName,
    node: NodeFolder = HERE,
    wait: Wait = 15,
    json: JsonFlag = False,
) -> None:
    """File a signed agreement with the authority (S 34); without a filing nothing flows."""
    _order(name, operator, node, wait, file_agreement, json=json)


@app.command(epilog="Example: creditport agreement terminate 3fa9c1 --reason END_OF_COOPERATION --as alice")
@one_sentence
def terminate(
    name: AgreementName,
    operator: OperatorName,
    reason: Annotated[Ending, typer.Option(help="Why.")] = Ending.END_OF_COOPERATION,
    node: NodeFolder = HERE,
    wait: Wait = 15,
    json: JsonFlag = False,
) -> None:
    """End an agreement, here at once and at the other side when the notice arrives."""
    _order(
        name,
        operator,
        node,
        wait,
        lambda work, one, office: terminate_agreement(work, one, reason, office),
        json=json,
    )


@app.command("list", epilog="Example: creditport agreement list --json")
@one_sentence
def list_agreements(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """List the agreements this node knows, with their states and filing clocks."""
    with reading(node) as opened, opened.store.read() as work:
        known = opened.facts(work)
        rows = [_row(known.law, one) for _, one in sorted(known.agreements.items())]
    columns = {
        "short": "agreement",
        "state": "state",
        "provider": "provider",
        "recipient": "recipient",
        "kinds": "kinds",
        "expires_at": "until",
        "filing_due": "file by",
        "title": "title",
    }
    table(rows, columns, as_json=json, empty="no agreements yet: creditport agreement example --recipient PARTY")


@app.command(epilog="Example: creditport agreement show 3fa9c1")
@one_sentence
def show(name: AgreementName, node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """Show one agreement: terms, signatures, filings, what is missing, and what was used of its quotas."""
    with reading(node) as opened, opened.store.read() as work:
        agreement = find_agreement(name, opened.facts(work))
        shown = _row(opened.facts(work).law, agreement) | _details(opened, work, agreement)
    if json:
        say_json(shown)
        return
    facts({key: value for key, value in shown.items() if key != "terms"}, as_json=False)
    for kind in agreement.terms.kinds:
        fields = "  ".join(f"{one.name}:{one.precision}" for one in kind.fields)
        out.print(f"fields of {kind.kind}  {fields}", markup=False)


def _drafted(file: Path) -> Draft:
    """The draft in a file; what is none ends the command."""
    try:
        return read_draft(text_of(file))
    except DraftRefused as wrong:
        fail(f"{file}: {wrong}", Exit.USAGE)


def _order(name: str, operator: str, folder: Path, wait: float, act: Order, *, json: bool) -> None:
    """Do one act on an agreement under an operator's signature, and wait for the other side."""
    with ExitStack() as stack:
        node = stack.enter_context(acting(folder))
        who = ordering(node, operator)
        with node.store.write() as work:
            known = node.facts(work)
            agreement = find_agreement(name, known)
            office = Office(facts=known, settings=node.settings, context=node.context, operator=who)
            done = _or_fail(act(work, agreement, office))
        if done.job is None or not wait:
            _say(node, agreement, {} if done.job is None else queued(node, done.job), json=json)
            return
        tell(node, wait_for(node, done.job, wait), json=json)


def tell(node: Node, job: Job, *, json: bool) -> None:
    """Show what came of a document's delivery or an agreement's filing, and the agreement as it is now."""
    fail_if_given_up(job)
    result = job_result(job)
    fail_if_refused(job, as_json=json)
    digest = bytes.fromhex(msgspec.json.decode(job.payload, type=DocumentPayload).agreement)
    with node.store.read() as work:
        agreement = node.facts(work).agreements[digest]
    _say(node, agreement, {"sent_to": result.by}, json=json)


def _say(node: Node, agreement: Agreement, more: dict[str, Any], *, json: bool) -> None:
    with node.store.read() as work:
        known = node.facts(work)
    now_known = known.agreements.get(agreement.digest, agreement)
    facts(_row(known.law, now_known) | _filed(now_known) | more, as_json=json)


def _or_fail(done: Done | NotPossible) -> Done:
    if isinstance(done, NotPossible):
        fail(done.why, Exit.REFUSED)
    return done


def _row(law: Law, agreement: Agreement) -> dict[str, Any]:
    terms = agreement.terms
    return {
        "agreement": agreement.digest.hex(),
        "short": agreement.digest.hex()[:12],
        "title": terms.title,
        "state": state_at(agreement, utc_now()).value,
        "provider": terms.provider,
        "recipient": terms.recipient,
        "direction": terms.direction.value,
        "kinds": [kind.kind for kind in terms.kinds],
        "purposes": list(terms.purposes),
        "effective_from": terms.effective_from,
        "expires_at": terms.expires_at,
        "filing_due": _filing_due(law, agreement),
    }


def _filing_due(law: Law, agreement: Agreement) -> str:
    if not missing_filings(agreement):
        return "filed"
    try:
        due = filing_due(agreement.terms, law.calendar, law.rules)
    except CalendarUnavailable:
        return "CALENDAR_UNAVAILABLE"
    return due.day.isoformat() + (" (provisional)" if due.provisional else "")


def _filed(agreement: Agreement) -> dict[str, Any]:
    for filed in agreement.filings.values():
        receipt = filed.receipt
        return {
            "receipt_no": receipt.receipt_no,
            "filed_at": receipt.filed_at,
            "due_on": receipt.due_on,
            "late": receipt.late,
        }
    return {}


def _is_ready(node: Node, work: UnitOfWork, agreement: Agreement) -> bool:
    epoch = epoch_at(agreement.terms, utc_now())
    if epoch is None:
        return False
    number, words = work.agreements.number(agreement.digest), vocabulary_of(node.facts(work).law)
    return is_ready(work, agreement, number, epoch.number, words)


def _details(node: Node, work: UnitOfWork, agreement: Agreement) -> dict[str, Any]:
    terms = agreement.terms
    epoch = epoch_at(terms, utc_now())
    number = work.agreements.number(agreement.digest)
    windows = ["lifetime", *([f"epoch:{epoch.number}"] if epoch else [])]
    return {
        "signed_by": sorted(agreement.signed_by),
        "missing_filings": sorted(missing_filings(agreement)),
        **_filed(agreement),
        "epoch": epoch.number if epoch else None,
        "ready": _is_ready(node, work, agreement) if terms.provider == node.party else None,
        "elements_used": dict(work.usage.charged(number, windows)),
        "elements_per_epoch": terms.quotas.elements_per_epoch,
        "elements_lifetime": terms.quotas.elements_lifetime,
        "queries_per_day": terms.quotas.queries_per_day,
        "batch_size": terms.quotas.batch_size,
        "retention_days": terms.retention_days,
        "export_path": terms.export_path.value,
        "rule_pack": terms.rule_pack,
        "catalogue": terms.catalogue,
        "terms": msgspec.to_builtins(terms),
    }
