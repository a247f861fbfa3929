"""The blocking client. All modules but ``waiting`` are generated from ``bodydouble_client.asynchronous``."""
