"""The duties of a worker besides its tasks: callbacks and cleanup."""
