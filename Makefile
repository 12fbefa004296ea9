# make repro   the whole pipeline: data, models, metrics, plots
# make test    lint and tests, some minutes
# make verify  long checks in a small form: stages killed half-way, a Dask cluster; FULL=1 with the full counts
# make checkpoint   fetch a pretrained encoder: make checkpoint SOURCE=microsoft/wavlm-base-plus (docs/transformers.md)
# make tune    search for better parameters, a DVC experiment a trial: make tune TRIALS=20 MODEL=svm_rbf
# make experiments  a table and a chart of all experiments
# make ablation  what each part brings, with intervals, beside a random split: make ablation
#              OVERRIDES="ravdess raw.path=/data/corpora"; ONLY="features full" prints one variant
# make corpus  fetch a published corpus: make corpus NAME=ravdess; without NAME: list them
# make collect speech from the web: fetch and cut the sources of data/sources.csv (docs/collecting.md)
# make pr-report  what this branch changes, with intervals: reports/pr.md; BASE=main, MODEL=ensemble
# make gate    fail if MODEL=ensemble has become worse than on BASE=main, beyond chance
# make bench   speed and memory of prepare, evaluate and report, of the features beside librosa and openSMILE, and of the
#              LSTM's epochs beside the usual ways; with BENCH="--audio folder" the features are those of real speech
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
	@python -m ser.commands.compare_machine
	dvc repro

test: $(VENV)/.installed-dev lint
	@echo "using $(VENV)"
	# a process a core, whose threads would only wait for those of the other
	OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 python -m pytest -n auto

verify: $(VENV)/.installed-dev $(VENV)/.installed-dask
	FULL=$(FULL) python -m pytest -m verify

checkpoint: $(VENV)/.installed-transformers
	$(if $(SOURCE),,$(error name a checkpoint: make checkpoint SOURCE=microsoft/wavlm-base-plus))
	python -m ser.commands.fetch_checkpoint '$(SOURCE)' '$(or $(FOLDER),data/pretrained/$(notdir $(SOURCE)))'

tune: $(VENV)/.installed-tune
	@python -m ser.commands.compare_machine
	python -m ser.commands.tune $(if $(TRIALS),--trials $(TRIALS)) $(if $(MODEL),--model $(MODEL))

experiments: $(VENV)/.installed
	python -m ser.commands.list_experiments $(EXPERIMENTS)

ablation: $(VENV)/.installed
	@python -m ser.commands.compare_machine
	python -m ser.commands.run_ablation $(OVERRIDES) $(if $(ONLY),--only '$(ONLY)')

corpus: $(VENV)/.installed
	python -m ser.commands.fetch_corpus $(or $(NAME),--list) $(if $(URL),--url $(URL))

collect: $(VENV)/.installed-collect
	python -m ser.commands.collect

BASE ?= main

pr-report: $(VENV)/.installed
	@python -m ser.commands.report_pull_request --base '$(BASE)' --model '$(MODEL)' --images '$(IMAGES)'

# make itself always fails with 2; `python -m ser.commands.gate_pull_request` tells "worse" (1) from "nothing compared" (2)
gate: $(VENV)/.installed
	@python -m ser.commands.gate_pull_request --base '$(BASE)' --model '$(MODEL)'

bench: $(VENV)/.installed-bench
	$(VENV)/bench/bin/python benchmarks/features.py $(BENCH)
	$(VENV)/bench/bin/python benchmarks/prepare.py
	$(VENV)/bench/bin/python benchmarks/evaluate.py
	$(VENV)/bench/bin/python benchmarks/lstm.py

lint: $(VENV)/.installed-dev
	ruff check
	ruff format --check

$(VENV)/.installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "error: Python 3.11 to 3.13 is needed, %s is %s; name another with PYTHON=…" % (sys.executable, sys.version.split()[0]))'
	@echo "installing the pinned requirements into $(VENV) (several GB, some minutes)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt -c constraints.txt
	@echo '$(CURDIR)/stages' > "$$($(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ser.pth"
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-collect.txt requirements-transformers.txt \
		requirements-tune.txt $(VENV)/.installed
	@echo "installing the test tools into $(VENV)"
	@$(PIP) -r requirements-dev.txt -c constraints.txt
	@touch $@

$(VENV)/.installed-collect: requirements-collect.txt $(VENV)/.installed
	@echo "installing yt-dlp, PyAV and Silero VAD into $(VENV)"
	@$(PIP) -r requirements-collect.txt -c constraints.txt
	@touch $@

$(VENV)/.installed-transformers: requirements-transformers.txt $(VENV)/.installed
	@echo "installing transformers into $(VENV)"
	@$(PIP) -r requirements-transformers.txt -c constraints.txt
	@touch $@

$(VENV)/.installed-tune: requirements-tune.txt $(VENV)/.installed
	@echo "installing Optuna into $(VENV)"
	@$(PIP) -r requirements-tune.txt -c constraints.txt
	@touch $@

$(VENV)/.installed-dask: requirements-dask.txt $(VENV)/.installed
	@echo "installing Dask into $(VENV)"
	@$(PIP) -r requirements-dask.txt -c constraints.txt
	@touch $@

# openSMILE pulls in packages that change how pandas works: it gets an environment of its own that sees the other one
$(VENV)/.installed-bench: requirements-bench.txt $(VENV)/.installed
	@echo "installing openSMILE into $(VENV)/bench"
	@$(VENV)/bin/python -m venv $(VENV)/bench
	@$(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(VENV)/bench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pipeline.pth
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt -c constraints.txt
	@touch $@
