"""What whoever waits is told of a fault."""

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
def test_each_library_has_its_own_words_for_too_little_memory(words: str) -> None:
    """They are errors of no kind of their own."""
    assert describe_fault(RuntimeError(words)) == "the model's process ran out of memory"
