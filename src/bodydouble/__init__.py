"""A body double for any shot: one picture and one video in, the same shot with the person replaced out."""

__version__ = "0.1.0"
