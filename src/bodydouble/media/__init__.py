"""Video and picture files, through PyAV: probing, streaming decode and encode, joining with audio."""

from bodydouble.media.compositing import composite, planes_of_image
from bodydouble.media.decode import VideoReader
from bodydouble.media.encode import Encoding, Quality, SegmentEncoder, choose_encoding
from bodydouble.media.hdr import is_hdr, picture_in_view
from bodydouble.media.image import probe_image, read_image
from bodydouble.media.keeping import KeepingReader
from bodydouble.media.limits import MediaLimits
from bodydouble.media.mux import join_segments
from bodydouble.media.planes import SDR_COLOUR, PlaneFormat, Planes
from bodydouble.media.probe import probe_video
from bodydouble.media.size import working_size
from bodydouble.media.video_info import AudioInfo, ColourTags, ImageInfo, MediaWarning, VideoInfo

__all__ = [
    "SDR_COLOUR",
    "AudioInfo",
    "ColourTags",
    "Encoding",
    "ImageInfo",
    "KeepingReader",
    "MediaLimits",
    "MediaWarning",
    "PlaneFormat",
    "Planes",
    "Quality",
    "SegmentEncoder",
    "VideoInfo",
    "VideoReader",
    "choose_encoding",
    "composite",
    "is_hdr",
    "join_segments",
    "picture_in_view",
    "planes_of_image",
    "probe_image",
    "probe_video",
    "read_image",
    "working_size",
]
