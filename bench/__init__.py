"""What the engine costs and how quick it is: `python -m bench` prints one table.

Ratios within one run mean something; seconds of two runs do not. docs/benchmarks.md explains.
"""
