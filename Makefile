# Every target sets up what it needs in .venv first: no root, nothing outside this folder but caches and data.

MINUTES ?= 5
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The first of these that runs and is new enough: a name on the PATH may be a shim with nothing behind it.
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
NEW_ENOUGH := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# A .venv from another folder would run the code of that folder; one without its Python would run nothing.
STALE := $(shell test -x $(PY) && grep -qsxF '$(CURDIR)' .venv/made || echo stale)

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: help demo test test-slow lint bench site stale

help:
	@echo 'make demo        train a GAN on CIFAR-10 for MINUTES=$(MINUTES) and write its report'
	@echo 'make test        the quick tests'
	@echo 'make test-slow   the others: real trainings, every example'
	@echo 'make lint        ruff and mypy'
	@echo 'make bench       speed, beside Keras on the same machine'
	@echo 'make site        the documentation as a site, in site/'
	@echo 'PYTHON=...       the Python (3.11 or newer) that .venv is made with'

demo: .venv/ready
	.venv/bin/ganvas train quick --minutes $(MINUTES)

# Two at a time: one test keeps one core busy. Files stay whole, for what their tests share.
test: .venv/ready-dev
	$(PY) -m pytest -n 2 --dist loadfile

test-slow: .venv/ready-dev
	$(PY) -m pytest -m slow

lint: .venv/ready-dev
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

bench: .venv/ready
	$(PY) benchmarks/bench.py

site: .venv/ready-docs
	@PYTHONPATH=tools $(PY) -m docsite

# -- set-up --

.venv/made: $(STALE)
	@for python in $(PYTHONS); do \
	    "$$python" -c '$(NEW_ENOUGH)' 2>/dev/null || continue; \
	    echo "setting up .venv with $$python (a few minutes the first time)" >&2; \
	    exec "$$python" -m venv --clear .venv; \
	done; \
	echo 'ganvas needs Python 3.11 or newer with venv (tried: $(PYTHONS)): install it, or name it: make PYTHON=/path/to/python3' >&2; \
	exit 1
	@$(PIP) setuptools
	@echo '$(CURDIR)' >$@

.venv/ready: .venv/made pyproject.toml constraints.txt
	@$(PIP) --no-build-isolation -e '.[metrics]'
	@touch $@

.venv/ready-docs: .venv/made pyproject.toml constraints.txt
	@$(PIP) --no-build-isolation -e '.[metrics,docs]'
	@touch .venv/ready $@

.venv/ready-dev: .venv/made pyproject.toml constraints.txt tools/chromium.sh
	@$(PIP) --no-build-isolation -e '.[dev]'
	@sh tools/chromium.sh .venv/chromium >/dev/null || true
	@touch .venv/ready .venv/ready-docs $@
