"""What a process that opens strangers' files is told of the environment: nothing that opens a door.

The service's own has the database's address, the secret that signs links, a bucket's keys, and whatever else the
machine's owner keeps there. Only what is named here is handed on, so that what nobody thought of is not.
"""

import os
from collections.abc import Mapping

NAMES = frozenset(
    # Where programs, homes, caches and compilers are.
    {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX"}
    | {"CC", "CXX", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"}
    | {"HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "BODYDOUBLE_MODELS"}
    | {"LANG", "LANGUAGE", "TZ"}
)
PREFIXES = (
    *("LC_", "LD_", "MALLOC_", "PYTHON", "XDG_"),
    # How the numerical libraries share cores and cards.
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "TF_CPP_", "TF_ENABLE_"),
    *("CUDA", "CUBLAS_", "CUDNN_", "NVIDIA_", "NCCL_", "GLOO_", "TORCH", "PYTORCH_", "TRITON_"),
    # Limits on media, of which our command line asks the settings.
    *("BODYDOUBLE_IMAGE_", "BODYDOUBLE_VIDEO_"),
)


def child_environment(further: Mapping[str, str]) -> dict[str, str]:
    """The environment for such a process, with ``further`` variables beside ours or in their place."""
    ours = {
        name: value for name, value in os.environ.items() if name.upper() in NAMES or name.upper().startswith(PREFIXES)
    }
    return ours | dict(further)
