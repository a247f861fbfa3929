"""The program ``bodydouble``, also as ``python -m bodydouble``."""

import sys

SUPPORTED_PLATFORM = "linux"


def main() -> None:
    """Run the command line. On an unsupported platform exit with one sentence, before an import fails."""
    if sys.platform != SUPPORTED_PLATFORM:
        sys.exit(
            "bodydouble runs on Linux (x86-64 and arm64). On macOS and Windows run it in a container or a virtual "
            "machine (WSL 2 on Windows); the Python client, bodydouble-client, runs everywhere."
        )
    from bodydouble.tasks.heavy_imports import heavy_imports

    with heavy_imports():
        from bodydouble.cli import app  # imports modules that exist on Linux alone

    app()


if __name__ == "__main__":
    main()
