"""One pass of the transformer against the formulas of Wan-Video/Wan2.2, written out in float64 on tiny weights."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.shards import install_processors
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass
from tiny_wan import FACE_SIDE, tiny_transformer

HEADS, WIDTH, LAYERS = 2, 24, 2
FRAMES, LATENTS = 13, (5, 4, 6)
"""Frames of the segment; its latents with the reference's, their rows and columns."""
EPSILON = 1e-6
BLUR = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64)


class Formulas:
    """The forward pass from the facts of ``wan/modules/animate``; ``w`` are weights under diffusers' names."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.w = {name: weight.double() for name, weight in weights.items()}

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def velocity(self, x: Tensor, t: int, text: Tensor, image: Tensor, pose: Tensor, face: Tensor) -> Tensor:
        """(16, 5, 4, 6) for ``x`` (36, 5, 4, 6)."""
        tokens = self.patches("patch_embedding", x)
        tokens[1:] += self.patches("pose_patch_embedding", pose)
        frames, rows, columns, _ = tokens.shape
        tokens = tokens.flatten(0, 2)
        time = self.mlp("condition_embedder.time_embedder.linear_", sinusoid(t, 16), functional.silu)
        modulation = self.linear("condition_embedder.time_proj", functional.silu(time)).view(6, WIDTH)
        text = self.mlp("condition_embedder.text_embedder.linear_", text, gelu_tanh)
        image = self.image(image)
        motion = self.motion(face)
        rotation = rotations(frames, rows, columns, WIDTH // HEADS)
        for index in range(LAYERS):
            tokens = self.block(f"blocks.{index}.", tokens, modulation, text, image, rotation)
            tokens = tokens + self.face_attention(f"face_adapter.{index}.", tokens, motion)
        shift, scale = self.w["scale_shift_table"][0] + time
        out = self.linear("proj_out", norm(tokens) * (1 + scale) + shift)
        out = out.view(frames, rows, columns, 2, 2, 16)  # the patch's rows and columns, then channels
        return out.permute(5, 0, 1, 3, 2, 4).reshape(16, frames, 2 * rows, 2 * columns)

    def patches(self, name: str, x: Tensor) -> Tensor:
        """(frames, rows, columns, C): each patch of 1 x 2 x 2 latents through one matrix."""
        channels, frames, rows, columns = x.shape
        cut = x.view(channels, frames, rows // 2, 2, columns // 2, 2).permute(1, 2, 4, 0, 3, 5).flatten(3)
        return cut @ self.w[f"{name}.weight"].flatten(1).T + self.w[f"{name}.bias"]

    def mlp(self, name: str, x: Tensor, activation) -> Tensor:
        return self.linear(f"{name}2", activation(self.linear(f"{name}1", x)))

    def image(self, x: Tensor) -> Tensor:
        name = "condition_embedder.image_embedder."
        for part in ("norm1", "ff.net.0.proj", "ff.net.2", "norm2"):
            if part.startswith("norm"):
                x = norm(x, 1e-5) * self.w[f"{name}{part}.weight"] + self.w[f"{name}{part}.bias"]
            else:
                x = self.linear(f"{name}{part}", x)
                x = functional.gelu(x) if part == "ff.net.0.proj" else x
        return x

    def block(self, name: str, x: Tensor, modulation: Tensor, text: Tensor, image: Tensor, rotation: Tensor) -> Tensor:
        """Self-attention, cross-attention to text and picture, feed-forward."""
        m = modulation + self.w[f"{name}scale_shift_table"][0]
        hidden = norm(x) * (1 + m[1]) + m[0]
        query, key = (
            turned(heads(self.rms(f"{name}attn1.norm_{part}", self.linear(f"{name}attn1.to_{part}", hidden))), rotation)
            for part in "qk"
        )
        attended = attention(query, key, heads(self.linear(f"{name}attn1.to_v", hidden)))
        x = x + m[2] * self.linear(f"{name}attn1.to_out.0", attended)
        hidden = norm(x) * self.w[f"{name}norm2.weight"] + self.w[f"{name}norm2.bias"]
        query = heads(self.rms(f"{name}attn2.norm_q", self.linear(f"{name}attn2.to_q", hidden)))
        attended = torch.zeros_like(x)
        for context, key_name, value_name, norm_name in (
            (text, "to_k", "to_v", "norm_k"),
            (image, "add_k_proj", "add_v_proj", "norm_added_k"),
        ):
            key = heads(self.rms(f"{name}attn2.{norm_name}", self.linear(f"{name}attn2.{key_name}", context)))
            attended += attention(query, key, heads(self.linear(f"{name}attn2.{value_name}", context)))
        x = x + self.linear(f"{name}attn2.to_out.0", attended)
        hidden = norm(x) * (1 + m[4]) + m[3]
        return x + m[5] * self.linear(f"{name}ffn.net.2", gelu_tanh(self.linear(f"{name}ffn.net.0.proj", hidden)))

    def face_attention(self, name: str, x: Tensor, motion: Tensor) -> Tensor:
        """Each latent frame attends to its own motion tokens; queries and keys are normalised per head."""
        frames = len(motion)
        query = self.rms(f"{name}norm_q", heads(self.linear(f"{name}to_q", norm(x))))
        query = query.unflatten(1, (frames, -1))
        key = self.rms(f"{name}norm_k", heads(self.linear(f"{name}to_k", norm(motion))))
        value = heads(self.linear(f"{name}to_v", norm(motion)))
        attended = [attention(query[:, f], key[:, f], value[:, f]) for f in range(frames)]
        return self.linear(f"{name}to_out", torch.cat(attended))

    def rms(self, name: str, x: Tensor) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + EPSILON).sqrt() * self.w[f"{name}.weight"]

    def motion(self, face: Tensor) -> Tensor:
        """(5, 3, C): two motion tokens and one learned token for each latent frame; zeros for the reference's."""
        basis = torch.linalg.qr(self.w["motion_encoder.motion_synthesis_weight"] + 1e-8)[0]
        codes = torch.stack([basis @ self.face_code(frame) for frame in face.transpose(0, 1)])
        x = self.causal("conv1_local", codes.T[None], 1)[0].unflatten(0, (2, -1))  # two tokens from here on
        for name in ("conv2", "conv3", None):
            x = functional.silu(norm(x.transpose(1, 2)))
            x = x if name is None else self.causal(name, x.transpose(1, 2), 2)
        tokens = self.linear("face_encoder.out_proj", x).transpose(0, 1)
        learned = self.w["face_encoder.padding_tokens"][0].expand(len(tokens), -1, -1)
        return functional.pad(torch.cat([tokens, learned], dim=1), (0, 0, 0, 0, 1, 0))

    def causal(self, name: str, x: Tensor, stride: int) -> Tensor:
        """Convolution in time over the present and two past values; before the start, the first one counts."""
        weight, bias = self.w[f"face_encoder.{name}.weight"], self.w[f"face_encoder.{name}.bias"]
        return functional.conv1d(torch.cat([x[..., :1], x[..., :1], x], dim=-1), weight, bias, stride)

    def face_code(self, frame: Tensor) -> Tensor:
        """(4,) coordinates of one face crop's motion, by LIA's encoder with equalised learning rates."""
        x = self.equal("conv_in", frame[None], 1, 0)
        for index in range(int(math.log2(FACE_SIDE)) - 2):
            name = f"res_blocks.{index}."
            main = self.equal(f"{name}conv2", blurred(self.equal(f"{name}conv1", x, 1, 1), 2), 2, 0)
            x = (main + self.equal(f"{name}conv_skip", blurred(x, 1), 2, 0)) / math.sqrt(2)
        code = self.equal("conv_out", x, 1, 0).flatten()
        for index in range(5):
            weight = self.w[f"motion_encoder.motion_network.{index}.weight"]
            code = weight @ code / math.sqrt(weight.shape[1]) + self.w[f"motion_encoder.motion_network.{index}.bias"]
        return code

    def equal(self, name: str, x: Tensor, stride: int, padding: int) -> Tensor:
        weight = self.w[f"motion_encoder.{name}.weight"]
        made = functional.conv2d(x, weight / math.sqrt(weight[0].numel()), stride=stride, padding=padding)
        bias = self.w.get(f"motion_encoder.{name}.act_fn.bias")
        return made if bias is None else functional.leaky_relu(made + bias.view(-1, 1, 1), 0.2) * math.sqrt(2)


def norm(x: Tensor, epsilon: float = EPSILON) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + epsilon).sqrt()


def gelu_tanh(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def heads(x: Tensor) -> Tensor:
    """(..., S, C) to (heads, ..., S, C / heads)."""
    return x.unflatten(-1, (HEADS, -1)).movedim(-2, 0)


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(S, C) of queries (heads, S, C / heads) to all keys."""
    weights = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(-1)
    return (weights @ value).movedim(0, -2).flatten(-2)


def sinusoid(t: int, width: int) -> Tensor:
    angles = t * 10_000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    return torch.cat([angles.cos(), angles.sin()])


def rotations(frames: int, rows: int, columns: int, width: int) -> Tensor:
    """(S, width / 2) complex: pairs of channels turn with time, row and column; time has what two thirds leave."""
    sizes = (width - 4 * (width // 6), 2 * (width // 6), 2 * (width // 6))
    places = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float64) for n in (frames, rows, columns)))
    angles = [
        place[:, None] * 10_000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        for place, size in zip(places.T, sizes, strict=True)
    ]
    return torch.polar(torch.ones(len(places), width // 2, dtype=torch.float64), torch.cat(angles, dim=1))


def turned(x: Tensor, rotation: Tensor) -> Tensor:
    return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * rotation).flatten(-2)


def blurred(x: Tensor, padding: int) -> Tensor:
    kernel = torch.outer(BLUR, BLUR) / BLUR.sum() ** 2
    return functional.conv2d(x.transpose(0, 1), kernel[None, None], padding=padding).transpose(0, 1)


@pytest.mark.parametrize("timestep", [999, 208])
def test_velocity_is_the_originals(timestep: int) -> None:
    """Both forward passes give what the formulas give, to the rounding of float32."""
    transformer = tiny_transformer(LAYERS)
    formulas = Formulas(transformer.state_dict())
    generator = torch.Generator().manual_seed(6)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    latents, text, image = random(1, 16, *LATENTS), random(1, 512, 32), random(1, 9, 32)
    segment = SegmentConditions(
        pose=random(1, 16, LATENTS[0] - 1, *LATENTS[1:]),
        face=random(1, 3, FRAMES, FACE_SIDE, FACE_SIDE).clamp(-1, 1),
        condition=random(1, 20, *LATENTS),
    )
    with torch.inference_mode():
        seen = torch.cat([latents, segment.condition], dim=1)[0].double()
        inputs = (part[0].double() for part in (text, image, segment.pose, segment.face))
        expected = formulas.velocity(seen, timestep, *inputs)
        whole = predict_whole(transformer, latents, torch.tensor(timestep), text, image, segment)
        install_processors(transformer)
        prepared = prepare_pass(transformer, prepare_contexts(transformer, text, image), segment)
        made = predict(transformer, latents, torch.tensor(timestep), prepared)
    assert expected.std() > 0.05
    for velocity in (whole, made):
        torch.testing.assert_close(velocity[0].double(), expected, rtol=0, atol=2e-5)
