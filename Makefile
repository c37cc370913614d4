# Each line is one over dev.py, for machines without make: python3 dev.py run
# More arguments: make test ARGS="-k reviewer"
.PHONY: run test proofs soak check bench lock setup
.DEFAULT_GOAL := run

run:
	@python3 dev.py run $(ARGS)

test:
	@python3 dev.py test $(ARGS)

proofs:
	@python3 dev.py proofs $(ARGS)

soak:
	@python3 dev.py soak $(ARGS)

check:
	@python3 dev.py check $(ARGS)

bench:
	@python3 dev.py bench $(ARGS)

lock:
	@python3 dev.py lock

setup:
	@python3 dev.py setup
