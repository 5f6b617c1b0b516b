"""verify: check one bundle, or several against each other, offline, by the authorities' cards alone."""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.inspector.bundles import Authorities, JsonFlag, cards_of, lines_of, one_sentence
from node.cli.screen import Exit, err, out, say_json
from node.domain.evidence.agreed import Norms
from node.domain.evidence.counterparts import node_of, verify_together
from node.domain.evidence.findings import Finding, Outcome, Report, Step, StepReport, meaning_of, title_of
from node.domain.evidence.verify import verify as verify_bundle
from registry.norms.calendar import load_calendar
from registry.norms.rule_pack import DEFAULT_RULE_PACK, load_rule_pack

MOST_SHOWN = 20
"""Findings shown to a person; `--json` has more."""
_MARKS = {Outcome.OK: "[green]✓[/]", Outcome.FINDINGS: "[red]✗[/]", Outcome.UNCHECKED: "[dim]·[/]"}


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(
        epilog="Example: creditport-inspect verify sz-credit.bundle --authority sz.card.json@0123-...-cdef; "
        "creditport-inspect verify sz-credit.bundle hk-bank.bundle --authority sz.json@F --authority hk.json@F"
    )(verify)


@one_sentence
def verify(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles that `fetch` wrote.", show_default=False)],
    authority: Authorities,
    rule_pack: Annotated[str, typer.Option(help="The rule pack to judge by.")] = DEFAULT_RULE_PACK,
    json: JsonFlag = False,
) -> None:
    """Check bundles step by step. Exit code 0: clean. 1: findings. 2: it cannot be checked."""
    anchors = cards_of(authority)
    norms = Norms(rules=load_rule_pack(rule_pack), calendar=load_calendar())
    opened = [lines_of(one) for one in bundles]
    nodes = [node_of(lines()) for lines in opened]
    with err.status("checking ... 核验中") if err.is_terminal else nullcontext():
        if len(opened) > 1 and all(nodes):
            named = [(node or "", lines) for node, lines in zip(nodes, opened, strict=True)]
            reports = verify_together(named, anchors, norms)
        else:
            reports = [verify_bundle(lines(), anchors, norms).report for lines in opened]
    if json:
        say_json([_plain(one, file) for one, file in zip_longest(reports, bundles)])
    else:
        for report, file in zip_longest(reports, bundles):
            _show(report, file)
    raise typer.Exit(int(exit_code(reports)))


def exit_code(reports: Sequence[Report]) -> Exit:
    """What the reports come to: a finding outweighs what could not be checked."""
    if any(one.total for one in reports):
        return Exit.REFUSED
    if any(one.hindrance for one in reports):
        return Exit.USAGE
    return Exit.OK


def _show(report: Report, file: Path | None) -> None:
    """Show one report by the name of its node, or by that of a file which says of none."""
    out.print(report.node or str(file), style="bold", markup=False)
    for one in report.steps if report.node else ():
        if one.outcome is not Outcome.UNCHECKED or Step.COUNTERPARTS not in {other.step for other in report.steps}:
            _show_step(one, hindered=report.hindrance is not None)
    for finding in report.findings[:MOST_SHOWN]:
        _show_finding(finding)
    if report.total > MOST_SHOWN:
        out.print(f"  ... and {report.total - MOST_SHOWN} more findings · 另有 {report.total - MOST_SHOWN} 项")
    if report.hindrance:
        out.print(f"  cannot be checked · 无法核验: {report.hindrance}", markup=False)
    if report.is_clean:
        out.print("  clean: no findings · 未发现问题")


def _show_step(one: StepReport, *, hindered: bool) -> None:
    title = title_of(one.step)
    count = f"{one.wrong} of {one.checked}" if one.wrong else str(one.checked)
    if one.outcome is Outcome.UNCHECKED:
        count = "not checked · 未核验" if hindered else "nothing to check · 无可核验"
    out.print(f"  {_MARKS[one.outcome]} {one.step.value:>2}  {title.en} · {title.zh}  [dim]{count}[/]")


def _show_finding(finding: Finding) -> None:
    meaning = meaning_of(finding.wrong)
    out.print(f"\n  [red]{finding.wrong.value}[/] ({meaning.article})  {finding.place}")
    out.print(f"      {meaning.en} {meaning.zh}", markup=False)
    out.print(f"      expected {finding.expected}; got {finding.got}", markup=False)


def _plain(report: Report, file: Path | None) -> dict[str, Any]:
    """A report for programs; that of several files together is of none."""
    return {
        "file": None if file is None else str(file),
        "node": report.node,
        "clean": report.is_clean,
        "cannot_check": report.hindrance,
        "steps": [
            {
                "step": one.step.value, "title_en": title_of(one.step).en, "title_zh": title_of(one.step).zh,
                "outcome": one.outcome.value, "checked": one.checked, "findings": one.wrong,
            }
            for one in report.steps
        ],
        "findings": report.total,
        "shown": [
            {
                "step": one.step.value, "finding": one.wrong.value, "place": one.place, "expected": one.expected,
                "got": one.got, "article": meaning_of(one.wrong).article, "text_en": meaning_of(one.wrong).en,
                "text_zh": meaning_of(one.wrong).zh,
            }
            for one in report.findings
        ],
    }  # fmt: skip
