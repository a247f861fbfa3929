"""A Python program with Replicate's SDK."""

from bodydouble.api.programs import ShownRequest, literal
from bodydouble.api.replicate.names import NAMES, PREFIX

RESOLUTIONS = {"480P": "480", "720P": "720"}


def write_program(request: ShownRequest) -> str:
    """The program."""
    resolution = request.value("resolution", "720P", RESOLUTIONS)
    served = ["seed", "keep_audio", *(["resolution"] if resolution else [])]
    inputs = {
        "character_image": request.image,
        "video": request.video,
        "resolution": resolution,
        "seed": request.others.get("seed"),
        "merge_audio": request.others.get("keep_audio"),
    }
    return (
        f"# export REPLICATE_BASE_URL={request.base_url}{PREFIX} REPLICATE_API_TOKEN=ak_…\n{request.note(*served)}"
        f'import replicate\n\noutput = replicate.run(\n    "{NAMES[request.model]}",\n    input={literal(inputs)},\n)\n'
        "print(output)"
    )
