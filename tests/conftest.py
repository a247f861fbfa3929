"""What several rooms' tests share."""

import os
from pathlib import Path

import pytest

from bodydouble.perception import ModelPack, install_pack

pytest_plugins = ["databases", "buckets"]

# Test files run beside each other, or beside something else: threads of OpenMP that wait for each other then only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def model_pack() -> ModelPack:
    """The perception models: from the folder that BODYDOUBLE_MODELS names, else the user's cache, else fetched."""
    folder = os.environ.get("BODYDOUBLE_MODELS")
    return install_pack(Path(folder) if folder else None)
