"""One home record in words: a line for each field, under the titles of the catalogue and of the column that says it."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from node.cli.screen import facts, out
from node.domain.map_draft import common_title
from node.domain.money import Money
from node.domain.records import Content, Stored, shipped_entry
from registry.norms.catalogue import HomeField
from registry.norms.code_lists import load_code_list

_NESTED: Final = ("withheld_because", "content", "shown_in_frames")


def say_record(shown: Mapping[str, Any], content: Content | None) -> None:
    """Show what `records show --json` has, for people: facts, why it is withheld, what it says, and to whom it went."""
    facts({name: fact for name, fact in shown.items() if name not in _NESTED}, as_json=False)
    for why in shown.get("withheld_because", ()):
        for line in _why(why):
            out.print(line, markup=False)
    if content is not None:
        for line in _content(content):
            out.print(line, markup=False)
    frames = len(shown["shown_in_frames"])
    if frames:
        told = f"`creditport holders {shown['record']}` says to whom, and who holds it still"
        out.print(f"shown 已出示: in {frames} frame{'s' if frames > 1 else ''}; {told}", markup=False)
    else:
        out.print("shown to nobody 尚未出示", markup=False)


def _why(why: Mapping[str, Any]) -> Iterator[str]:
    yield f"withheld 停止披露: {why['state']} {why['reason']} ({why['article']}). {why['zh']} {why['en']}"
    rest = [f"{name} {why[name]}" for name in ("field", "basis", "document", "from", "until") if why.get(name)]
    if rest:
        yield f"  {', '.join(rest)}"


def _content(content: Content) -> Iterator[str]:
    entry = shipped_entry(content.KIND)
    yield f"content 内容: {entry.name_zh} {entry.name_en}"
    for identifier in content.identifiers:
        waived = "  check attested 校验位经核实" if identifier.check_waived else ""
        yield f"  {identifier.scheme} {identifier.value}{waived}"
    for name in type(content).__struct_fields__:
        if name == "identifiers":
            continue
        field = entry.home_field(name)
        zh, en = common_title(name) if field is None else (field.zh, field.en)
        column = name if field is None else field.heading
        yield f"  {zh} {en} ({column}): {_value(content[name], field)}"


def _value(value: Stored, field: HomeField | None) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes 是" if value else "no 否"
    if isinstance(value, Money):
        whole, part = divmod(value.amount, 100)
        return f"{whole:,}.{part:02d} {value.currency}"
    if isinstance(value, tuple):
        return ", ".join(_value(one, field) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    known = load_code_list(field.codes).codes.get(str(value)) if field is not None and field.codes else None
    text = str(value).replace("\n", "\n    ")
    return text if known is None else f"{text} {known.zh} {known.en}"
