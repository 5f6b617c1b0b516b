"""Laws of the norms: overlays only narrow, in any order; what is in force follows from the set of statements."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.errors import BadPack
from registry.norms.adoption import Adopted, Clash, clashes, in_force
from registry.norms.overlay import Overlay, narrow
from registry.norms.rule_pack import Retention, Ruled, load_rule_pack
from registry.norms.shelf import Named, PackDigest, PackKind
from registry.parties import Jurisdiction, PartyClass

RULES = load_rule_pack()
NUMBERS = ("consent_max_months", "agreement_max_months", "disclosure_years")
SETS = ("agreement_parties", "record_recipients", "purposes_abroad", "batch_query_classes")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAMED = Named(kind=PackKind.RULES, id="X")


def _some(values: frozenset[str], mask: int) -> frozenset[str]:
    """The values whose place is set in the mask: one number is cheaper to draw than a set."""
    return frozenset(one for place, one in enumerate(sorted(values)) if mask >> place & 1)


@st.composite
def overlays(draw: st.DrawFn) -> Overlay:
    """An overlay that narrows some values and leaves others out."""
    values: dict[str, object] = {}
    for name in draw(st.frozensets(st.sampled_from(NUMBERS))):
        values[name] = Ruled(value=draw(st.integers(1, getattr(RULES, name).value)), article="x")
    for name in draw(st.frozensets(st.sampled_from(SETS))):
        values[name] = Ruled(value=_some(getattr(RULES, name).value, draw(st.integers(0, 1023))), article="x")
    days = draw(st.none() | st.tuples(st.integers(1, 90), st.integers(1, 90)))
    if days is not None:
        values["retention"] = Retention(default_days=min(days), max_days=max(days), article="x")
    return overlay(**values)


def overlay(**values: object) -> Overlay:
    return Overlay(
        id="A", version=1, title="叠加", title_en="Overlay", source="x", effective_from=date(2026, 1, 1),
        narrows=RULES.id, binds=frozenset({Jurisdiction.HK}), **values,  # type: ignore[arg-type]  # any of its values
    )  # fmt: skip


@given(overlays(), overlays())
def test_overlays_never_widen_and_their_order_does_not_matter(first: Overlay, second: Overlay) -> None:
    some = [replace(one, id=name) for one, name in ((first, "A"), (second, "B"))]

    narrowed = narrow(RULES, some)

    assert narrow(RULES, some[::-1]) == narrowed
    assert narrow(RULES, [*some, replace(first, id="C")]) == narrowed
    assert all(getattr(narrowed, name).value <= getattr(RULES, name).value for name in (*NUMBERS, *SETS))
    assert narrowed.retention.default_days <= narrowed.retention.max_days <= RULES.retention.max_days


@given(st.sampled_from(SETS), st.sampled_from(sorted(PartyClass)))
def test_an_overlay_that_adds_anything_is_refused(name: str, party_class: PartyClass) -> None:
    known = getattr(RULES, name).value
    if party_class in known:
        return
    wider = overlay(**{name: Ruled(value=known | {party_class}, article="x")})

    with pytest.raises(BadPack):
        narrow(RULES, [wider])


@st.composite
def adoptions(draw: st.DrawFn) -> list[Adopted]:
    """A log of up to eight statements about one pack, some of them contradicting others."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        version, day, late = draw(st.integers(1, 3)), draw(st.integers(0, 6)), draw(st.integers(0, 2))
        length = draw(st.none() | st.integers(1, 4))
        found.append(
            Adopted(
                named=NAMED,
                version=version,
                digest=PackDigest(bytes([version, draw(st.sampled_from([0, 0, 0, 1]))])),
                effective_from=NOON.date() + day * DAY,
                works_from=NOON + max(day, late) * DAY,
                works_until=None if length is None else NOON + (day + length) * DAY,
                number=number,
            )
        )
    return found


@given(adoptions(), st.integers(-1, 12))
def test_what_is_in_force_follows_from_the_set_and_from_what_is_known_by_then(log: list[Adopted], days: int) -> None:
    at = NOON + days * DAY
    now = in_force(log, at)

    assert in_force(log[::-1], at) == now
    assert in_force([one for one in log if one.works_from <= at], at) == now


@given(adoptions(), st.integers(-1, 12))
def test_a_log_without_contradictions_always_has_the_latest_that_works(log: list[Adopted], days: int) -> None:
    at = NOON + days * DAY
    found = in_force(log, at).get(NAMED)
    working = [one for one in log if one.works_from <= at]

    if isinstance(found, Clash):
        assert clashes(log)
    elif found is not None:
        assert found.effective_from == max(one.effective_from for one in working)
        assert found.version == max(one.version for one in working)
