"""A body double for any shot: one picture and one video in, the same shot with the person replaced out."""

import os
from importlib.metadata import version

# Before numpy is loaded: OpenBLAS' threads wait for each other by spinning, which doubles the processor time of vectors
# as short as ours. What runs in parallel here are frames and networks.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Before OpenCV's first use, for the same reason: 4 % less processor time for a shot of the puppet.
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

__version__ = version("bodydouble")
