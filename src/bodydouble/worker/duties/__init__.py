"""What a worker does beside its tasks: callbacks and cleanup."""
