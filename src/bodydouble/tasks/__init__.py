"""What a task, a model, an account, a credit and an error is, and their rules. Standard library only."""
