"""What Wan-Animate is shown of a driving video: skeleton, face, mask and background, frame by frame."""

from bodydouble.renderers.wan.preprocess.canvas import Canvas, choose_canvas
from bodydouble.renderers.wan.preprocess.inputs import FrameInputs, Preprocessor, PreprocessSettings

__all__ = ["Canvas", "FrameInputs", "PreprocessSettings", "Preprocessor", "choose_canvas"]
