"""The client for asyncio. ``tools/generate_sync_client.py`` generates ``bodydouble_client.blocking`` from it."""
