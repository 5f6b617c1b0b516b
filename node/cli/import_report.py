"""What is said about an import: counts, conflicts, and every row that was not loaded, with why."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agreements.refusal import Refusal, explain
from node.cli.screen import err, facts, out, say_json
from node.domain.identifiers import Problem, Remark
from node.domain.intake import Case, Rejected

MOST_REJECTS_SHOWN = 20
MOST_CONFLICTS_KEPT = 200
_COUNTS = {
    "rows": "行数",
    "new": "新增",
    "updated": "更新",
    "unchanged": "未变",
    "rejected": "未入库",
    "unjoined": "其中未匹配主体",
    "conflicts": "其中冲突",
}
_REMARKS = {
    Remark.CHECK_ATTESTED: "with a check character that does not fit its unified code, as the file attests",
    Remark.ORGANISATION_CHECK: "with a unified code whose organisation code does not fit its own check (GB 11714)",
}


def rejects_file(stack: ExitStack, path: Path | None) -> Any:
    """A writer of rejects to a new CSV file, which `stack` closes; None without a path."""
    if path is None:
        return None
    file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
    writer = csv.DictWriter(file, ["row", "reason", "field", "expected", "got", "case"])
    writer.writeheader()
    return writer


@dataclass(slots=True)
class ImportReport:
    """What became of the file: counts, and the rows that were not loaded, the first of them kept for the screen.

    `remarked` are the first loaded rows of each remark about an identifier, `remarks` how many there are.
    """

    writer: Any
    done: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[Rejected] = field(default_factory=list)
    alike: Counter[tuple[Refusal, Problem]] = field(default_factory=Counter)
    first_alike: dict[tuple[Refusal, Problem], Rejected] = field(default_factory=dict)
    conflicts: list[Rejected] = field(default_factory=list)
    sources: dict[bytes, int] = field(default_factory=dict)
    remarks: Counter[Remark] = field(default_factory=Counter)
    remarked: dict[Remark, list[int]] = field(default_factory=dict)

    def say_interrupted(self, kind: type[BaseException] | None, *_: object) -> None:
        """On the way out of an import, say how far it came when somebody ended it."""
        if kind is KeyboardInterrupt:
            so_far = f"{self.done['rows']} rows were loaded or named so far; load the same file again to go on"
            err.print(f"creditport: {so_far}  已处理 {self.done['rows']} 行，再次导入同一文件即可继续", markup=False)

    def take(self, rejects: Iterable[Rejected]) -> None:
        """Count these rows, write them to the rejects file if there is one, and keep the first."""
        for one in rejects:
            self.cases[one.case.value] += 1
            self.reasons[one.reason.value] += 1
            if len(self.first) < MOST_REJECTS_SHOWN:
                self.first.append(one)
            if one.case is not Case.CONFLICT:
                self._gather(one)
            elif len(self.conflicts) < MOST_CONFLICTS_KEPT:
                self.conflicts.append(one)
            if self.writer is not None:
                self.writer.writerow(_reject(one))

    def note(self, remarks: Iterable[tuple[int, Remark]]) -> None:
        """Count loaded rows with something odd about an identifier, and keep the first of each kind."""
        for row, remark in remarks:
            self.remarks[remark] += 1
            first = self.remarked.setdefault(remark, [])
            if len(first) < MOST_REJECTS_SHOWN:
                first.append(row)

    def _gather(self, one: Rejected) -> None:
        """Count rows with the same thing wrong together, as many kinds of things as are shown."""
        what = (one.reason, one.problem)
        if what in self.first_alike or len(self.first_alike) < MOST_REJECTS_SHOWN:
            self.first_alike.setdefault(what, one)
            self.alike[what] += 1

    @property
    def contested(self) -> frozenset[bytes]:
        """The source keys of registrations that another row of the same file may have stated."""
        return frozenset(one.source_key for one in self.conflicts if one.source_key is not None)

    def name_sources(self, found: Iterable[tuple[bytes, int]]) -> None:
        """Take note of the rows that state contested registrations, as (source key, row number)."""
        turned_away = {one.row for one in self.conflicts}
        for key, row in found:
            if row not in turned_away:
                self.sources.setdefault(key, row)

    def say(self, *, as_json: bool) -> None:
        """Show it: counts first, then conflicts, then the other rows that were not loaded."""
        counts = {name: self.done[name] for name in ("rows", "new", "updated", "unchanged", "rejected")}
        counts |= {"unjoined": self.cases[Case.UNJOINED], "conflicts": self.cases[Case.CONFLICT]}
        if as_json:
            lists = {"conflicts_found": [self._conflict(one) for one in self.conflicts]}
            rejects = {"rejects": [_reject(one) for one in self.first]}
            odd = {one.value: {"count": self.remarks[one], "rows": rows} for one, rows in self.remarked.items()}
            why = {"reasons": dict(sorted(self.reasons.items()))}
            say_json(counts | why | lists | rejects | {"remarks": odd})
            return
        facts({f"{name} {_COUNTS[name]}": count for name, count in counts.items()}, as_json=False)
        for remark, rows in self.remarked.items():
            more = f" and {self.remarks[remark] - 1} more" if rows[1:] else ""
            out.print(f"loaded: row {rows[0]}{more} {_REMARKS[remark]} ({remark})", markup=False)
        conflicts = self.conflicts[:MOST_REJECTS_SHOWN]
        for one in conflicts:
            other = self.sources.get(one.source_key or b"")
            where = f"; row {other} of this file is what stands there" if other else ""
            out.print(f"conflict: row {one.row}: {_wrong(one)}{where}", markup=False)
        for line in self.alike_in_words():
            out.print(line, markup=False)
        left = self.done["rejected"] - len(conflicts) - self.alike.total()
        if left:
            out.print(f"... and {left} more; --rejects FILE names them all", markup=False)
        for reason, count in sorted(self.reasons.items()):
            told = explain(Refusal(reason))
            out.print(f"{count} {reason} ({told.article}). {told.zh} {told.en}", markup=False)

    def alike_in_words(self) -> Iterator[str]:
        """A line for each kind of thing that is wrong: its first row, and how many more there are."""
        for what, one in self.first_alike.items():
            others = f" and {self.alike[what] - 1} more" if self.alike[what] > 1 else ""
            yield f"row {one.row}{others}: {_wrong(one)}"

    def _conflict(self, one: Rejected) -> dict[str, Any]:
        return {
            "row": one.row,
            "field": one.problem.field,
            "record": one.against,
            "other_row": self.sources.get(one.source_key or b""),
        }


def _wrong(one: Rejected) -> str:
    wrong = one.problem
    return f"{wrong.field}: expected {wrong.expected}, got {wrong.got} ({one.reason})"


def _reject(one: Rejected) -> dict[str, Any]:
    problem = one.problem
    return {
        "row": one.row,
        "reason": one.reason.value,
        "field": problem.field,
        "expected": problem.expected,
        "got": problem.got,
        "case": one.case.value,
    }
