"""The only room that talks to an LLM vendor."""
