"""Why a try of a job came to nothing for now: a stable code that is kept with the job, and its words."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from agreements.refusal import Refusal, explain
from registry.parties import PartyId


class Trouble(StrEnum):
    """What kept a try from an answer, where no refusal of the peer's says it. Codes are permanent."""

    NOT_REACHED = "NOT_REACHED"
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    NOT_LISTED = "NOT_LISTED"
    NOT_SERVED = "NOT_SERVED"
    BAD_ANSWER = "BAD_ANSWER"
    NOT_TAKEN = "NOT_TAKEN"
    BROKEN = "BROKEN"


_WORDS: Final[Mapping[Trouble, tuple[str, str]]] = MappingProxyType(
    {
        Trouble.NOT_REACHED: ("{peer} cannot be reached at its listed endpoint", "无法连接 {peer} 登记的地址"),
        Trouble.NO_ANSWER: ("{peer} did not answer in time", "{peer} 未及时应答"),
        Trouble.BUSY: ("{peer} is too busy to answer", "{peer} 繁忙，暂不应答"),
        Trouble.NOT_LISTED: ("the registry lists no admitted party {peer}", "登记册未载有已准入的 {peer}"),
        Trouble.NOT_SERVED: ("{peer} does not serve this method", "{peer} 不提供此项服务"),
        Trouble.BAD_ANSWER: ("{peer} gave no answer that can be used", "{peer} 的应答无法使用"),
        Trouble.NOT_TAKEN: ("{peer} did not take the notices", "{peer} 未接收通知"),
        Trouble.BROKEN: ("an error at this node, see its log", "本节点出错，详见其日志"),
    }
)


def in_words(code: str, peer: PartyId) -> tuple[str, str]:
    """A code that is kept with a job, a trouble or a refusal that passes by itself, as a clause in English and Chinese.

    What is neither was kept by another version, and is given as it is.
    """
    if code in Trouble.__members__:
        english, chinese = _WORDS[Trouble(code)]
        return english.format(peer=peer), chinese.format(peer=peer)
    if code in Refusal.__members__:
        told = explain(Refusal(code))
        return f"{peer} refuses for now, {code}: {told.en.removesuffix('.')}", told.zh.removesuffix("。")
    return code, code
