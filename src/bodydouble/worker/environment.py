"""The environment of processes that open untrusted files: no secrets.

The service's environment contains the database's address, the signing secret, a bucket's keys, and possibly more. Only
the variables listed here are passed on, so that an unknown secret is not.
"""

import os
from collections.abc import Mapping

NAMES = frozenset(
    # Locations of programs, homes, caches and compilers.
    {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX"}
    | {"CC", "CXX", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"}
    | {"HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "BODYDOUBLE_MODELS"}
    | {"LANG", "LANGUAGE", "TZ"}
)
PREFIXES = (
    *("LC_", "LD_", "MALLOC_", "PYTHON", "XDG_"),
    # How numerical libraries use cores and GPUs.
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "TF_CPP_", "TF_ENABLE_"),
    *("CUDA", "CUBLAS_", "CUDNN_", "NVIDIA_", "NCCL_", "GLOO_", "TORCH", "PYTORCH_", "TRITON_"),
    # Limits on media, which our command line reads from the settings.
    *("BODYDOUBLE_IMAGE_", "BODYDOUBLE_VIDEO_"),
)


def child_environment(further: Mapping[str, str]) -> dict[str, str]:
    """The environment for such a process. ``further`` variables are added, or replace ours."""
    ours = {
        name: value for name, value in os.environ.items() if name.upper() in NAMES or name.upper().startswith(PREFIXES)
    }
    return ours | dict(further)
