"""Who may order what at this node, and the signed proof that he did."""

from dataclasses import dataclass

from node.domain.context import Context
from node.domain.journal import Act, EntryFacts
from node.domain.operators import Role, SignedAct, SigningOperator, sign_act
from node.operations.ports import UnitOfWork
from node.operations.rows import ActRow, OperatorRow
from node.operations.write_down import write_down


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAllowed:
    """The operator may not order this, and why."""

    why: str


def add_operator(work: UnitOfWork, operator: OperatorRow, context: Context) -> bool:
    """Add an operator to the node; False if the name is taken."""
    if not work.operators.add(operator):
        return False
    detail = {"done": "added", "key": operator.key_id, "roles": " ".join(sorted(operator.roles))}
    entry = EntryFacts(act=Act.OPERATOR, detail=detail)
    write_down(work, entry, context)
    work.commit()
    return True


def order(
    work: UnitOfWork, operator: SigningOperator, role: Role, subject: bytes, context: Context
) -> SignedAct | NotAllowed:
    """Check that the operator may order this, and keep the signed order in the act's own transaction.

    The key that signs must be the one that was registered under the operator's name, so a keystore file that was
    put in the operator's place orders nothing.
    """
    known = work.operators.find(operator.name)
    if known is None or known.retired_at is not None or known.key_id != operator.key.key_id:
        return NotAllowed(why=f"{operator.name} is not an operator of this node")
    if role.value not in known.roles:
        return NotAllowed(why=f"operator {operator.name} does not have the role {role.value}")
    act = sign_act(operator, role.value, subject, context.node, context.now())
    work.operators.record_act(ActRow(digest=act.digest, operator=act.operator, raw=act.raw, at=context.now()))
    return act
