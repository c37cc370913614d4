"""Each protection switched off, one at a time, in a copy of the source: the suite must fail.

    python -m tests.mutants                  all of them, and the table for docs/reliability.md
    python -m tests.mutants token cancel     some of them

A protection whose loss no test notices is a finding. The switch is a patch: the product has none.
"""
