"""The segment loop against the corrected ``diffusers.WanAnimatePipeline`` with the same tiny weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.conditions import encode_picture, letterbox
from bodydouble.renderers.wan.engine import Sampling
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.sampling import noise_shape
from bodydouble.renderers.wan.segment import encode_character, generate_segment
from bodydouble.renderers.wan.shards import install_processors
from original_wan import original_pipeline
from tiny_wan import FACE_SIDE, tiny_parts

HEIGHT, WIDTH, LENGTH = 32, 48, 13
PROMPT, NEGATIVE = "somebody is &amp; moves", "blurred"


@pytest.fixture(scope="module")
def parts() -> dict[str, object]:
    """Networks shared by both sides."""
    return tiny_parts()


@pytest.fixture(scope="module")
def components(parts: dict[str, object]) -> Components:
    install_processors(parts["transformer"])
    return Components(**parts, device=torch.device("cpu"))


def footage(frames: int, seed: int = 0) -> SegmentVideo:
    """Inputs of smooth random pictures that change with every frame."""
    random = np.random.default_rng(seed)

    def video(height: int, width: int) -> NDArray[np.uint8]:
        small = random.integers(0, 255, (frames, 4, 4, 3), np.uint8)
        return np.stack(
            [np.asarray(Image.fromarray(f).resize((width, height), Image.Resampling.BILINEAR)) for f in small]
        )

    mask = np.zeros((frames, HEIGHT, WIDTH), np.uint8)
    for i in range(frames):
        mask[i, 8:24, i % 16 : 16 + i % 16] = 255
    return SegmentVideo(
        pose=video(HEIGHT, WIDTH),
        face=video(FACE_SIDE, FACE_SIDE),
        background=np.where(mask[..., None] > 0, 0, video(HEIGHT, WIDTH)).astype(np.uint8),
        mask=mask,
    )


def picture() -> Image.Image:
    """A reference image whose aspect differs from the frame's, so that it is letterboxed."""
    return Image.fromarray(np.random.default_rng(5).integers(0, 255, (40, 30, 3), np.uint8))


def test_clip_sees_the_whole_picture(components: Components) -> None:
    """A head at the top of a tall picture changes the embedding; a centre crop would hide it."""
    plain = Image.new("RGB", (90, 160), (120, 120, 120))
    with_head = plain.copy()
    with_head.paste((250, 200, 180), (30, 0, 60, 30))
    seen = [encode_picture(components, letterbox(image, 160, 96)) for image in (plain, with_head)]
    assert (seen[0] - seen[1]).abs().max() > 1e-3


def ours(
    components: Components,
    video: SegmentVideo,
    mode: str,
    segments: int,
    sampling: Sampling,
    generator: torch.Generator,
) -> Tensor:
    """Frames of all segments from our loop, with the same segment limits as the pipeline."""
    character = encode_character(components, picture(), PROMPT, NEGATIVE, HEIGHT, WIDTH, sampling)
    carried, made = None, []
    for k in range(segments):
        start = k * (LENGTH - sampling.carried_frames)
        here = slice(start, start + LENGTH)
        part = SegmentVideo(
            pose=video.pose[here],
            face=video.face[here],
            background=video.background[here] if mode == "replace" else None,
            mask=video.mask[here] if mode == "replace" else None,
        )
        noise = torch.randn(noise_shape(LENGTH, HEIGHT, WIDTH), generator=generator)
        frames = generate_segment(components, character, part, carried, noise, sampling, lambda done, steps: None)
        frames = frames if carried is None else frames[:, :, sampling.carried_frames :]
        carried = frames[:, :, -sampling.carried_frames :]
        made.append(frames)
    return torch.cat(made, dim=2)


def theirs(
    parts: dict[str, object], video: SegmentVideo, mode: str, sampling: Sampling, generator: torch.Generator
) -> Tensor:
    """Frames of the pipeline, the slow reference, on the whole video at once."""
    pipeline = original_pipeline(parts, HEIGHT, WIDTH)

    def pictures(frames: NDArray[np.uint8]) -> list[Image.Image]:
        return [Image.fromarray(f) for f in frames]

    return (
        pipeline(
            image=picture(),
            pose_video=pictures(video.pose),
            face_video=pictures(video.face),
            background_video=pictures(video.background) if mode == "replace" else None,
            mask_video=pictures(video.mask) if mode == "replace" else None,
            prompt=PROMPT,
            negative_prompt=NEGATIVE,
            height=HEIGHT,
            width=WIDTH,
            segment_frame_length=LENGTH,
            num_inference_steps=sampling.steps,
            mode=mode,
            prev_segment_conditioning_frames=sampling.carried_frames,
            guidance_scale=sampling.guidance,
            generator=generator,
            output_type="pt",
        ).frames.transpose(1, 2)
        * 2
        - 1
    )


@pytest.mark.parametrize(
    ("mode", "segments", "carried", "guidance"),
    [
        ("replace", 3, 5, 1.0),
        ("animate", 2, 5, 1.0),
        ("animate", 3, 1, 1.0),
        ("replace", 2, 1, 3.0),
    ],
)
def test_the_loop_equals_the_pipeline(
    parts: dict[str, object], components: Components, mode: str, segments: int, carried: int, guidance: float
) -> None:
    """Frames agree to float32 rounding, whether constant tensors are computed once or at every step."""
    slow = Sampling(steps=3, carried_frames=carried, guidance=guidance, reuse=False)
    video = footage(carried + segments * (LENGTH - carried))
    expected = theirs(parts, video, mode, slow, torch.Generator().manual_seed(4))
    assert expected.std() > 0.05  # the tiny networks do not produce a flat picture
    for sampling in (slow, replace(slow, reuse=True)):
        made = ours(components, video, mode, segments, sampling, torch.Generator().manual_seed(4))
        assert made.shape == expected.shape
        torch.testing.assert_close(made, expected, rtol=0, atol=2e-5)
