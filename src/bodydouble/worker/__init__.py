"""Makes the videos of tasks.

The supervisor takes tasks from the queue, a child process makes each of them, a runner holds the networks of the wan
renderer, and background duties send callbacks and clean up. The API inspects uploads in processes of this package too.
Nothing is imported here: a child is started for every task and needs few of these modules.
"""
