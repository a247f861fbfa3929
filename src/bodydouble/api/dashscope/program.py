"""A Python program with DashScope's SDK."""

from bodydouble.api.dashscope.models import MODELS, RESOLUTIONS
from bodydouble.api.dashscope.paths import BASE
from bodydouble.api.programs import ShownRequest, literal

MODES = {resolution: mode for mode, resolution in RESOLUTIONS.items()}


def write_program(request: ShownRequest) -> str:
    """The program."""
    model = next(name for name, ours in MODELS.items() if ours == request.model)
    mode = request.value("resolution", "720P", MODES)
    note = request.note(*(["resolution"] if mode else []))
    files = literal({"image_url": request.image, "video_url": request.video})
    return (
        f"# export DASHSCOPE_HTTP_BASE_URL={request.base_url}{BASE} DASHSCOPE_API_KEY=ak_…\n{note}"
        "from dashscope import VideoSynthesis\n\n"
        f'done = VideoSynthesis.call(\n    model="{model}",\n    task="image2video",\n'
        f'    extra_input={files},\n    mode="{mode or "wan-pro"}",\n)\n'
        "print(done.output.video_url)"
    )
