"""No content, identifier or key of a home record is anywhere but at home, and nowhere in what home tells or logs."""

import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from crypto.keystore import unlock
from node.domain.columns import standard_columns
from node.domain.records import Kind
from node.wire.methods import BOUNDS, Method
from tests.scenarios.cast import PROVIDER, World, query, write_rows
from tests.scenarios.search import Searcher
from tests.scenarios.wire import RawClient

CODES = ("uscc", "hk_brn", "hk_cr", "mo_tin", "mo_cr", "lei")
WORDS = (*CODES, "name_zh", "name_en", "address", "facts", "decision_no", "authority_name")
DAYS = ("established_on", "decided_on")
LONG_AMOUNT = 12
ASKED = 10
CANARY = "CANARY-示例-7f3a91"


@dataclass(frozen=True)
class Run:
    """What a run left to be searched, beside the nodes' own folders."""

    exchanged: list[bytes]
    metrics: bytes


def secrets_of(row: dict[str, str], number: int) -> Iterator[tuple[str, str]]:
    """What may be nowhere, by a name that tells the row and the column but not the value."""
    for column in WORDS:
        if row.get(column):
            yield f"{column} of row {number}", row[column]
    for column in DAYS:
        if row.get(column):
            for place, text in enumerate(dates(date.fromisoformat(row[column]))):
                yield f"{column} of row {number}, spelling {place}", text
    amount = (row.get("capital") or row.get("amount") or "").removesuffix("元")
    if len(amount) >= LONG_AMOUNT:
        for place, text in enumerate(amounts(amount)):
            yield f"amount of row {number}, spelling {place}", text


def dates(day: date) -> list[str]:
    """The usual spellings of an exact day."""
    return [
        day.isoformat(), f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day:%d/%m/%Y}", f"{day:%Y.%m.%d}",
        f"{day.year}年{day.month}月{day.day}日", f"{day.day} {day:%B} {day.year}", f"{day:%d %b %Y}",
    ]  # fmt: skip


def amounts(text: str) -> list[str]:
    """An amount in yuan, in cents, and with its thousands set off."""
    whole, _, part = text.partition(".")
    return [whole, whole + part.ljust(2, "0"), f"{int(whole):,}"]


@pytest.fixture(scope="module")
def secrets(world: World) -> dict[str, str]:
    """Every secret of what is known about the enterprises asked about, and of a few others; each once."""
    home = world.home
    about = {*home.codes[:ASKED], home.old_penalty_only, home.recent_penalty}
    abroad = [row for row in home.enterprises if not row["uscc"]][:4]
    rows = [row for row in (*home.enterprises, *home.penalties) if row["uscc"] in about] + abroad
    named = [pair for number, row in enumerate(rows) for pair in secrets_of(row, number)]
    return {name: text for text, name in {text: name for name, text in named}.items()}


@pytest.fixture(scope="module")
def keys(world: World) -> dict[str, bytes]:
    """Every secret key and passphrase of every node and operator."""
    found: dict[str, bytes] = {}
    for actor in world.everybody:
        found[f"passphrase of {actor.party}"] = actor.passphrase.encode()
        for file in (actor.folder / "keystore.json", actor.folder / "operators" / "demo.json"):
            for entry in unlock(file.read_bytes(), actor.passphrase).entries:
                found[f"{entry.purpose} key of {actor.party} ({file.name})"] = entry.secret
    return found


@pytest.fixture(scope="module")
def run(world: World, agreement: str) -> Run:
    """Imports with rejected rows, queries, refusals and malformed messages; then the counters are read."""
    codes = world.home.codes
    _import_badly(world)
    world.bank.run(*query(agreement, *codes[:ASKED]))
    world.bank.run(*query(agreement, codes[0]), "--field", "201.decision_no", expect=(1,))
    world.rival.run(*query(agreement, codes[0]), "--provider", PROVIDER, expect=(1,))
    with RawClient(world.bank, world.agency) as client:
        _speak_badly(client, agreement)
        exchanged = client.exchanged
    world.agency.published()
    with urllib.request.urlopen(f"http://127.0.0.1:{world.agency.metrics_port}/metrics", timeout=60) as answer:
        return Run(exchanged, answer.read())


def _import_badly(world: World) -> None:
    """Rows with something wrong in each, and one whose columns slipped; told as a table, as JSON, and in a file."""
    first, *others = [row for row in world.home.enterprises if row["uscc"]][:8]
    slipped = first | {"status": first["uscc"], "industry_section": first["established_on"].replace("-", "")}
    wrong = {"uscc": f"{first['uscc'][:-1]}I", "established_on": "31/02/2019", "capital": CANARY, "status": CANARY}
    bad = [slipped, *(row | {column: text} for row, (column, text) in zip(others, wrong.items(), strict=False))]
    bad.append(others[-1] | {"status": first["uscc"]})
    registrations = write_rows(world.folder / "bad-registrations.csv", standard_columns(Kind.REGISTRATION), bad)
    penalty = world.home.penalties[0]
    fines = [
        penalty | {"authority_class": penalty["uscc"]},
        penalty | {"performed": CANARY},
        penalty | {"facts": "电话13800138000"},
    ]
    penalties = write_rows(world.folder / "bad-penalties.csv", standard_columns(Kind.PENALTY), fines)
    for file, kind in ((registrations, "101"), (penalties, "201")):
        rejects = world.agency.folder / f"rejects-{kind}.csv"
        words = ("records", "import", str(file), "--kind", kind, "--source", "SZ-CREDIT", "--rejects", str(rejects))
        world.agency.run(*words, expect=(1,))
        world.agency.run(*words, "--json", expect=(1,))
        world.agency.said.append((("rejects",), rejects.read_text(encoding="utf-8")))


def _speak_badly(client: RawClient, agreement: str) -> None:
    """Say to every method what is no message of it; a word in it must not come back."""
    good = client.question(agreement, os.urandom(16), {"101": ["region"]})
    for method in (one for one in Method if one is not Method.BATCH_QUERY):
        client.attempt(method, os.urandom(300))
        client.attempt(method, CANARY.encode() * 40)
        client.attempt(method, bytes(BOUNDS[method].request + 1))
    client.attempt(Method.QUERY, good[:-7])
    client.attempt(Method.QUERY, good + b"\x7a\x03abc")
    client.attempt(Method.QUERY, good.replace(b"CROSS_BORDER_FINANCING", CANARY.encode()[:22].ljust(22, b"!")))
    client.attempt(Method.QUERY, good)
    client.attempt(Method.QUERY, good)


def supplied(world: World, secrets: dict[str, str]) -> set[str]:
    """Which secrets the recipients themselves typed, or gave in a file."""
    files = [path.read_text(encoding="utf-8") for path in world.folder.glob("subjects-*.txt")]
    typed = [word for actor in (world.bank, world.rival) for words, _ in actor.said for word in words]
    given = "\n".join((*files, *typed))
    return {name for name, text in secrets.items() if name.startswith(CODES) and text in given}


def findings(found: dict[str, set[str]]) -> dict[str, list[str]]:
    return {place: sorted(names) for place, names in found.items() if names}


def by_place(searcher: Searcher, places: dict[str, bytes]) -> dict[str, list[str]]:
    return findings({place: searcher.find(raw) for place, raw in places.items()})


@pytest.mark.usefixtures("run")
def test_no_secret_is_in_any_file_of_the_other_nodes(world: World, secrets: dict[str, str]) -> None:
    """But for the identifiers that the recipients supplied. Logs lie in the folders, too."""
    given = supplied(world, secrets)
    searcher = Searcher.of({name: text for name, text in secrets.items() if name not in given})

    found = {
        f"{actor.party}: {path}": names
        for actor in world.everybody
        if actor is not world.agency
        for path, names in searcher.find_in_folder(actor.folder).items()
    }

    assert findings(found) == {}


@pytest.mark.usefixtures("run")
def test_the_search_would_have_found_what_is_at_home(world: World, secrets: dict[str, str]) -> None:
    """The control: home's own database holds its records, and the recipient's holds what it supplied."""
    given = supplied(world, secrets)
    (own,) = [name for name in secrets if name.startswith("decision_no")][:1]

    assert Searcher.of({own: secrets[own]}).find_in_folder(world.agency.folder)
    assert given
    assert Searcher.of({name: secrets[name] for name in sorted(given)[:1]}).find_in_folder(world.bank.folder)


@pytest.mark.usefixtures("run")
def test_no_secret_is_in_homes_log(world: World, secrets: dict[str, str]) -> None:
    searcher = Searcher.of(secrets | {"canary": CANARY})

    assert by_place(searcher, {"log": (world.agency.folder / "serving.log").read_bytes()}) == {}


@pytest.mark.usefixtures("run")
def test_no_secret_is_in_homes_journal_nor_in_its_details(world: World, secrets: dict[str, str]) -> None:
    rows = world.agency.rows("SELECT entry, detail, leaf, salt FROM journal_entries")
    columns = zip(*rows, strict=True)

    places = dict(zip(("entries", "details", "leaves", "salts"), map(b"\n".join, columns), strict=True))

    assert by_place(Searcher.of(secrets | {"canary": CANARY}), places) == {}


def test_no_secret_is_in_homes_metrics(secrets: dict[str, str], run: Run) -> None:
    assert b"creditport_refusals" in run.metrics
    assert by_place(Searcher.of(secrets | {"canary": CANARY}), {"metrics": run.metrics}) == {}


@pytest.mark.usefixtures("run")
def test_no_secret_is_in_what_homes_programs_say(world: World, secrets: dict[str, str]) -> None:
    """But `records show` and `records list`, by which home's people look at a record and at its dates."""
    said = {
        f"{place}: {' '.join(words[:2])}": text.encode()
        for place, (words, text) in enumerate(world.agency.said)
        if words[:2] not in {("records", "show"), ("records", "list")}
    }

    assert by_place(Searcher.of(secrets | {"canary": CANARY}), said) == {}


def test_no_secret_is_on_the_wire(secrets: dict[str, str], run: Run) -> None:
    """Of requests and responses between the bank and home, and of the frames, which are sealed within TLS once more."""
    places = {str(place): raw for place, raw in enumerate(run.exchanged)}

    assert by_place(Searcher.of(secrets), places) == {}


def test_nothing_of_a_malformed_message_comes_back(run: Run) -> None:
    responses = dict(zip(map(str, range(1, 1000, 2)), run.exchanged[1::2], strict=False))

    assert by_place(Searcher.of({"canary": CANARY}), responses) == {}


@pytest.mark.usefixtures("run")
def test_no_key_is_in_any_file_of_any_node(world: World, keys: dict[str, bytes]) -> None:
    searcher = Searcher.of({}, keys)

    found = {actor.party: searcher.find_in_folder(actor.folder) for actor in world.everybody}

    assert found == {actor.party: {} for actor in world.everybody}


@pytest.mark.usefixtures("run")
def test_no_key_is_in_what_any_program_says(world: World, keys: dict[str, bytes], run: Run) -> None:
    searcher = Searcher.of({}, keys)
    said = {actor.party: "\n".join(text for _, text in actor.said).encode() for actor in world.everybody}

    assert by_place(searcher, said | {"metrics": run.metrics, "wire": b"\n".join(run.exchanged)}) == {}
