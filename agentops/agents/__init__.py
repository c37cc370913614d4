"""This site's agents, one file each. A new file takes effect when it is named here."""

from agentops.agents import compliance_document_generator, customer_record_steward

__all__ = ["compliance_document_generator", "customer_record_steward"]
