# `make demo` and `make test` do everything on a fresh machine with Python 3.11+, pip and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .bootstrap/bin/uv)
RUN := .venv/bin/
# Services and tests start many processes: what Python compiled once is kept, as it is by default.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-wan demo site gallery client reference test lint types bench serve screenshots format clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.bootstrap/bin/uv:
	$(PYTHON) -m venv .bootstrap
	.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv

# What the product needs; `installed` adds the tools of its developers, which are larger than the product.
.venv/product: pyproject.toml packages/client/pyproject.toml uv.lock | $(filter .bootstrap/bin/uv,$(UV))
	$(UV) sync --quiet --locked --inexact --python $(PYTHON) --no-dev
	@touch $@

.venv/installed: .venv/product
	$(UV) sync --quiet --locked --inexact --python $(PYTHON)
	@touch $@

setup: .venv/installed  ## make the virtual environment and fetch the model pack
	$(RUN)bodydouble models install

# pip and not uv: it also finds the wheels of torch that this machine keeps in a folder. The versions are the lock's.
.venv/installed-wan: .venv/installed
	$(UV) export --quiet --locked --extra wan --no-dev --no-emit-workspace --no-hashes --output-file .venv/wan.txt
	$(PYTHON) -m pip --python .venv/bin/python install --quiet --constraint .venv/wan.txt --editable '.[wan]'
	@touch $@

setup-wan: .venv/installed-wan  ## add torch and diffusers, for the GPU renderer and its tests

demo: .venv/product  ## start the real service, replace a person through it, say where the video is
	$(RUN)bodydouble demo

site: .venv/product  ## build the documentation site in docs/_site; a broken link is an error
	$(UV) sync --quiet --locked --inexact --no-dev --group docs
	$(RUN)sphinx-build --quiet --fail-on-warning --keep-going docs docs/_site

gallery: .venv/installed  ## draw the pictures of docs/gallery.md
	PYTHONPATH=tests $(RUN)python tools/make_gallery.py docs/gallery

client: .venv/installed  ## generate the blocking Python client, and the parameters of both from the declared inputs
	$(RUN)python tools/generate_client_options.py
	$(RUN)python tools/generate_sync_client.py

reference: .venv/installed  ## generate docs/settings.md from the settings, and the tables of docs/media.md
	$(RUN)python tools/generate_settings_reference.py
	$(RUN)python tools/generate_media_tables.py

test: .venv/installed  ## run every test that this machine can run
	$(RUN)pytest -n auto --dist loadfile

lint: .venv/installed  ## style, complexity, sizes, import directions and deploy files
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)lint-imports
	$(RUN)python .ci/size_limits.py
	$(RUN)hadolint deploy/Dockerfile
	$(RUN)check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/compose.gpu.yaml
	$(RUN)check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

types: .venv/installed-wan  ## pyright, strict
	$(RUN)pyright

bench: .venv/installed-wan  ## every benchmark, short
	for script in bench/*.py; do $(RUN)python $$script --quick; done

serve: .venv/product  ## the API, its database and one worker on this machine
	$(RUN)bodydouble serve

screenshots: .venv/installed  ## every page of the console, in both themes and three sizes (needs Debian's chromium)
	PYTHONPATH=tests $(RUN)python tests/browser/take_screenshots.py screenshots-out docs/screenshots

format: .venv/installed  ## apply the formatter and the safe fixes
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

clean:  ## remove what the other targets made
	rm -rf .venv .bootstrap .pytest_cache .ruff_cache demo-out
