"""A Python program that calls kie's API, which has no SDK."""

from bodydouble.api.kie.paths import BASE
from bodydouble.api.programs import ShownRequest, literal

RESOLUTIONS = {"480P": "480p", "580P": "580p", "720P": "720p"}


def write_program(request: ShownRequest) -> str:
    """The program."""
    resolution = request.value("resolution", "720P", RESOLUTIONS)
    inputs = literal({"image_url": request.image, "video_url": request.video, "resolution": resolution}, 0)
    return (
        f"{request.note('resolution')}import os\n\nimport requests\n\n"
        'headers = {"Authorization": f"Bearer {os.environ[\'KIE_API_KEY\']}"}\n'
        f'body = {{"model": "{request.model}", "input": {inputs}}}\n'
        f'created = requests.post("{request.base_url}{BASE}/jobs/createTask", json=body, headers=headers)\n'
        'print(created.json()["data"]["taskId"])'
    )
