"""The API of fal.ai: queue, synchronous run, storage and webhooks."""
