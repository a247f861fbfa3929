"""The inputs of a shot: the one list behind the API's schema, the command line, the client and the console's form.

Common inputs are declared here. Each renderer's own inputs are declared in its plug-in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bodydouble.renderers.options import OptionSpec, Person, option, option_specs
from bodydouble.renderers.plugin import ANIMATE, RendererPlugin
from bodydouble.renderers.registry import AUTO, installed_plugins, offered_options
from bodydouble.tasks.catalogue import RESOLUTIONS

PERSON_INDEX_MAX = 31
SMALL, STANDARD, HIGH = "small", "standard", "high"
"""Values of ``quality``."""
SOURCE_RANGE, SDR = "source", "sdr"
"""Values of ``dynamic_range``."""
LABELS = NO_LABEL, LABEL_EU, LABEL_CHINA, LABEL_BOTH = "none", "eu", "china", "both"
"""Values of ``label``."""
RENDERER = "renderer"


@dataclass(frozen=True, kw_only=True)
class FileInput:
    """One of the two files."""

    api_name: str
    label: str
    help: str


def picture_input(mode: str) -> FileInput:
    """The picture of the character."""
    where = " in its own surroundings" if mode == ANIMATE else ""
    help = f"Picture of the character{where}: JPEG, PNG, WebP, BMP, HEIC or AVIF."
    return FileInput(api_name="img_urls", label="Character", help=help)


VIDEO_INPUT = FileInput(
    api_name="video_urls", label="Video", help="The driving video: MP4, MOV, AVI, MKV, WebM or GIF, up to 120 s."
)


@dataclass(frozen=True, kw_only=True)
class CommonInputs:
    """Inputs that do not depend on the renderer."""

    resolution: str = option(
        "720P", "Short side of the output: 480P, 580P or 720P. Smaller files are not enlarged.",
        label="Size (short side in pixels)", choices=tuple(RESOLUTIONS),
    )  # fmt: skip
    person: int = option(
        0, "The person in the video: an index by size (0 is the largest) or a point [x, y], each 0 to 1.",
        type=Person, maximum=PERSON_INDEX_MAX,
    )  # fmt: skip
    keep_audio: bool = option(True, "Copy the audio of the source.", label="Keep the audio")
    quality: str = option(
        STANDARD, "How exactly frames are kept: small has about half the bytes of standard, high about twice.",
        choices=(SMALL, STANDARD, HIGH),
    )  # fmt: skip
    dynamic_range: str = option(
        SOURCE_RANGE, "source: an HDR video stays HDR, as 10-bit HEVC; sdr: it becomes BT.709, as H.264.",
        label="Dynamic range", choices=(SOURCE_RANGE, SDR),
    )  # fmt: skip
    label: str = option(
        NO_LABEL, "Words shown. eu: AI, in every frame; china: AI-generated, in Chinese, at first, with metadata.",
        label="Visible label", choices=LABELS,
    )  # fmt: skip
    consent: str = option(
        "", "How the people shown agreed, such as the number of a release. Stored with the task.", length_max=500
    )
    renderer: str = option(AUTO, "The program that makes the frames.")


def shot_inputs(mode: str) -> list[OptionSpec]:
    """All inputs besides the two files of a shot of ``mode``: the common ones, then the renderers' own."""
    plugins = [plugin for plugin in installed_plugins() if mode in plugin.modes]
    common = [_with_renderers(spec, plugins) if spec.name == RENDERER else spec for spec in option_specs(CommonInputs)]
    return common + offered_options(plugins, mode)


def combined_label(*labels: str) -> str:
    """The label that has the texts of all: of a task, its account and its installation."""
    wanted = set(labels) - {NO_LABEL}
    return LABEL_BOTH if len(wanted) > 1 else next(iter(wanted), NO_LABEL)


def _with_renderers(spec: OptionSpec, plugins: Sequence[RendererPlugin]) -> OptionSpec:
    summaries = ", ".join(f"{plugin.name} {plugin.summary}" for plugin in plugins)
    return replace(
        spec,
        choices=(AUTO, *(plugin.name for plugin in plugins)),
        help=f"{summaries}; {AUTO} takes the best that runs here.",
    )
