"""The process that does the heavy work of one task. Nothing is imported here: it is started for every task."""
