"""Describe a fault of the networks for people. Imports no torch: its errors are recognised by name."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "_STATUS_ALLOC_FAILED")


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` reports missing memory. cuDNN, cuBLAS and NCCL raise plain RuntimeError for it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"OutOfMemoryError", "MemoryError"}) or any(words in str(error) for words in _NO_MEMORY)


def describe_fault(error: BaseException) -> str:
    """A clause without a full stop. Unknown errors are named by type; the log has the rest."""
    text = str(error)
    names = {kind.__name__ for kind in type(error).__mro__}
    if ran_out_of_memory(error):
        return "the model's process ran out of memory" + _wanted(text)
    if "AcceleratorError" in names or "CUDA error" in text:
        return f"the GPU reported an error ({text.splitlines()[0]})"
    return f"the model's process failed ({type(error).__name__})"


def _wanted(text: str) -> str:
    """The amount of memory that torch tried to allocate, if its message has that sentence."""
    sentence = next((s.strip() for s in text.split(". ") if s.strip().startswith("Tried to allocate")), "")
    return f" (it {sentence[0].lower()}{sentence[1:]})" if sentence else ""
