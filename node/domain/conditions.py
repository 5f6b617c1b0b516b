"""Rules of the regulation that a row has to pass beyond having its fields: small, named, one article each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from agreements.refusal import Refusal
from node.domain.identifiers import Problem
from node.domain.money import Money, in_yuan
from node.domain.reading import Finding
from node.domain.records import Stored
from node.domain.vocabulary import Vocabulary
from registry.norms.calendar import months_later
from registry.norms.catalogue import Condition
from registry.norms.code_lists import CodeListName
from registry.norms.rule_pack import RulePack

Facts = Mapping[str, Stored]
"""What a row says, by home field."""

_EXCEPTION: Final = ("minor_circumstances", "small_impact", "liability_borne")
_OTHER_LAW: Final = "N11"
_PROVISO: Final = "NX"
WARNED: Final = "consent_warned"
"""The field in which a row says that its subject was warned of adverse consequences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """By what a row is measured: the day, the rules and the words."""

    today: date
    rules: RulePack
    vocabulary: Vocabulary


Rule = Callable[[Facts, Measure], Finding | None]


def general_procedure(facts: Facts, _: Measure) -> Finding | None:
    """Only a penalty of the general procedure is listed, and not an exempt one (S 18(1)).

    It is exempt when the circumstances were minor, the impact on society small and the liability borne; a fact that the
    provider does not state counts as exempting.
    """
    if facts["procedure"] != "GENERAL":
        return _finding(Refusal.SUMMARY_PROCEDURE_PENALTY, "procedure", "GENERAL", str(facts["procedure"]))
    stated = [facts[name] for name in _EXCEPTION]
    if None in stated:
        return _finding(Refusal.MINOR_PENALTY_EXEMPT, _EXCEPTION[0], "all three exception facts", "a fact not stated")
    if all(stated):
        expected = "one exception fact that is false"
        return _finding(Refusal.MINOR_PENALTY_EXEMPT, _EXCEPTION[0], expected, "all three true")
    return None


def unit_crime(facts: Facts, _: Measure) -> Finding | None:
    """A crime is the enterprise's only where the enterprise itself was convicted (S 14, 18(3))."""
    if facts["unit_crime"] is True:
        return None
    return _finding(Refusal.NATURAL_PERSON_SUBJECT, "unit_crime", "true", "false")


def arrears_threshold(facts: Facts, measure: Measure) -> Finding | None:
    """Arrears are negative only when relatively large; without a threshold for their type they are not (S 18(8))."""
    amount, least = facts["amount"], measure.rules.arrears_thresholds.value.get(str(facts["arrears_type"]))
    if least is None:
        return _finding(Refusal.THRESHOLD_NOT_MET, "arrears_type", "a type with a threshold", "another")
    if isinstance(amount, Money) and in_yuan(amount) >= least:
        return None
    return _finding(Refusal.THRESHOLD_NOT_MET, "amount", f"at least {least} yuan", "less")


def listed_category(facts: Facts, _: Measure) -> Finding | None:
    """Other negative information cites its law (S 18(11)), or the item of the national basic catalogue (S 18)."""
    category = facts["category_code"]
    if category not in {_OTHER_LAW, _PROVISO}:
        expected = f"{_OTHER_LAW}, {_PROVISO}, or the kind of its category"
        return _finding(Refusal.NEGATIVE_CATEGORY_NOT_LISTED, "category_code", expected, str(category))
    for name in ("legal_basis",) if category == _OTHER_LAW else ("basic_catalogue", "basic_item"):
        if not facts[name]:
            return _finding(Refusal.NEGATIVE_CATEGORY_NOT_LISTED, name, "what the category rests on", "none")
    return None


def not_corrected(facts: Facts, _: Measure) -> Finding | None:
    """Who corrected in time and removed the effects is no longer an object of joint measures (S 52)."""
    if facts["corrected"] is not True:
        return None
    return _finding(Refusal.LIST_CONDITION_CEASED, "corrected", "false", "true")


def consequences_stated(facts: Facts, _: Measure) -> Finding | None:
    """A commitment states the adverse consequences of its breach (S 51)."""
    if facts["consequences_stated"] is True:
        return None
    return _finding(Refusal.PROVENANCE_MISSING, "consequences_stated", "true", "false")


def symbol_of_scale(facts: Facts, measure: Measure) -> Finding | None:
    """A grade is a symbol of the scale it names; another scale's is never read as if it were (S 13)."""
    if facts["symbol"] in measure.vocabulary.tagged(CodeListName.GRADE_SYMBOLS, str(facts["scale_id"])):
        return None
    return _finding(Refusal.GRADE_UNMAPPED, "symbol", "a symbol of its scale", "one of another scale")


def attested(facts: Facts, _: Measure) -> Finding | None:
    """A self-declaration names the document that its subject signed; `Attested` holds the row against it (S 20, 26)."""
    if facts["attestation"]:
        return None
    return _finding(Refusal.ATTESTATION_MISSING, "attestation", "the digest of the signed document", "none")


def subject_consent(facts: Facts, measure: Measure) -> Finding | None:
    """Information that is not public needs the subject's consent: written, in its time, finite, alone (S 21-25, 35)."""
    given, until = facts["consented_on"], facts["consent_until"]
    if not facts["consent"] or not isinstance(given, date):
        return _finding(Refusal.CONSENT_MISSING, "consent", "a written consent and its day", "none")
    most = measure.rules.consent_max_months.value
    if not isinstance(until, date) or until > months_later(given, most):
        return _finding(Refusal.CONSENT_LIFELONG, "consent_until", f"at most {most} months after its day", "later")
    if until < measure.today:
        return _finding(Refusal.CONSENT_EXPIRED, "consent_until", "today or later", "an earlier day")
    if facts["consent_standalone"] is not True:
        return _finding(Refusal.CONSENT_BUNDLED, "consent_standalone", "true", "false or none")
    return None


def subject_warned(facts: Facts, _: Measure) -> Finding | None:
    """What may count against its subject is collected after a warning only; the rules list such kinds (S 23)."""
    if facts[WARNED] is True:
        return None
    return _finding(Refusal.ADVERSE_WARNING_MISSING, WARNED, "true", "false or none")


def severity_stated(facts: Facts, _: Measure) -> Finding | None:
    """Where national rules tie the period to it, adverse public information says how grave it is (S 31)."""
    if facts["severity"] not in {None, "UNSPECIFIED"}:
        return None
    return _finding(Refusal.PROVENANCE_MISSING, "severity", "MINOR, GENERAL or SERIOUS", "none")


RULES: Final[Mapping[Condition, Rule]] = {
    Condition.GENERAL_PROCEDURE: general_procedure,
    Condition.UNIT_CRIME: unit_crime,
    Condition.ARREARS_THRESHOLD: arrears_threshold,
    Condition.LISTED_CATEGORY: listed_category,
    Condition.NOT_CORRECTED: not_corrected,
    Condition.CONSEQUENCES_STATED: consequences_stated,
    Condition.SYMBOL_OF_SCALE: symbol_of_scale,
    Condition.ATTESTED: attested,
}
"""What each condition of a catalogue entry asks."""


def _finding(reason: Refusal, field: str, expected: str, got: str) -> Finding:
    return Finding(reason, Problem(field, expected, got))
