"""The API of crun.ai, and our additions to it: the dialect of our own client, and of all paths outside a dialect."""
