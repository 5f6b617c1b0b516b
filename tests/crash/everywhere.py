"""The same at every single call, which takes about a quarter of an hour.

python -m tests.crash.everywhere [sqlite | postgresql]
"""

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.contracts.postgresql import shared_server
from tests.crash.crashes import CASES, NAMES, Crashes, launched, played
from tests.crash.launcher import Kill


def main() -> None:
    """Kill everybody before and after every call, and show what is different then."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in sys.argv[1:] or ["sqlite", "postgresql"]:
            place = Path(folder) / kind
            place.mkdir()
            serving = shared_server(place) if kind == "postgresql" else nullcontext()
            with serving as server, launched() as launcher, played(launcher, place, server) as crashes:
                everywhere(kind, crashes)


def everywhere(kind: str, crashes: Crashes) -> None:
    """Every kill on one kind of database."""
    for (victim, act), name in zip(CASES, NAMES, strict=True):
        calls = range(1, len(crashes.calls[act][victim]) + 1)
        kills = [Kill(victim, **{moment: call}) for call in calls for moment in ("before", "after")]
        ended = {crashes.place(act, kill): crashes.broken_off(act, kill) for kill in kills}
        wrong = {place: differences for place, differences in ended.items() if differences}
        print(f"{kind}: {name}: killed {len(kills)} times, {len(wrong)} times it ended otherwise", flush=True)
        for place, differences in wrong.items():
            print("", place, *differences, sep="\n  ")


if __name__ == "__main__":
    main()
