"""The client's distribution agrees with the service that is released with it."""

import bodydouble_client
from bodydouble.tasks.task import TERMINAL, TaskStatus
from bodydouble_client.task_status import TERMINAL as CLIENT_TERMINAL


def test_the_client_knows_every_status_of_the_service():
    """Names, values and the set of final states are those of the service."""
    assert {status.name: status.value for status in bodydouble_client.TaskStatus} == {
        status.name: status.value for status in TaskStatus
    }
    assert set(map(str, CLIENT_TERMINAL)) == set(map(str, TERMINAL))
