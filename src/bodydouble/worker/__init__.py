"""Makes the videos of tasks.

The supervisor takes tasks from the queue, a child process makes each of them, a runner holds the networks of the wan
renderer, and background duties send callbacks and clean up. Nothing is imported here: a child is started for every task
and needs few of these modules.
"""
