"""The design's promises, verified on a live database: `verify()` for code, a command for people."""

from executions.invariants.rule import Ledger, Seal, Violation
from executions.invariants.verifying import GRACE_S, INVARIANTS, Verified, verify

__all__ = ["GRACE_S", "INVARIANTS", "Ledger", "Seal", "Verified", "Violation", "verify"]
