"""Refusing a driving video that is too short or too small for the renderer."""

from bodydouble.media import VideoInfo
from bodydouble.renderers.plugin import RendererPlugin
from bodydouble.tasks.errors import MediaRejected


def check_minimum(plugin: RendererPlugin, info: VideoInfo) -> None:
    """Raises MediaRejected if the renderer needs more frames or pixels than the video has."""
    side = min(info.width, info.height)
    if info.frames < plugin.video_frames_min:
        what = f"the video has {info.frames} frames; the renderer {plugin.name} needs {plugin.video_frames_min}"
    elif side < plugin.video_side_min:
        what = (
            f"the video is {info.width} × {info.height}; the renderer {plugin.name} needs {plugin.video_side_min} "
            "pixels a side"
        )
    else:
        return
    raise MediaRejected(f"video: {what}. Use a longer or larger video, or another renderer.", field="video")
