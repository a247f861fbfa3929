"""A Python program with WaveSpeed's SDK."""

from bodydouble.api.programs import ShownRequest, literal
from bodydouble.api.wavespeed.names import MODELS
from bodydouble.api.wavespeed.paths import MODEL, PREFIX

RESOLUTIONS = {"480P": "480p", "720P": "720p"}


def write_program(request: ShownRequest) -> str:
    """The program."""
    resolution = request.value("resolution", "720P", RESOLUTIONS)
    served = ["seed", "prompt", *(["resolution"] if resolution else [])]
    inputs = {
        "image": request.image,
        "video": request.video,
        "mode": next(mode for mode, model in MODELS.items() if model == request.model),
        "resolution": resolution,
        "seed": request.others.get("seed"),
        "prompt": request.others.get("prompt"),
    }
    return (
        f"{request.note(*served)}import os\n\nfrom wavespeed import Client\n\n"
        f'client = Client(api_key=os.environ["WAVESPEED_API_KEY"], base_url="{request.base_url}{PREFIX}")\n'
        f'done = client.run(\n    "{MODEL}",\n    {literal(inputs)},\n)\n'
        'print(done["outputs"][0])'
    )
