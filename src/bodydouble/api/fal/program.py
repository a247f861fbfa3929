"""A Python program with fal's SDK."""

from bodydouble.api.fal.documents import QUEUE
from bodydouble.api.fal.models import ENDPOINTS, QUALITIES
from bodydouble.api.fal.names import PREFIX
from bodydouble.api.programs import ShownRequest, literal

RESOLUTIONS = {"480P": "480p", "580P": "580p", "720P": "720p"}
SAME = ("num_inference_steps", "guidance_scale", "shift", "seed")
"""Inputs of the same name."""


def write_program(request: ShownRequest) -> str:
    """The program."""
    endpoint = next(name for name, ours in ENDPOINTS.items() if ours == request.model)
    inputs = {
        "image_url": request.image,
        "video_url": request.video,
        "resolution": request.value("resolution", "720P", RESOLUTIONS),
        "video_quality": request.value("quality", "standard", {ours: quality for quality, ours in QUALITIES.items()}),
    }
    inputs |= {name: request.others.get(name) for name in SAME}
    host = request.base_url.partition("://")[2]
    return (
        f"# export FAL_RUN_HOST={host}{PREFIX}/run FAL_QUEUE_RUN_HOST={host}{QUEUE} FAL_KEY=ak_…\n"
        f"{request.note('resolution', 'quality', *SAME)}import fal_client\n\n"
        f'done = fal_client.subscribe(\n    "{endpoint}",\n    arguments={literal(inputs)},\n)\n'
        'print(done["video"]["url"])'
    )
