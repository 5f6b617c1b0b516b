"""What is said about an import: counts, conflicts, and every row that was not loaded, with why."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agreements.refusal import Refusal, explain
from node.cli.problem_shown import Said, problem_in_words, rows_in_words
from node.cli.screen import err, facts, out, say_json
from node.domain.identifiers import Problem, Remark
from node.domain.intake import Case, Rejected
from node.domain.problem_words import in_chinese
from node.domain.records import Kind

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
    Remark.CHECK_ATTESTED: Said(
        "with a check character that does not fit its unified code, as the file attests",
        "统一社会信用代码的校验码不符，文件注明已经核实",
    ),
    Remark.ORGANISATION_CHECK: Said(
        "with a unified code whose organisation code does not fit its own check (GB 11714)",
        "统一社会信用代码中的组织机构代码与其自身校验码（GB 11714）不符",
    ),
}
_COLUMNS = ("row", "reason", "field", "expected", "got", "case", "expected_zh", "got_zh")


class RejectsFile:
    """A new CSV file that names rows which were not loaded; marked as UTF-8, so that a table program shows it.

    What the system does not take (a full disk) is kept in `failure`, and nothing more is written: the rows of the
    import go on being counted, and the same import names the same rows again.
    """

    def __init__(self, path: Path) -> None:
        """Make the file, with its headings; raises OSError where there can be none."""
        self.path = path
        self.failure: OSError | None = None
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._write(_COLUMNS)

    def add(self, one: Rejected) -> None:
        """Write a row's line, if nothing was in the way so far."""
        if self.failure is None:
            self._write(_reject(one))

    def close(self) -> None:
        """Have the rest written."""
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error

    def _write(self, line: Sequence[str | int]) -> None:
        try:
            self._writer.writerow(line)
        except OSError as error:
            self.failure = error


@dataclass(slots=True)
class ImportReport:
    """What became of a file of one kind: counts, and the rows that were not loaded, the first kept for the screen.

    `remarked` are the first loaded rows of each remark about an identifier, `remarks` how many there are.
    """

    kind: Kind
    rejects: RejectsFile | None
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
        """On the way out of an import, say how far it came when somebody ended it; it may be a batch further."""
        if kind is KeyboardInterrupt:
            rows = self.done["rows"]
            so_far = f"at least {rows} rows were loaded or named; load the same file again to go on"
            err.print(f"creditport: {so_far}  至少已处理 {rows} 行，再次导入同一文件即可继续", markup=False)

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
            if self.rejects is not None:
                self.rejects.add(one)

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
            rejects = {"rejects": [dict(zip(_COLUMNS, _reject(one), strict=True)) for one in self.first]}
            odd = {one.value: {"count": self.remarks[one], "rows": rows} for one, rows in self.remarked.items()}
            why = {"reasons": dict(sorted(self.reasons.items()))}
            say_json(counts | why | lists | rejects | {"remarks": odd})
            return
        facts({f"{name} {_COUNTS[name]}": count for name, count in counts.items()}, as_json=False)
        for line in self._lines():
            out.print(str(line), markup=False)
        for reason, count in sorted(self.reasons.items()):
            told = explain(Refusal(reason))
            out.print(f"{count} {reason} ({told.article}). {told.zh} {told.en}", markup=False)

    def _lines(self) -> Iterator[Said]:
        """What is said of single rows: of loaded ones first, then of conflicts and of the others."""
        for remark, (first, *_) in self.remarked.items():
            rows, odd = rows_in_words(first, self.remarks[remark]), _REMARKS[remark]
            yield Said(f"loaded: {rows.en} {odd.en} ({remark})", f"已入库：{rows.zh}，{odd.zh}")
        conflicts = self.conflicts[:MOST_REJECTS_SHOWN]
        for one in conflicts:
            row, wrong = rows_in_words(one.row), problem_in_words(one.reason, one.problem, self.kind)
            other = self.sources.get(one.source_key or b"")
            en = f"; row {other} of this file is what stands there" if other else ""
            zh = f"；现有内容见本文件第 {other} 行" if other else ""
            yield Said(f"conflict: {row.en}: {wrong.en}{en}", f"冲突：{row.zh}：{wrong.zh}{zh}")
        yield from self.alike_in_words()
        left = self.done["rejected"] - len(conflicts) - self.alike.total()
        if left:
            zh = f"另有 {left} 行，--rejects FILE 逐行列出"
            yield Said(f"... and {left} more; --rejects FILE names them all", zh)

    def alike_in_words(self) -> Iterator[Said]:
        """A line for each kind of thing that is wrong: its first row, and how many more there are."""
        for what, one in self.first_alike.items():
            rows, wrong = rows_in_words(one.row, self.alike[what]), problem_in_words(*what, self.kind)
            yield Said(f"{rows.en}: {wrong.en}", f"{rows.zh}：{wrong.zh}")

    def _conflict(self, one: Rejected) -> dict[str, Any]:
        return {
            "row": one.row,
            "field": one.problem.field,
            "record": one.against,
            "other_row": self.sources.get(one.source_key or b""),
        }


def _reject(one: Rejected) -> tuple[str | int, ...]:
    """What the rejects file says of a row, in the order of its columns."""
    problem, case = one.problem, one.case.value
    told = (one.row, one.reason.value, problem.field, problem.expected, problem.got, case)
    return (*told, in_chinese(problem.expected), in_chinese(problem.got))
