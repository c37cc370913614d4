"""Which shape of an execution's rows this code writes, and up to which it can read.

Raise it when code of the last release would misread what this one stores: a new key it must not
leave out in limits, definition, state or a step's response, or a key that means something else.
A runner claims no row of a later format and marks with its own what it claims; after a rollback
such rows wait, untouched, for the newer code.
"""

from __future__ import annotations

ROW_FORMAT = 1
