"""The process that holds the networks of the wan renderer."""
