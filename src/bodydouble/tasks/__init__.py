"""Definitions and rules of tasks, models, accounts, credits and errors. Standard library only."""
