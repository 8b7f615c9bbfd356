# The two commands of the README are `make demo` and `make test`; each sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check-tests check-graders check-lint check-generated test-all test-slow test-long quick lint build audit crosscheck hub site site-parts lite-parts lock student-kit pictures clean

# each file of tests in one process, so that what its tests share is made once; tests/conftest.py sets the order
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder

# nbgrader looks for its helpers (alembic, jupyter) on PATH
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Python keeps what it compiles, whatever the caller's setting: the tests start hundreds of processes
export PYTHONDONTWRITEBYTECODE :=

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## virtual environment, pinned dependencies, bubblewrap
	@tools/setup.sh

demo: setup  ## build the course and grade a demo class, from hand-in to feedback
	@autograder build
	@autograder demo

# All at the same time: while a test waits for a process, a browser or a server, something else is computed. The audit
# says everything at its end, so that the dots of the tests stay readable.
test: setup  ## lint, generated files, the audit, and all tests that are neither heavy nor long
	@$(MAKE) --no-print-directory --jobs=4 check-tests check-graders check-lint check-generated

check-tests:
	@echo "• tests" && python -m pytest -q $(SPREAD) -m "not heavy and not long"

check-graders:
	@said=$$(autograder audit --readme README.md --check 2>&1); status=$$?; printf '%s\n' "• graders are graded" "$$said"; exit $$status

check-lint:
	@echo "• lint" && ruff check -q . && ruff format -q --check . && mypy --no-error-summary

check-generated:
	@echo "• generated files" && autograder build --check

test-slow: setup  ## the tests with browsers, servers, clusters and courses of their own; CI runs these after `make test`
	@python -m pytest -q $(SPREAD) -m "heavy and not long"

test-long: setup  ## every case where the others run a sample: all attacks at every level, the commands of the docs
	@python -m pytest -q $(SPREAD) -m long

test-all: test test-slow test-long  ## all of these

quick: setup  ## the tests that are not marked slow, in about a minute; PART=marking: those of one folder
	@python -m pytest -q $(SPREAD) -m "not slow and not heavy and not long" tests/$(PART)

lint: setup  ## style and types of the Python files
	@ruff check .
	@ruff format --check .
	@mypy

build: setup  ## source/ and assignments/ from reference/
	@autograder build

audit: setup  ## mutation tests of every question, and their table in the README
	@autograder audit --readme README.md

crosscheck: setup  ## install PyTorch too, so that the tests compare with it
	@python -m pip install --quiet --disable-pip-version-check torch==2.13.0

hub:  ## what students of a JupyterHub have, in .hub/, for the test that runs one (make test-all)
	@/usr/bin/python3 -m venv .hub
	@.hub/bin/pip install --quiet --disable-pip-version-check jupyterhub==6.1.1 jupyterlab==4.6.6 nbgrader==0.9.6
	@npm install --silent --no-fund --no-audit --prefix .hub configurable-http-proxy@5.3.0

lock: setup  ## renew requirements.lock
	@uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --upgrade --quiet --custom-compile-command "make lock" -o requirements.lock

student-kit: setup  ## the folder that students get, and its archive
	@autograder build --check
	@autograder kit

site: setup site-parts  ## the course for the browser, with Python inside, shown on http://127.0.0.1:8800
	@autograder site --to site --offline .npm
	@python -m http.server --bind 127.0.0.1 --directory site 8800

site-parts:  ## Pyodide, numpy for it, and axe, in .npm/ (needs npm)
	@npm install --silent --no-fund --no-audit --no-save --prefix .npm pyodide@0.27.8 \
		@emscripten-forge/numpy@2.0.1-py312h4e66579-0 axe-core@4.14.1

lite-parts: site-parts  ## JupyterLite, and what its kernel needs, for `autograder site --lite`
	@python -m pip install --quiet --disable-pip-version-check -e '.[site]'
	@python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.12 \
		--require-hashes -r autograder/site/kernel.txt -d .npm/wheels

pictures: setup  ## the pictures of the README (needs Chromium)
	@python tools/pictures.py

clean:  ## remove what the commands above made
	@rm -rf .venv demo build dist artefacts student-kit student-kit.zip *.egg-info
