"""The HTTP API: one package for each dialect, and what all dialects share: limits, authentication, files."""
