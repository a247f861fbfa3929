"""Skips tests that need the optional dependencies ``wan`` if torch is not installed."""

import importlib.util

NEEDS_TORCH = [
    "test_approximate_attention.py",
    "test_attention_choice.py",
    "test_bench_cpu.py",
    "test_bench_gpu.py",
    "test_conditions.py",
    "test_forward.py",
    "test_loaded.py",
    "test_loading.py",
    "test_lora.py",
    "test_memory.py",
    "test_ranks.py",
    "test_renderer.py",
    "test_sampling.py",
    "test_segment.py",
    "test_step_cache.py",
    "test_block_offload.py",
]

collect_ignore = [] if importlib.util.find_spec("torch") else NEEDS_TORCH
