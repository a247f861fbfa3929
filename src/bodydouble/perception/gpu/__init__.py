"""Perception with models of transformers: detection, pose, video masks. The only part of perception that uses torch."""
