"""The blocking client. All modules but ``waiting`` are generated from ``bodydouble.client.asynchronous``."""
