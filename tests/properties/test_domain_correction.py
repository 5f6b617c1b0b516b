"""Laws of corrections: a record and its row say the same, and a correction is the import of the changed row."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agreements.declaration import DECLARED
from node.domain.check_digits import ALPHABET
from node.domain.columns import IDENTITY_COLUMNS, standard_columns
from node.domain.correction import columns_of, correct
from node.domain.intake import Admitted, Rejected, admit
from node.domain.records import Kind, decode_content, encode_content
from node.domain.rows import Row
from registry.norms.catalogue import Condition, load_catalogue
from registry.norms.code_lists import CodeListName
from tests.properties.test_domain_intake import OPENED, USCCS, WORDS
from tests.unit.node.domain.given import TODAY
from tests.unit.node.domain.sampled import ADMITTED, sampled

SPACES = st.sampled_from(["", " ", "\u3000", "\t"])
TRUTHS = st.sampled_from(["true", "yes", "1", "是", "false", "no", "0", "否", "N", "True"])
TEXT = st.text(max_size=30)
WRITTEN_TEXT = TEXT.filter(str.strip)
ENTITY_TYPES = st.sampled_from(sorted(WORDS.entity_types - WORDS.natural_person))
DAYS = st.builds(
    lambda day, form: day.strftime(form),
    st.dates(TODAY.replace(year=1900), TODAY),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%Y-%m-%d 09:30"]),
)
ENDS = DAYS | st.sampled_from(["2027-01-31", "2099-12-30", "2099-12-31", "2100-01-01", "9999-12-31"])
AMOUNTS = st.builds(
    "{}{}{}{}".format,
    st.integers(0, 99_999_999) | st.integers(0, 99_999_999).map("{:,}".format),
    st.sampled_from(["", ".5", ".05", ".10", ".00"]),
    st.sampled_from(["", "万", "萬", "（万"]),
    st.sampled_from(["", "元", "人民币", "港币", "HK$", "澳门元", "美元", "usd", "EUR", "JPY", "英镑"]),
)
PENALTY_TYPES = st.sampled_from(sorted(WORDS.codes(CodeListName.PENALTY_TYPES)))
PENALTY_TYPES = st.sampled_from(sorted(WORDS.codes(CodeListName.PENALTY_TYPES)))
REGIONS = st.sampled_from(sorted(WORDS.codes(CodeListName.REGIONS))) | st.sampled_from(
    ["440305", "440300", "440000", "4400", "44", "hk"]
)


def lei_of(body: str) -> str:
    return f"{body}{98 - int(''.join(str(int(sign, 36)) for sign in body + '00')) % 97:02d}"


def digits(size: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("0123456789"), min_size=size, max_size=size)


LEIS = st.text(st.sampled_from(ALPHABET), min_size=18, max_size=18).map(lei_of)
OTHER_IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "hk_brn": digits(8) | digits(6).map("LP{}".format),
        "hk_cr": st.builds("{}{}".format, st.sampled_from(["", "F", "LF"]), digits(7)),
        "mo_tin": digits(7).map("8{}".format),
        "mo_cr": st.builds("{}{}".format, digits(5), st.sampled_from(["", "SO", "CO"])),
        "lei": LEIS,
    },
)
UNIFIED = USCCS.map(lambda code: {"uscc": code})
# A check character that does not fit, or one that does although its waiver was attested.
ATTESTED = st.builds(
    lambda code, check, attested: {"uscc": code[:17] + check, "uscc_check_attested": attested},
    USCCS,
    st.sampled_from(ALPHABET),
    st.sampled_from(["true", "是", "1"]),
)
IDENTITIES = (
    st.builds(lambda one, others: one | others, UNIFIED | ATTESTED, OTHER_IDENTIFIERS)
    | UNIFIED
    | OTHER_IDENTIFIERS.filter(bool)
)
COMMON = st.fixed_dictionaries(
    {"name_zh": WRITTEN_TEXT, "entity_type": ENTITY_TYPES | st.just("")},
    optional={"name_en": TEXT, "generated_on": DAYS},
)
REGISTRATIONS = st.fixed_dictionaries(
    {"established_on": DAYS},
    optional={
        "capital": AMOUNTS,
        "industry_section": st.sampled_from(sorted(WORDS.codes(CodeListName.INDUSTRY_SECTIONS))),
        "region_code": REGIONS,
        "address": TEXT,
        "status": st.sampled_from(sorted(WORDS.codes(CodeListName.STATUSES))),
        "valid_until": ENDS,
    },
) | st.fixed_dictionaries({"generated_on": DAYS}, optional={"valid_until": ENDS, "region_code": REGIONS})
PENALTIES = st.fixed_dictionaries(
    {
        "decision_no": WRITTEN_TEXT,
        "penalty_types": st.lists(st.sampled_from(sorted(WORDS.codes(CodeListName.PENALTY_TYPES))), min_size=1).map(
            "；".join
        ),
        "decided_on": DAYS,
        "authority_name": WRITTEN_TEXT,
        "authority_class": st.sampled_from(sorted(WORDS.codes(CodeListName.AUTHORITY_CLASSES))),
        "authority_level": st.sampled_from(sorted(WORDS.codes(CodeListName.AUTHORITY_LEVELS))),
        "procedure": st.just("GENERAL"),
        "minor_circumstances": TRUTHS,
        "small_impact": TRUTHS,
        "liability_borne": TRUTHS,
    },
    optional={
        "facts": TEXT,
        "legal_basis": st.sampled_from(sorted(WORDS.codes(CodeListName.LEGAL_BASES))),
        "amount": AMOUNTS,
        "performed": TRUTHS,
        "legal_form": TEXT,
    },
)
OWN = {Kind.REGISTRATION: REGISTRATIONS, Kind.PENALTY: PENALTIES}


def facts(kind: Kind) -> st.SearchStrategy[dict[str, str]]:
    """What a row says beside its identifiers, with spaces around it."""
    own = OWN[kind] if kind in OWN else st.builds(invented, st.just(kind), st.integers(0, 999))
    return st.builds(
        lambda common, own, space: {name: space + text + space for name, text in (common | own).items()},
        COMMON,
        own,
        SPACES,
    )


def invented(kind: Kind, seed: int) -> dict[str, str]:
    """What an invented row says in the columns of its kind alone."""
    (row,) = sampled(kind, seed)
    return {name: text for name, text in row.items() if name not in IDENTITY_COLUMNS and text}


def rows(kind: Kind) -> st.SearchStrategy[dict[str, str]]:
    """Rows of one kind that are admitted."""
    made = st.builds(lambda identity, own: identity | own, IDENTITIES, facts(kind))
    return made.filter(lambda row: isinstance(admit(Row(2, row), OPENED[kind]), Admitted))


def admitted(kind: Kind, row: dict[str, str]) -> Admitted:
    answer = admit(Row(1, row), OPENED[kind])
    assert isinstance(answer, Admitted), answer
    return answer


@given(st.sampled_from(ADMITTED).flatmap(lambda kind: st.tuples(st.just(kind), rows(kind))))
def test_a_record_written_as_a_row_is_read_back_as_the_very_same_record(made: tuple[Kind, dict[str, str]]) -> None:
    kind, row = made
    first = admitted(kind, row)
    stored = replace(first.record, content=decode_content(kind, encode_content(first.record.content)))
    columns = columns_of(stored)

    assert tuple(columns) == standard_columns(kind)
    # Equality covers the content, its digest, the source key, the subject and the end of disclosure.
    assert admitted(kind, columns) == first
    assert columns_of(admitted(kind, columns).record) == columns


@settings(deadline=None)  # the first row of a kind reads its code lists
@given(st.sampled_from(ADMITTED), st.integers(0, 2**32))
def test_every_sample_row_survives_the_way_there_and_back(kind: Kind, seed: int) -> None:
    for row in sampled(kind, seed, 2):
        first = admitted(kind, row)
        assert admitted(kind, columns_of(first.record)) == first


@given(st.sampled_from(ADMITTED), st.data())
def test_a_correction_is_the_import_of_the_changed_row(kind: Kind, data: st.DataObject) -> None:
    row, other = data.draw(rows(kind)), data.draw(facts(kind))
    entry = load_catalogue().entries[kind.value]
    # What a subject signed of itself is corrected by nobody.
    signed = {*DECLARED, "attestation"} if Condition.ATTESTED in entry.conditions else set()
    free = sorted(other.keys() - signed - {"decision_no", "generated_on", *entry.key})
    chosen = data.draw(st.sets(st.sampled_from(free), min_size=1, max_size=3))
    changes = {column: other[column] for column in chosen}
    before = admitted(kind, row)
    imported, answer = admit(Row(1, row | changes), OPENED[kind]), correct(before.record, changes, OPENED[kind])

    if isinstance(imported, Rejected):
        assert answer == imported
    elif imported.record.content == before.record.content:
        assert isinstance(answer, Rejected)
        assert answer.problem.got == "the same record"
    else:
        assert isinstance(answer, Admitted)
        assert (answer.subject, answer.record.content) == (imported.subject, imported.record.content)
        assert answer.record.source_key == imported.record.source_key == before.record.source_key
        # The row may have left its day of generation out, or named a later one; a correction never makes it later.
        assert answer.record.generated_at <= min(imported.record.generated_at, before.record.generated_at)


@given(st.sampled_from(ADMITTED), st.data())
def test_a_correction_never_makes_another_record(kind: Kind, data: st.DataObject) -> None:
    before = admitted(kind, data.draw(rows(kind)))
    changes = data.draw(IDENTITIES | facts(kind) | rows(kind))
    answer = correct(before.record, changes, OPENED[kind])

    if isinstance(answer, Admitted):
        assert answer.record.content.identifiers == before.record.content.identifiers
        assert answer.record.source_key == before.record.source_key
        assert answer.record.content_digest != before.record.content_digest


@given(st.sampled_from(ADMITTED), st.data())
def test_any_change_has_an_answer_that_repeats_no_text(kind: Kind, data: st.DataObject) -> None:
    before = admitted(kind, data.draw(rows(kind)))
    columns = st.sampled_from(sorted(standard_columns(kind))) | st.text(max_size=10)
    changes = data.draw(st.dictionaries(columns, st.text("甲乙丙丁戊己庚辛", min_size=1, max_size=40), max_size=3))
    answer = correct(before.record, changes, OPENED[kind])

    assert isinstance(answer, Admitted | Rejected)
    assert isinstance(answer, Admitted) or not set(str(answer)) & set("甲乙丙丁戊己庚辛")
