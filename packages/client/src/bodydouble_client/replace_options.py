# By tools/generate_client_options.py from the declarations of the inputs. Edit those, then run `make client`.
"""The optional inputs of a task."""

from collections.abc import Sequence
from typing import Literal, TypedDict


class ReplaceOptions(TypedDict, total=False):
    """Optional inputs of a task; the service has a default for each."""

    person: int | Sequence[float]
    """The person in the video: an index by size (0 is the largest) or a point [x, y], each 0 to 1. Default 0."""
    keep_audio: bool
    """Copy the audio of the source. Default True."""
    quality: Literal["small", "standard", "high"]
    """How exactly frames are kept: small has about half the bytes of standard, high about twice. Default standard."""
    dynamic_range: Literal["source", "sdr"]
    """source: an HDR video stays HDR, as 10-bit HEVC; sdr: it becomes BT.709, as H.264. Default source."""
    label: Literal["none", "eu", "china", "both"]
    """Words shown. eu: AI, in every frame; china: AI-generated, in Chinese, at first, with metadata. Default none."""
    consent: str
    """How the people shown agreed, such as the number of a release. Stored with the task."""
    renderer: Literal["auto", "wan", "puppet"]
    """wan needs a GPU, puppet makes previews on a CPU; auto takes the best that runs here. Default auto."""
    seed: int
    """Seed of the random numbers: the same seed gives the same video. Default 0. Used by wan."""
    num_inference_steps: int
    """Denoising steps. Default 20. Used by wan."""
    guidance_scale: float
    """Classifier-free guidance; above 1 the prompt counts more and the time doubles. Default 1.0. Used by wan."""
    shift: float
    """Flow shift of the schedule. Default 5.0. Used by wan."""
    prompt: str
    """Description of the scene. Used by wan."""
    hands: Literal["keep", "puppet"]
    """keep: the actor's own hands, recoloured; puppet: the character's. Default keep. Used by puppet."""
    size: Literal["height", "own"]
    """height: as tall as the actor; own: in proportion to the actor's head. Default height. Used by puppet."""
