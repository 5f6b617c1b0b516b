"""One thing that is wrong with a value, in words: English for the first half of a line, Chinese for the second."""

from typing import NamedTuple

from agreements.refusal import Refusal
from node.domain.identifiers import Problem
from node.domain.problem_words import told_in_chinese
from node.domain.records import Kind


class Said(NamedTuple):
    """One sentence in both languages; on a screen two spaces part them."""

    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.en}  {self.zh}"


def problem_in_words(reason: Refusal, problem: Problem, kind: Kind) -> Said:
    """What is wrong with a column of a kind; the Chinese calls it by its title there."""
    en = f"{problem.field}: expected {problem.expected}, got {problem.got} ({reason})"
    return Said(en, told_in_chinese(problem, kind))


def rows_in_words(first: int, count: int = 1) -> Said:
    """So many rows, named by the first of them."""
    if count == 1:
        return Said(f"row {first}", f"第 {first} 行")
    return Said(f"row {first} and {count - 1} more", f"第 {first} 行等 {count} 行")
