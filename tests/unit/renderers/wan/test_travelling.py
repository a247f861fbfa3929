"""Blocks that come to the card for their turn."""

import torch

from bodydouble.renderers.wan.travelling import travel


def test_blocks_travel() -> None:
    """The block after the one that computes is there already, of three that share two places, job after job."""
    layers = [torch.nn.Linear(4, 4) for _ in range(3)]
    blocks = travel(layers, torch.device("cpu"))
    places = blocks[0].places
    inputs = torch.ones(1, 4)
    with torch.inference_mode():
        for index in (0, 1, 2, 0, 1, 2):
            assert torch.equal(blocks[index](inputs), layers[index](inputs))
            assert (index + 1) % 3 in places._held
        assert torch.equal(places.enter(1)(inputs), layers[1](inputs))  # out of turn, as for a new character
