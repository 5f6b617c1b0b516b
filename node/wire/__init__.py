"""The only gRPC of the node, and the only user of the generated code: shapes, peers, transport."""
