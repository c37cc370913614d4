"""A local server that speaks the OpenAI API, for machines without a key and for tests.

It plays each sample agent's part by reading the conversation it is sent. It is the outside world:
nothing here imports the application.
"""
