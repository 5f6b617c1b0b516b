"""Both directions between the same two parties: each under its own agreement, and nothing in common.

First sketch; being written.
"""
