"""The GPU renderer: Wan2.2-Animate-14B over diffusers' modules, segment by segment."""
