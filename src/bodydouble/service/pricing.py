"""The price of a task before it is created."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from bodydouble.media.size import working_size
from bodydouble.service.inline_files import InlineFiles
from bodydouble.service.inputs import FILE_FIELDS, Submission
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.catalogue import ESTIMATE_SECONDS, RESOLUTIONS, ModelSpec, find_model, produced_resolution
from bodydouble.tasks.data_url import is_data_url
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.files import FileStore

ESTIMATES_MAX = 64
"""Estimates that are kept: one for each model and resolution."""


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """The result of inspecting a picture or a video."""

    duration_seconds: float  # 0 for a picture
    width: int  # pixels, as displayed
    height: int
    plays_in_browsers: bool = True  # false if it is known that some browser cannot play the video


class MediaCheck(Protocol):
    """Inspects a file for the field that names it. ``account`` asks for it.

    Raises:
        MediaRejected: the file cannot be used; the message names the field. RateLimited: too many files wait for an
            inspection. StorageFull, StorageUnavailable, InspectionUnavailable.
    """

    async def upload(self, key: str, field: str, account: AccountId) -> MediaFacts:
        """Inspect a file of the file store. Raises NotFound too: nothing was uploaded under this key."""
        ...

    async def content(self, content: bytes, field: str, account: AccountId) -> MediaFacts:
        """Inspect a file that came within a request."""
        ...


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of a task; ``estimated`` if its video is at a foreign address and was not inspected."""

    credits: Decimal
    estimated: bool
    resolution: str  # class of the output: less than the requested one if the file is smaller
    size: tuple[int, int] | None = None  # width and height of the output in pixels; None: not known yet
    video: MediaFacts | None = None  # None: it was not inspected


class Pricing:
    """Prices by model, size of the output and length of the video."""

    def __init__(
        self,
        files: FileStore,
        inline_files: InlineFiles,
        media_check: MediaCheck,
        catalogue: Mapping[str, ModelSpec],
    ) -> None:
        self._files, self._inline_files = files, inline_files
        self._media_check, self._catalogue = media_check, catalogue
        self._estimate = lru_cache(maxsize=ESTIMATES_MAX)(self._make_estimate)

    async def price(self, submission: Submission, account: AccountId) -> Price:
        """The exact price if the video is an upload of ours or within the request, else the estimate.

        Raises:
            NotFound: no such model. InputRejected: an upload that is absent, or a file that cannot be used; its
                ``fields`` name the model. What ``MediaCheck`` raises: the file could not be inspected.
        """
        model = find_model(submission.model, self._catalogue)
        try:
            picture = await self._inspect(str(submission.inputs["img_urls"][0]), "img_urls[0]", account)
            video = await self._inspect(str(submission.inputs["video_urls"][0]), "video_urls[0]", account)
        except InputRejected as error:
            error.fields["model"] = model.name
            raise
        shape = picture if model.mode == "animate" else video  # what gives the output its size
        resolution, size = str(submission.inputs["resolution"]), None
        if shape is not None:
            size = working_size(shape.width, shape.height, RESOLUTIONS[resolution])
            resolution = produced_resolution(resolution, min(size))
        seconds = ESTIMATE_SECONDS if video is None else video.duration_seconds
        credits = model.price(resolution, seconds)
        return Price(credits=credits, estimated=video is None, resolution=resolution, size=size, video=video)

    def estimate(self, submission: Submission) -> Price:
        """The price of ``ESTIMATE_SECONDS``. Raises NotFound: no such model."""
        return self._estimate(submission.model, str(submission.inputs["resolution"]))

    def _make_estimate(self, model: str, resolution: str) -> Price:
        credits = find_model(model, self._catalogue).price(resolution, ESTIMATE_SECONDS)
        return Price(credits=credits, estimated=True, resolution=resolution)

    async def count_files_here(self, submission: Submission) -> int:
        """How many inputs are uploads of ours or within the request, so that ``price`` inspects them; 0 to 2."""
        count = 0
        for field in FILE_FIELDS:
            url = str(submission.inputs[field][0])
            count += is_data_url(url) or await self._files.own_key(url) is not None
        return count

    async def _inspect(self, url: str, field: str, account: AccountId) -> MediaFacts | None:
        """Facts about a file that is here; None for an address elsewhere."""
        if is_data_url(url):
            file = await self._inline_files.read(url, field)
            return await self._media_check.content(file.content, field, account)
        key = await self._files.own_key(url)
        try:
            return await self._media_check.upload(key, field, account) if key else None
        except NotFound:
            raise InputRejected(f"{field}: nothing was uploaded to this address yet; PUT the file first.") from None
