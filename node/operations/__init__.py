"""What a node can be asked to do: one file, one input, one function, one output."""
