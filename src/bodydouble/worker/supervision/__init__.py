"""Takes tasks from the queue and has a child process make each of them."""
