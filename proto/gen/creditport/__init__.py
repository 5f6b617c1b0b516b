"""The words two nodes share; everything below is generated from proto/creditport."""
