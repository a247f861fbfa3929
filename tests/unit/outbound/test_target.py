"""How a stranger's URL is read."""

import pytest

from bodydouble.outbound.failure import RequestFailed
from bodydouble.outbound.target import parse_target


@pytest.mark.parametrize(
    ("text", "url", "host", "port"),
    [
        ("https://media.example/a.mp4", "https://media.example/a.mp4", "media.example", 443),
        ("HTTP://Media.Example:80/a", "http://media.example/a", "media.example", 80),
        ("https://media.example:8443/a?b=c/d#e", "https://media.example:8443/a?b=c/d", "media.example", 8443),
        ("https://bücher.example/ü.png", "https://xn--bcher-kva.example/%C3%BC.png", "xn--bcher-kva.example", 443),
        ("https://media.example#@10.0.0.1/", "https://media.example", "media.example", 443),
        ("http://a_b.example./x%20y", "http://a_b.example./x%20y", "a_b.example.", 80),
        ("http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/", "2606:4700::1111", 8080),
    ],
)
def test_an_address_is_read_one_way(text: str, url: str, host: str, port: int) -> None:
    """Names in any case and any script, ports and queries are kept; the fragment, which is nobody else's, goes."""
    target = parse_target(text)
    assert (str(target.url), target.host, target.port) == (url, host, port)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ftp://media.example/a", "only http"),
        ("file:///etc/passwd", "only http"),
        ("gopher://media.example:70/_x", "only http"),
        ("jar:http://media.example!/", "only http"),
        ("//media.example/a", "only http"),
        ("media.example/a", "only http"),
        ("http:/media.example/a", "only http"),
        ("http:media.example", "only http"),
        ("http:///a", "an invalid host name"),
        ("", "only http"),
        ("http://user@media.example/", "user name or password"),
        ("http://user:password@media.example/", "user name or password"),
        ("http://@media.example/", "user name or password"),
        ("http://media.example:80@other.example/", "user name or password"),
        ("http://media.example\\@other.example/", "backslash"),
        ("http://media.example/\\..\\", "backslash"),
        ("http://media.example/a b", "space"),
        (" http://media.example/", "space"),
        ("http://media.example/\r\nx-y: z", "control character"),
        ("http://media.example\t.other.example/", "control character"),
        ("http://media.example/\x00", "control character"),
        ("http://media.example/\u2028", "control character"),
        ("http://2130706433/", "is a number"),
        ("http://127.1/", "is a number"),
        ("http://0x7f000001/", "is a number"),
        ("http://0x7f.0.0.0x1/", "is a number"),
        ("http://017700000001/", "is a number"),
        ("http://0177.0.0.1/", "not a valid address"),
        ("http://127.0.0.1./", "is a number"),
        ("http://256.256.256.256/", "not a valid address"),
        ("http://1.2.3.4.5/", "is a number"),
        ("http://[::1/", "not a valid|an invalid"),
        ("http://[fe80::1%25eth0]/", "not a valid|an invalid"),
        ("http://[fe80::1%eth0]/", "not a valid|an invalid"),
        ("http://[v1.fe80::a+en1]/", "not a valid address"),
        ("http://%6cocalhost/", "an invalid host name"),
        ("http://127%2e0%2e0%2e1/", "an invalid host name"),
        ("http://\uff11\uff12\uff17.0.0.1/", "not a valid|an invalid"),
        ("http://①②⑦.⓪.⓪.①/", "not a valid|an invalid"),
        ("http://a..example/", "an invalid host name"),
        ("http://-a.example/", "an invalid host name"),
        ("http://a,b.example/", "an invalid host name"),
        ("http://" + "a" * 64 + ".example/", "an invalid host name"),
        ("http://media.example:22/", "port 22"),
        ("http://media.example:25/", "port 25"),
        ("http://media.example:6379/", "port 6379"),
        ("http://media.example:0/", "port 0"),
        ("http://media.example:65536/", "port 65536"),
        ("http://media.example:-1/", "port -1|no valid"),
        ("http://media.example:80:80/", "not a valid|an invalid"),
        ("http://media.example/" + "a" * 9000, "longer than 8192"),
    ],
)
def test_what_is_written_to_be_misread_is_refused(text: str, problem: str) -> None:
    """Other schemes, credentials, numbers for names, percent-encoded names, and what libraries read differently."""
    with pytest.raises(RequestFailed, match=problem):
        parse_target(text)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://media.example/b"),
        ("c?d", "https://media.example/x/c?d"),
        ("//other.example/e", "https://other.example/e"),
        ("http://other.example/", "http://other.example/"),
    ],
)
def test_redirects_are_relative_to_where_they_come_from(location: str, url: str) -> None:
    """Relative, scheme-relative and absolute locations are understood."""
    assert str(parse_target("https://media.example/x/a#f").join(location).url) == url


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://u:p@a.example/", "/a\\b", "http://[", "//127.1/", "http:"]
)
def test_redirects_are_checked_like_addresses(location: str) -> None:
    """A redirect cannot say what an address cannot."""
    with pytest.raises(RequestFailed):
        parse_target("https://media.example/").join(location)
