"""query: ask a provider about enterprises you already know, and read the answer."""

from string import hexdigits
from typing import Annotated, Any

import msgspec
import typer

from agreements.refusal import Refusal, Refused, explain
from crypto import commitment
from node.app.opening import Node, utc_now
from node.cli.references import (
    WHOLE,
    AgreementOption,
    CheckAttested,
    SubjectFile,
    SubjectOption,
    find_agreement,
    only_recipient,
    read_subjects,
)
from node.cli.screen import Exit, facts, fail, fail_refused, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.cli.waiting import fail_if_given_up, queued, wait_for
from node.domain.jobs import Job, JobState
from node.operations.ask import ASKED_FOR, MOST_SUBJECTS, Plan, QueryResult, Question, Target, plan_query
from node.operations.operators import NotAllowed
from node.operations.ports import UnitOfWork
from registry.parties import PartyId


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(
        epilog="Example: creditport query --agreement 3fa9c1 --subject 91440300MA5TERT15Q "
        "--purpose CROSS_BORDER_FINANCING --field 201.amount_band --as carol"
    )(query)


@one_sentence
def query(
    agreement: AgreementOption,
    purpose: Annotated[str, typer.Option(help="What for; one that the agreement names.")],
    operator: OperatorName,
    subject: SubjectOption = None,
    subject_file: SubjectFile = None,
    uscc_check_attested: CheckAttested = False,
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND.FIELD, such as 201.amount_band, or a KIND for all its fields. May be repeated.",
            show_default="all that the agreement grants",
        ),
    ] = None,
    provider: Annotated[
        str,
        typer.Option(help="Ask this party, even if this node holds no such agreement; needs the whole digest."),
    ] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the answer; 0 only queues.", min=0, max=3_600)] = 30,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Ask about one enterprise, or many in a batch (S 29). The provider decides, and says why if it refuses."""
    subjects = read_subjects(subject, subject_file, check_attested=uscc_check_attested)
    if len(subjects) > MOST_SUBJECTS:
        fail(f"at most {MOST_SUBJECTS:,} subjects in one query", Exit.USAGE)
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            target, granted = _target(opened, work, agreement, provider)
            question = Question(
                subjects=subjects,
                purpose=purpose,
                asked=_asked(field or [], granted),
                batch=len(subjects) > 1,
                patience=ASKED_FOR,
                rule_pack=opened.rule_pack,
            )
            number = plan_query(work, question, target, who, opened.context)
        if isinstance(number, NotAllowed):
            fail(number.why, Exit.REFUSED)
        if isinstance(number, Refused):
            fail_refused(number)
        if wait:
            tell(opened, wait_for(opened, number, wait), json=json)
        else:
            facts(queued(opened, number), as_json=json)


def _target(node: Node, work: UnitOfWork, name: str, provider: str) -> tuple[Target, dict[str, frozenset[str]]]:
    """Whom to ask, and what there is to ask for."""
    known = node.facts(work)
    if provider:
        if len(name) != WHOLE or not set(name.lower()) <= set(hexdigits):
            fail("--provider needs the agreement's whole digest, 64 hexadecimal digits", Exit.USAGE)
        if known.snapshot.party(PartyId(provider)) is None:
            fail(f"{provider} is not a listed party; see `creditport party list`", Exit.REFUSED)
        catalogue = known.law.catalogue
        target = Target(agreement=bytes.fromhex(name), provider=PartyId(provider), epoch=1)
        return target, {kind: entry.field_names for kind, entry in catalogue.entries.items()}
    agreement = find_agreement(name, known)
    only_recipient(agreement, node.party, "querying")
    granted = {kind: frozenset(fields) for kind, fields in agreement.terms.precisions.items()}
    return Target.of(agreement, utc_now()), granted


def _asked(fields: list[str], granted: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The fields by kind; a kind alone stands for all that is granted of it."""
    if not fields:
        return granted
    asked: dict[str, frozenset[str]] = {}
    for text in fields:
        kind, dot, name = text.partition(".")
        if not dot and kind not in granted:
            fail(f"no kind {kind} is granted; there are {', '.join(sorted(granted))}", Exit.USAGE)
        asked[kind] = asked.get(kind, frozenset()) | (frozenset({name}) if dot else granted[kind])
    return asked


def tell(node: Node, job: Job, *, json: bool) -> None:
    """Show what came of a query: the renditions that are held of its answer, and what was refused."""
    fail_if_given_up(job)
    plan = msgspec.json.decode(job.payload, type=Plan)
    try:
        result = msgspec.json.decode(job.result or b"", type=QueryResult, strict=True)
    except msgspec.DecodeError:
        result = QueryResult(failure="the job ended without a result")
    refused = [_refused(plan, one.reason, one.article, one.by, one.subject) for one in result.refused]
    if job.state is JobState.FAILED:
        _tell_refusals(refused, json=json)
        raise typer.Exit(int(Exit.REFUSED))
    renditions = _renditions(node, plan, result)
    if json:
        say_json({"frames": list(result.frames), "renditions": renditions, "refused": refused})
    else:
        columns = {
            "subject": "subject",
            "kind": "kind",
            "version": "version",
            "values": "values",
            "valid_until": "until",
        }
        table(
            renditions,
            columns,
            as_json=False,
            empty="no records: there is no such enterprise here, nothing may be shown, or it is not held any more",
        )
        out.print(
            f"{len(renditions)} renditions in {len(result.frames)} sealed frame(s) from {job.peer}",
            markup=False,
        )
        for one in refused:
            out.print(f"{one['subject']}: refused {one['reason']} ({one['article']})", markup=False)


def _tell_refusals(refused: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        say_json(refused[0] | {"refused": refused} if refused else {"reason": "NO_RESULT", "refused": []})
        return
    for one in refused or [{"reason": "NO_RESULT", "article": "-", "by": "-", "text_en": "", "text_zh": ""}]:
        out.print(
            f"{one['by']} refused: {one['reason']} ({one['article']}). {one['text_en']} {one['text_zh']}",
            markup=False,
        )


def _refused(plan: Plan, reason: str, article: str, by: str, subject: int | None) -> dict[str, Any]:
    told = explain(Refusal(reason))
    name = None if subject is None else f"{plan.subjects[subject].scheme}:{plan.subjects[subject].value}"
    return {
        "reason": reason,
        "article": article,
        "by": by,
        "subject": name,
        "text_en": told.en,
        "text_zh": told.zh,
    }


def _renditions(node: Node, plan: Plan, result: QueryResult) -> list[dict[str, Any]]:
    """The renditions of the frames, with the identifiers that were asked about in front.

    A copy whose time is over is none, though it be destroyed only when the node serves again (S 31, 35).
    """
    names = {item.pseudonym: item.subject for message in plan.messages for item in message.items}
    shown, now = [], utc_now()
    with node.store.read() as work:
        for frame in result.frames:
            for copy in work.received_frames.copies(bytes.fromhex(frame)):
                if copy.keep_until <= now:
                    continue
                rendition = commitment.decode(copy.rendition)
                subject = plan.subjects[names[rendition.header.pseudonym]]
                shown.append(
                    {
                        "subject": f"{subject.scheme}:{subject.value}",
                        "kind": copy.kind,
                        "version": copy.wire_version,
                        "alias": copy.alias.hex(),
                        "values": rendition.values(),
                        "valid_until": rendition.header.valid_until,
                        "keep_until": copy.keep_until,
                        "frame": frame,
                    }
                )
    return sorted(shown, key=lambda one: (str(one["subject"]), str(one["kind"])))
