"""Wan-Animate's inputs from a driving video: skeleton, face, mask and background, frame by frame."""

from bodydouble.perception.whole_body import whole_body
from bodydouble.renderers.wan.preprocess.canvas import Canvas, choose_canvas
from bodydouble.renderers.wan.preprocess.inputs import FrameInputs, Preprocessor, PreprocessSettings
from bodydouble.renderers.wan.preprocess.mask import MaskGrid
from bodydouble.renderers.wan.preprocess.moving import MovePreprocessor

__all__ = [
    "Canvas",
    "FrameInputs",
    "MaskGrid",
    "MovePreprocessor",
    "PreprocessSettings",
    "Preprocessor",
    "choose_canvas",
    "whole_body",
]
