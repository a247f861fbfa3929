"""Recognises content that is no picture or video by its first bytes, whatever its Content-Type says."""

HEAD_BYTES = 512
"""First bytes of a body that are examined."""

# WHATWG MIME Sniffing, 7.1: what a web page begins with.
_PAGE = tuple(
    f"<{tag}".encode()
    for tag in (
        "!doctype html", "html", "head", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b",
        "body", "br", "p", "meta", "link", "span",
    )
)  # fmt: skip
_PAGE_NAME = "a web page (HTML), perhaps one that asks to log in"
_OTHER = (
    (b"<!--", _PAGE_NAME),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document (an SVG drawing, or a file store's error)"),
    (b"{", "a JSON document"),
    (b"[", "a JSON document"),
    (b"%pdf-", "a PDF document"),
    (b"#extm3u", "a playlist, not the video itself"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
)


def foreign_content(head: bytes) -> str | None:
    """What ``head``, the first bytes of a body, shows to be no picture or video; None where it may be one.

    Whether it is one is for the probe to find out: this only says it in words that help.
    """
    text = head[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0c").lower()
    for tag in _PAGE:
        if text.startswith(tag) and text[len(tag) : len(tag) + 1] in (b"", b" ", b">", b"/", b"\n", b"\r", b"\t"):
            return _PAGE_NAME
    return next((name for magic, name in _OTHER if text.startswith(magic)), None)
