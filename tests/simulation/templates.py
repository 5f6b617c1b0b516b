"""Networks as the simulations begin with them: made once, and copied for every story."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from registry.parties import PartyId
from tests.fakes.founding import copied, founded
from tests.fakes.network import Network
from tests.fakes.propagation import EVERYBODY, HOLDERS, HOME, agree, ask, code, consent, enterprise, load, push

PUSHED, SHORT, PULLING = HOLDERS
"""Two with PUSH agreements, one of whom keeps copies for three days only; one who has to ask."""
RETENTION = {PUSHED: 90, SHORT: 3, PULLING: 90}
SHOWN = 4
LOADED = 5
SUBJECTS = 6
"""Enterprises whose consent is attested: four with a record that was shown, one with another, one without a record."""


@dataclass(frozen=True, slots=True)
class Template:
    """The folder of a closed network, and what its holders' agreements are called."""

    folder: Path
    agreements: Mapping[PartyId, bytes]
    at: datetime

    @contextmanager
    def copied(self, folder: Path, seed: int = 1) -> Iterator[Network]:
        """A network that goes on from here, by another chance for every `seed`."""
        with copied(self.folder, EVERYBODY, folder, self.at, seed) as network:
            yield network


def prepared(folder: Path) -> Template:
    """One home with five records, and three holders with agreements in force, consents, and copies of most records."""
    with founded(EVERYBODY, folder) as network:
        agreements = {
            holder: agree(network, HOME, holder, push=holder != PULLING, retention_days=RETENTION[holder])
            for holder in HOLDERS
        }
        load(network, HOME, [enterprise(number) for number in range(SHOWN)])
        for holder in HOLDERS:
            consent(network, holder, agreements[holder], [code(number) for number in range(SUBJECTS)])
        for holder in (PUSHED, SHORT):
            push(network, HOME, agreements[holder])
        ask(network, PULLING, agreements[PULLING], [code(0), code(1)])
        ask(network, PULLING, agreements[PULLING], [code(2)], {"101": frozenset({"status_code"})})
        network.settle()
        load(network, HOME, [enterprise(number) for number in range(SHOWN, LOADED)])
        return Template(folder, agreements, network.clock.at)
