"""Pure facts and decisions of one node: what is admitted, what is shown, what is withheld, and why."""
