"""Descriptions of faults for users."""

import pytest

from bodydouble.renderers.wan.faults import describe_fault


@pytest.mark.parametrize(
    "words",
    [
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "NCCL error: unhandled cuda error, Cuda failure 2 'out of memory'",
    ],
)
def test_out_of_memory_messages_of_libraries_are_recognised(words: str) -> None:
    """cuDNN, cuBLAS and NCCL report it as RuntimeError, so the message decides."""
    assert describe_fault(RuntimeError(words)) == "the model's process ran out of memory"
