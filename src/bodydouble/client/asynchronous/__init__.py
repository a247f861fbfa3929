"""The client for asyncio. ``tools/generate_sync_client.py`` generates ``bodydouble.client.blocking`` from it."""
