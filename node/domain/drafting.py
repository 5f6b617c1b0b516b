"""Drafting an agreement: from a TOML file that a person writes to complete terms."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

import msgspec

from agreements.checking import fitting_direction
from agreements.terms import MOST_EPOCHS, Epoch, ExportPath, FieldTerms, KindTerms, Manner, Quotas, Terms
from crypto.keys import Suite
from node.domain.errors import DomainError
from registry.errors import NotToml
from registry.norms.catalogue import Catalogue, CatalogueEntry, Crossing, DataItem, Nature, Precision
from registry.norms.law import Law
from registry.parties import PartyCard, PartyId
from registry.toml import read_toml

OFFERED: Final = ("101", "201")
"""What a draft offers unless it is told otherwise: registrations and penalties."""


class DraftRefused(DomainError):
    """The draft file cannot become terms; the text names the place."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person decides; everything else in the terms follows from it, the parties and the law.

    Without `retention_days` copies are kept for as long as the rule pack has it by default.
    """

    title: str
    recipient: PartyId
    stated_signing_date: date
    purposes: tuple[str, ...]
    effective_from: datetime
    expires_at: datetime
    quotas: Quotas
    kinds: dict[str, dict[str, Precision]]
    liability_contacts: tuple[str, ...]
    manner: tuple[Manner, ...] = (Manner.PULL,)
    retention_days: int | None = None
    epoch_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 92
    export_path: ExportPath = ExportPath.NO_PERSONAL_NO_IMPORTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the node adds to a draft: both cards, the law in force, and its epoch keys.

    `epoch_key` gives the public key (hex) of an epoch under a new agreement id.
    """

    provider: PartyCard
    recipient: PartyCard
    law: Law
    epoch_key: Callable[[str, int], str]


def read_draft(text: str) -> Draft:
    """Read a draft file.

    Raises:
        DraftRefused: not TOML, or a field is missing, unknown or not as expected, or the agreement outlasts its
            epochs.
    """
    try:
        draft = msgspec.convert(read_toml(text), Draft)
    except NotToml as error:
        raise DraftRefused(f"the draft is not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise DraftRefused(f"the draft is not complete: {error}") from None
    begins, ends = _instant("effective_from", draft.effective_from), _instant("expires_at", draft.expires_at)
    if (ends - begins) / timedelta(days=draft.epoch_days) > MOST_EPOCHS:
        raise DraftRefused(f"expires_at: expected at most {MOST_EPOCHS} epochs of epoch_days after effective_from")
    return draft


def complete(draft: Draft, setting: Setting, agreement_id: str) -> Terms:
    """Complete a draft: sorted lists, epochs that cover the whole validity, and their public keys.

    Raises:
        DraftRefused: no direction fits the two parties, or a number is out of its range.
    """
    begins, ends = _instant("effective_from", draft.effective_from), _instant("expires_at", draft.expires_at)
    rules, retention = setting.law.rules, draft.retention_days
    direction = fitting_direction(setting.provider.jurisdiction, setting.recipient.jurisdiction)
    if direction is None:
        raise DraftRefused("recipient: this regulation reaches agreements with a party in Shenzhen")
    terms = Terms(
        agreement=agreement_id,
        version=1,
        title=draft.title,
        provider=setting.provider.party,
        recipient=draft.recipient,
        direction=direction,
        stated_signing_date=draft.stated_signing_date,
        kinds=tuple(_kind(kind, draft.kinds[kind]) for kind in sorted(draft.kinds)),
        natures=_natures(draft, setting.law.catalogue),
        purposes=tuple(sorted(set(draft.purposes))),
        manner=tuple(sorted(set(draft.manner))),
        deid_profile=setting.law.catalogue.deidentification.profile,
        retention_days=rules.retention.default_days if retention is None else retention,
        quotas=draft.quotas,
        effective_from=begins,
        expires_at=ends,
        epochs=tuple(_epochs(draft, begins, ends, lambda number: setting.epoch_key(agreement_id, number))),
        onward_transfer=False,
        export_path=draft.export_path,
        rule_pack=rules.reference,
        catalogue=setting.law.catalogue.reference,
        calendar=rules.filing_clock.calendar,
        liability_contacts=draft.liability_contacts,
        suite=Suite.ONE,
    )
    try:
        # Terms that no reader would take must not be written: ranges hold for whoever decodes, not for who constructs.
        return msgspec.json.decode(msgspec.json.encode(terms), type=Terms)
    except msgspec.ValidationError as error:
        raise DraftRefused(f"the draft is not within bounds: {error}") from None


def example(recipient: PartyId, now: datetime, law: Law, offered: Collection[str] = OFFERED) -> str:
    """A draft that grants every field of the offered kinds for a year, to be edited.

    The other kinds that may cross are there, too, but commented out: what nobody needs is not shared (S 6).
    """
    today = now.date()
    lines = [
        f'title = "Exchange of enterprise credit records with {recipient}"',
        f'recipient = "{recipient}"',
        f"stated_signing_date = {today.isoformat()}",
        'purposes = ["CROSS_BORDER_FINANCING"]',
        'manner = ["PULL"]  # "PUSH" beside it lets the provider send before it is asked',
        f"retention_days = {law.rules.retention.default_days}",
        f"effective_from = {now:%Y-%m-%dT%H:%M:%SZ}",
        f"expires_at = {now + timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}",
        "epoch_days = 92",
        'export_path = "NO_PERSONAL_NO_IMPORTANT"',
        'liability_contacts = ["credit records desk"]',
        "",
        "[quotas]",
        "elements_per_epoch = 10000",
        "elements_lifetime = 40000",
        "queries_per_day = 10000",
        "batch_size = 50",
    ]
    crossing = {kind: one for kind, one in sorted(law.catalogue.entries.items()) if one.crosses is not Crossing.NEVER}
    for kind in [*(one for one in crossing if one in offered), *(one for one in crossing if one not in offered)]:
        lines += ["", *_example_kind(kind, crossing[kind], "" if kind in offered else "# ")]
    return "\n".join(lines) + "\n"


def _example_kind(kind: str, entry: CatalogueEntry, mark: str) -> list[str]:
    items = sorted(entry.items, key=lambda one: one.name)
    return [
        f"# {entry.name_en} {entry.name_zh}; another choice stands behind a field",
        f"{mark}[kinds.{kind}]",
        *(mark + _example_line(item) for item in items),
    ]


def _example_line(item: DataItem) -> str:
    first, *others = item.precisions
    choice = f"  # or {', '.join(others)}" if others else ""
    return f'{item.name} = "{first}"{choice}'


def _kind(kind: str, fields: dict[str, Precision]) -> KindTerms:
    return KindTerms(kind=kind, fields=tuple(FieldTerms(name=name, precision=fields[name]) for name in sorted(fields)))


def _natures(draft: Draft, catalogue: Catalogue) -> tuple[Nature, ...]:
    entries = (catalogue.entry(kind) for kind in draft.kinds)
    return tuple(sorted({entry.nature for entry in entries if entry is not None})) or (Nature.PUBLIC,)


def _epochs(draft: Draft, begins: datetime, ends: datetime, key: Callable[[int], str]) -> list[Epoch]:
    epochs, term = list[Epoch](), timedelta(days=draft.epoch_days)
    starts = begins
    while starts < ends:
        # Compared by what is left, for after the last year there is no day to compare with.
        until = ends if ends - starts <= term else starts + term
        number = len(epochs) + 1
        epochs.append(Epoch(number=number, starts=starts, ends=until, public_key=key(number)))
        starts = until
    return epochs


def _instant(field: str, moment: datetime) -> datetime:
    """A time of whole seconds in UTC; a draft that does not say the zone means UTC."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return known.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise DraftRefused(f"{field}: expected a time of the years 1 to 9999 in UTC") from None
