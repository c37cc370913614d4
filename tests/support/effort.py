"""How long a proof may take: `make test` runs the short form, `make proofs` the long one."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`is_long`: the counts of the release proof. `seed`: of what is random, printed by pytest."""

    is_long: bool
    seed: int

    def times(self, *, short: int, long: int) -> int:
        """Return how often to repeat."""
        return long if self.is_long else short

    def rng(self, *place: object) -> random.Random:
        """Return the random numbers of one place (a test, a schedule): the same for one seed."""
        return random.Random(f"{self.seed}:{place}")
