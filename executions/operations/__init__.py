"""What people do: one keyword-only function per button.

Each commits everything it changes in one transaction, is safe against double use, and refuses
with an exception whose message a person can read.
"""

from executions.operations.asking import ask
from executions.operations.batching import approve_together
from executions.operations.cancelling import cancel
from executions.operations.claiming import claim, release, take_over
from executions.operations.comparing import outdated
from executions.operations.deciding import decide, settle
from executions.operations.editing import edit
from executions.operations.launching import Launched, launch
from executions.operations.refusals import Refusal
from executions.operations.restoring import distrust
from executions.operations.retrying import effects_done, retry
from executions.operations.switching import kill, lift, pause
from executions.operations.withdrawing import withdraw

__all__ = [
    "Launched",
    "Refusal",
    "approve_together",
    "ask",
    "cancel",
    "claim",
    "decide",
    "distrust",
    "edit",
    "effects_done",
    "kill",
    "launch",
    "lift",
    "outdated",
    "pause",
    "release",
    "retry",
    "settle",
    "take_over",
    "withdraw",
]
