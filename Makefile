# make repro   the whole pipeline: data, models, metrics, plots
# make test    lint and tests, some minutes
# make verify  long checks in a small form: stages killed half-way, a Dask cluster; FULL=1 with the full counts
# make checkpoint   fetch a pretrained encoder: make checkpoint SOURCE=microsoft/wavlm-base-plus (docs/transformers.md)
# make tune    search for better parameters, a DVC experiment a trial: make tune TRIALS=20 MODEL=svm_rbf;
#              HOURS=2 ends after so long, and the same command goes on
# make experiments  a table and a chart of all experiments
# make ablation  what each part brings, with intervals, beside a random split: make ablation
#              OVERRIDES="ravdess raw.path=/data/corpora"; ONLY="features full" prints one variant;
#              VARIANTS=benchmarks/ablation_strong.yaml: what the strong settings owe to each part
# make corpus  fetch a published corpus: make corpus NAME=ravdess; without NAME: list them
# make collect speech from the web: fetch and cut the sources of data/sources.csv (docs/collecting.md)
# make pr-report  what this branch changes, with intervals: reports/pr.md; BASE=main, MODEL=ensemble
# make gate    fail if MODEL=ensemble has become worse than on BASE=main, beyond chance
# make bench   speed and memory of prepare, evaluate, overview and report, of the features beside librosa, openSMILE and
#              asrfront, of the LSTM's epochs beside the usual ways, where the time of a network's fit goes, predictions,
#              and of a timeline (by a model that `make repro` has trained); with BENCH="--audio folder" the features are
#              those of real speech
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
# the stages run whatever `python` comes first
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help repro test verify checkpoint tune experiments ablation corpus collect pr-report gate bench lint
help:
	@sed -n 's/^# make/make/p; s/^#   /   /p' Makefile

repro: $(VENV)/.installed
	@echo "using $(VENV)"
	@ser compare-machine
	dvc repro

test: $(VENV)/.installed-dev lint
	@echo "using $(VENV)"
	# a process a core, whose threads would only wait for those of the other
	OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 python -m pytest -n auto

verify: $(VENV)/.installed-dev
	# one after another they take longer than half an hour on two cores
	FULL=$(FULL) python -m pytest -m verify -n auto

checkpoint: $(VENV)/.installed-transformers
	$(if $(SOURCE),,$(error name a checkpoint: make checkpoint SOURCE=microsoft/wavlm-base-plus))
	ser checkpoint '$(SOURCE)' '$(or $(FOLDER),data/pretrained/$(notdir $(SOURCE)))'

tune: $(VENV)/.installed-tune
	@ser compare-machine
	ser tune $(if $(TRIALS),--trials $(TRIALS)) $(if $(MODEL),--model $(MODEL)) $(if $(HOURS),--hours $(HOURS))

experiments: $(VENV)/.installed
	ser experiments $(EXPERIMENTS)

ablation: $(VENV)/.installed
	@ser compare-machine
	ser ablation $(OVERRIDES) $(if $(VARIANTS),--file '$(VARIANTS)') $(if $(ONLY),--only '$(ONLY)')

corpus: $(VENV)/.installed
	ser corpus $(or $(NAME),--list) $(if $(URL),--url $(URL))

collect: $(VENV)/.installed-collect
	ser collect

BASE ?= main

pr-report: $(VENV)/.installed
	@ser pr-report --base '$(BASE)' --model '$(MODEL)' --images '$(IMAGES)'

# `ser gate` tells "worse" (1) from "nothing compared" (2); make itself always fails with 2
gate: $(VENV)/.installed
	@ser gate --base '$(BASE)' --model '$(MODEL)'

bench: $(VENV)/.installed-bench
	$(VENV)/bench/bin/python benchmarks/features.py $(BENCH)
	$(VENV)/bench/bin/python benchmarks/prepare.py
	$(VENV)/bench/bin/python benchmarks/evaluate.py
	$(VENV)/bench/bin/python benchmarks/clip_map.py
	$(VENV)/bench/bin/python benchmarks/lstm.py
	$(VENV)/bench/bin/python benchmarks/training.py
	$(VENV)/bench/bin/python benchmarks/prediction.py
	$(VENV)/bench/bin/python benchmarks/timeline.py

lint: $(VENV)/.installed-dev
	ruff check
	ruff format --check
	mypy

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "error: Python 3.11 to 3.13 is needed, %s is %s; name another with PYTHON=…" % (sys.executable, sys.version.split()[0]))'
	@echo "installing the pinned requirements into $(VENV) (several GB, some minutes)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt -e . -c constraints.txt
	@touch $@

# an extra of pyproject.toml: dev, collect, transformers, tune
$(VENV)/.installed-%: $(VENV)/.installed
	@echo "installing what [$*] of pyproject.toml names into $(VENV)"
	@$(PIP) -r requirements.txt -e '.[$*]' -c constraints.txt
	@touch $@

# openSMILE pulls in packages that change how pandas works: it gets an environment of its own that sees the other one
$(VENV)/.installed-bench: $(VENV)/.installed
	@echo "installing openSMILE and asrfront into $(VENV)/bench"
	@$(VENV)/bin/python -m venv $(VENV)/bench
	@$(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(VENV)/bench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pipeline.pth
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]' -c constraints.txt
	@touch $@
