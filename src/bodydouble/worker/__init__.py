"""The durable workflow of a task, the supervisor of the child that does the heavy work, and a worker's other duties.

Nothing is imported here: the child needs three small modules of this room, and is started for every task.
"""
