"""Renderers, which replace the person. They do not know each other; one protocol is in front of them."""
