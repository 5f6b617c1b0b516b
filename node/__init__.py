"""The node: one program that an institution, an authority or a regulator runs."""
