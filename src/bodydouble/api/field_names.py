"""Our field names in messages, translated into a vendor's."""

import re
from collections.abc import Mapping


class FieldNames:
    """Our field names at the beginning of messages, replaced by a vendor's."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names``: our name → the vendor's. The files are ``img_urls`` and ``video_urls``.

        Workers call the files of a shot ``image`` and ``video``.
        """
        self._names = {"image": names["img_urls"], "video": names["video_urls"], **names}
        self._pattern = re.compile(rf"^({'|'.join(map(re.escape, self._names))})(\[\d+\])?(?=[:.])")

    def translate(self, message: str) -> str:
        """The message with the vendor's name of the field that it is about."""
        return self._pattern.sub(lambda match: self._names[match[1]], message)

    def split(self, message: str) -> tuple[str | None, str]:
        """The vendor's name of the field that the message is about, and the rest; None if it is about none."""
        field, colon, text = self.translate(message).partition(": ")
        return (field, text) if colon and " " not in field else (None, message)
