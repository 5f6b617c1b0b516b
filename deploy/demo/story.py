"""How the demonstration speaks: chapters with their times, lines, commands, tables."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from deploy.demo.network import Member

console = Console(highlight=False, width=110)


class Story:
    """Tells what happens, with the time each chapter took."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.chapter_number = 0

    @contextmanager
    def chapter(self, en: str, zh: str) -> Iterator[None]:
        """One chapter: a heading, what is said within, and the seconds it took."""
        self.chapter_number += 1
        began = time.monotonic()
        console.print(f"\n[bold cyan]{self.chapter_number}. {en}[/]  [dim]{zh}[/]")
        yield
        console.print(f"   [dim]{time.monotonic() - began:.1f} s[/]")

    def say(self, text: str) -> None:
        """One line."""
        console.print(f"   {text}")

    def command(self, member: Member, line: str) -> None:
        """Show a command as a person would type it."""
        console.print(f"   [green]{member.party}$[/] {line}", soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
        """A table: the first column is text, the others are numbers."""
        shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for place, heading in enumerate(headings):
            shown.add_column(heading, justify="right" if place else "left")
        for first, *numbers in rows:
            shown.add_row(str(first), *(f"{number:,}" for number in numbers))
        for line in _lines(shown):
            self.say(line)


def _lines(shown: Table) -> list[str]:
    with console.capture() as captured:
        console.print(shown)
    return captured.get().rstrip("\n").split("\n")
