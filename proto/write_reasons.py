# ruff: noqa: INP001 - a program beside the contract, not a package
"""Writes reason.proto from the one enum of reasons, so that the contract cannot drift from the rules."""

import sys

from agreements.refusal import NUMBER, Refusal, explain

_HEAD = """\
syntax = "proto3";

package creditport.v1;

// Why something was refused. Numbers are permanent: 1xx scope, 2xx catalogue, 3xx collection and consent,
// 4xx agreement, 5xx query, 6xx withheld, 7xx dispute, 8xx repair, 9xx deletion, 10xx peer and risk,
// 11xx wire and state of a node, 12xx recognition. "S n" is article n of the draft Shenzhen regulation.
// Written by proto/write_reasons.py from agreements/refusal.py; never edited by hand.
enum Reason {
  REASON_UNSPECIFIED = 0;
"""


def reason_proto() -> str:
    """The text of reason.proto: every reason by ascending number, with its article and meaning."""
    values = (_value(reason) for reason in sorted(NUMBER, key=lambda reason: NUMBER[reason]))
    return _HEAD + "".join(values) + "}\n"


def _value(reason: Refusal) -> str:
    meaning = explain(reason)
    article = f"{meaning.article}: " if meaning.article else ""
    return f"  // {article}{meaning.en}\n  REASON_{reason} = {NUMBER[reason]};\n"


if __name__ == "__main__":
    sys.stdout.write(reason_proto())
