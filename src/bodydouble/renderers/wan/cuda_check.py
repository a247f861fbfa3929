"""Whether torch can compute on the GPU that the driver shows."""

import torch


def cuda_obstacle() -> str | None:
    """Why it cannot; None if it can. Imports torch and starts CUDA."""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} here is a build without CUDA; install one with it"
    try:
        torch.cuda.init()
    except RuntimeError as error:  # its first line says what the driver is too old for
        return f"torch {torch.__version__}, built for CUDA {torch.version.cuda}: {str(error).splitlines()[0]}"
    return None
