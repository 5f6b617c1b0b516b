"""The facts that all nodes must agree on: who is admitted, which log says so, and the law's numbers."""
