"""What a task will cost, before it is created."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from bodydouble.service.inline_files import InlineFiles
from bodydouble.service.inputs import FILE_FIELDS, Submission
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.catalogue import ESTIMATE_SECONDS, ModelSpec, find_model
from bodydouble.tasks.data_url import is_data_url
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.files import FileStore


class MediaCheck(Protocol):
    """Inspects a file for the field that names it: seconds of a video, 0 for a picture. ``account`` asks for it.

    Raises:
        MediaRejected: the file cannot be used; the message names the field. RateLimited: too many files wait for an
            inspection. StorageFull, StorageUnavailable, InspectionUnavailable.
    """

    async def upload(self, key: str, field: str, account: AccountId) -> float:
        """Inspect a file of the file store. Raises NotFound too: nothing was uploaded under this key."""
        ...

    async def content(self, content: bytes, field: str, account: AccountId) -> float:
        """Inspect a file that came within a request."""
        ...


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a task will cost; ``estimated`` if its video is elsewhere and has not been inspected."""

    credits: Decimal
    estimated: bool


class Pricing:
    """Prices by model, resolution and length of the video."""

    def __init__(
        self,
        files: FileStore,
        inline_files: InlineFiles,
        media_check: MediaCheck,
        catalogue: Mapping[str, ModelSpec],
    ) -> None:
        self._files, self._inline_files = files, inline_files
        self._media_check, self._catalogue = media_check, catalogue

    async def price(self, submission: Submission, account: AccountId) -> Price:
        """The exact price if the video is an upload of ours or within the request, else the estimate.

        Raises:
            NotFound: no such model. InputRejected: an upload that is absent, or a file that cannot be used; its
                ``fields`` name the model. What ``MediaCheck`` raises: the file could not be inspected.
        """
        model = find_model(submission.model, self._catalogue)
        try:
            await self._seconds_of(str(submission.inputs["img_urls"][0]), "img_urls[0]", account)
            seconds = await self._seconds_of(str(submission.inputs["video_urls"][0]), "video_urls[0]", account)
        except InputRejected as error:
            error.fields["model"] = model.name
            raise
        if seconds is None:
            return self.estimate(submission)
        return Price(credits=model.price(str(submission.inputs["resolution"]), seconds), estimated=False)

    def estimate(self, submission: Submission) -> Price:
        """The price of ``ESTIMATE_SECONDS``. Raises NotFound: no such model."""
        model = find_model(submission.model, self._catalogue)
        return Price(credits=model.price(str(submission.inputs["resolution"]), ESTIMATE_SECONDS), estimated=True)

    async def has_files_here(self, submission: Submission) -> bool:
        """Whether an input is an upload of ours or within the request, so that ``price`` inspects it."""
        urls = [str(submission.inputs[field][0]) for field in FILE_FIELDS]
        return any([is_data_url(url) or await self._files.own_key(url) is not None for url in urls])

    async def _seconds_of(self, url: str, field: str, account: AccountId) -> float | None:
        """Length of a file that is here; None for an address elsewhere."""
        if is_data_url(url):
            file = await self._inline_files.read(url, field)
            return await self._media_check.content(file.content, field, account)
        key = await self._files.own_key(url)
        try:
            return await self._media_check.upload(key, field, account) if key else None
        except NotFound:
            raise InputRejected(f"{field}: nothing was uploaded to this address yet; PUT the file first.") from None
