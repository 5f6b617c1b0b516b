"""How far home records are looked at by the law in force, and why a record is withheld, for people and programs."""

from datetime import datetime
from typing import Any, Final

from agreements.refusal import Refusal, explain
from node.domain.recheck import BY_LAW
from node.domain.records import HomeRecord, Withheld
from node.domain.serving import in_order, refusal_of, withheld
from node.domain.vocabulary import vocabulary_of
from node.operations.facts import NodeFacts
from node.operations.ports import UnitOfWork
from node.operations.standing_rows import WithholdingRow
from node.operations.whole_kinds import not_whole
from registry.norms.law import Law

_IN_WORDS: Final = {
    "DONE": "all are looked at by the law in force 已按现行规则复核",
    "RUNNING": "being looked at 复核中",
    "WAITING": "to be looked at when the node serves 待节点运行时复核",
    "NO_LAW": "no law is in force 尚无现行规则",
}


def recheck_of(work: UnitOfWork, known: NodeFacts) -> dict[str, Any]:
    """How far the look at the records has come, and how many the law in force does not admit, by reason."""
    look = work.rechecks.newest()
    if known.lacking is not None:
        state = "NO_LAW"
    elif look is None or look.measure != known.law.measure:
        state = "WAITING"
    else:
        state = "RUNNING" if look.done_at is None else "DONE"
    shown: dict[str, Any] = {"state": state, "fallen_now": dict(work.standings.tally())}
    if state in {"WAITING", "RUNNING"}:
        vocabulary = vocabulary_of(known.law)
        kept_back = not_whole(work, vocabulary.catalogue.entries, vocabulary)
        shown |= {"not_whole": sorted(kept_back)} if kept_back else {}
    if look is not None:
        shown |= {
            "looked_at": look.checked,
            "through": look.through,
            "begun_at": look.begun_at,
            "done_at": look.done_at,
        }
        shown |= {"fallen": look.fallen, "narrowed": look.narrowed, "restored": look.restored}
    return shown


def recheck_in_words(shown: dict[str, Any]) -> list[str]:
    """The same in lines for people, in both languages."""
    lines = [f"records 记录: {_IN_WORDS[shown['state']]}"]
    if "looked_at" in shown:
        counts = [f"{name} {shown[key]}" for key, name in _COUNTS.items()]
        lines.append(f"this look 本次复核: {', '.join(counts)}")
    if shown.get("not_whole"):
        kinds = ", ".join(shown["not_whole"])
        lines.append(
            f"not shown yet, and not before that, of kinds 复核完成前，下列种类中尚未出示过的记录暂不出示: {kinds}"
        )
    for reason, count in shown["fallen_now"].items():
        told = explain(Refusal(reason))
        lines.append(f"withheld 停止披露: {count} {reason} ({told.article}). {told.zh} {told.en}")
    return lines


_COUNTS: Final = {
    "looked_at": "looked at 已复核",
    "fallen": "fell 不再符合",
    "narrowed": "shown for less 缩短期限",
    "restored": "admitted again 重新符合",
}


def because(work: UnitOfWork, record_no: int, record: HomeRecord, at: datetime, law: Law) -> list[dict[str, Any]]:
    """Every reason why a record is withheld, the strongest first; and those that are ordered for a day to come."""
    fell = work.standings.fallen([record_no]).get(record_no)
    acts = {one.state: one for one in work.withholdings.of_record(record_no) if one.ended_at is None}
    shown = [_reason(one, fell, acts.get(one.value)) for one in in_order(withheld(record, at, law))]
    told = {one["state"] for one in shown}
    coming = [_reason(Withheld(one), None, act) for one, act in acts.items() if one not in told]
    return shown + coming


def _reason(state: Withheld, fell: tuple[str, str] | None, act: WithholdingRow | None) -> dict[str, Any]:
    refusal = Refusal(fell[0]) if fell is not None and state in BY_LAW else refusal_of(state)
    told = explain(refusal)
    shown: dict[str, Any] = {"state": state.value, "reason": refusal.value, "article": told.article}
    shown |= {"zh": told.zh, "en": told.en}
    if fell is not None and state in BY_LAW:
        shown["field"] = fell[1]
    if act is not None:
        shown |= {"basis": act.basis, "document": act.document, "from": act.starts_on, "until": act.ends_on}
    return shown
