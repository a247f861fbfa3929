"""``python -m bodydouble``."""

from bodydouble.cli import app

if __name__ == "__main__":
    app()
