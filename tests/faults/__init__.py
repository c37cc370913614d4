"""Faults on purpose, and the proof that nothing is lost by them and nothing done twice.

`make test` runs the short form of everything here, `make proofs` the long one. docs/reliability.md
says which test shows which fault.
"""
