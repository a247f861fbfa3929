"""The discs by which masks grow and shrink, as OpenCV draws them."""

DISC_RIM = 0.35
"""Pixels by which they reach beyond their circle, about: a mask that grows by distances gets the same shape."""
