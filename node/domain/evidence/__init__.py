"""Evidence: what a node shows an inspector, and how that is checked without trusting the node.

Nothing here knows a store or a network: lines of bytes come in, findings come out (docs/protocol/evidence.md).
"""
