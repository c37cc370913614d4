"""Rows: read them anywhere; only the engine and operations change them."""

from executions.models.breaker import AgentBreaker
from executions.models.control import (
    AgentAudit,
    AgentBudget,
    AgentControl,
    AgentRunner,
)
from executions.models.execution import AgentDefinition, AgentExecution
from executions.models.notification import AgentNotification
from executions.models.review import (
    AgentGatedTool,
    AgentReview,
    AgentReviewClaim,
    AgentReviewVote,
)
from executions.models.sealing import AgentAuditSeal, AgentAuditSealed, AgentInvariantCheck
from executions.models.step import AgentStep
from executions.models.tool_call import AgentToolCall

__all__ = [
    "AgentAudit",
    "AgentAuditSeal",
    "AgentAuditSealed",
    "AgentBreaker",
    "AgentBudget",
    "AgentControl",
    "AgentDefinition",
    "AgentExecution",
    "AgentGatedTool",
    "AgentInvariantCheck",
    "AgentNotification",
    "AgentReview",
    "AgentReviewClaim",
    "AgentReviewVote",
    "AgentRunner",
    "AgentStep",
    "AgentToolCall",
]
