"""Perception with transformers' models: detection, ViTPose, video masks. The only part of perception with torch."""
