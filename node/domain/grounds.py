"""On which law an act rests, as its journal entry names it: one pair of fields for every act (S 82)."""

from agreements.refusal import Refused
from node.domain.journal import Detail
from registry.norms.code_lists import CodeListName
from registry.norms.law import Law
from registry.norms.rule_pack import Ground


def granted(law: Law, ground: Ground) -> Detail:
    """What a disclosure, an import or the like rests on: the packs in force, and the article that they name for it."""
    return _named(law.reference, law.rules.ground(ground))


def based(law: Law, bases: CodeListName, basis: str) -> Detail:
    """What a change rests on: the article of its coded basis; a code without one changes as corrections do."""
    return _named(law.reference, law.codes.lists[bases].codes[basis].article or law.rules.ground(Ground.CHANGE))


def refused_for(refused: Refused) -> Detail:
    """The same of a refusal, with its reason."""
    return {**_named(refused.rule_pack, refused.article), "outcome": refused.reason.value}


def _named(pack: str, article: str) -> Detail:
    return {"article": article, "pack": pack}
