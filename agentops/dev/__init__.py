"""What `make run` and `make test` need on a developer's machine."""
