"""Pure constructions: bytes in, bytes and facts out; no other room, clock, file or socket."""
