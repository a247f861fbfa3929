"""Names for requests that clients repeat without an idempotency key."""

from bodydouble.service.repeats import PERIOD_SECONDS, REPEAT_SECONDS, UNNAMED, former_name, name_request


def test_the_same_request_has_the_same_name() -> None:
    """A repeated request finds the task of the first one; another request and another division of its parts do not."""
    names = [name_request(*parts, clock=lambda: 10.0) for parts in ((b"ab", b"c"), (b"ab", b"c"), (b"a", b"bc"))]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith(UNNAMED)


def test_a_name_ends_with_its_period() -> None:
    """The same content gets another name in the next period."""
    earlier, later = (name_request(b"ab", clock=lambda now=now: now) for now in (0.0, float(PERIOD_SECONDS)))
    assert earlier != later


def test_a_repeat_beyond_the_hour_knows_the_former_name() -> None:
    """For a while after a change of names a request has both; a name of the client's own never changes."""
    hour = float(PERIOD_SECONDS)
    before, after = (name_request(b"ab", clock=lambda now=now: now) for now in (hour - 1, hour + 1))
    assert former_name(after, clock=lambda: hour + 1) == before
    assert former_name(after, clock=lambda: hour + REPEAT_SECONDS + 1) is None
    assert former_name("their-own", clock=lambda: hour + 1) is None
