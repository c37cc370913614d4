"""What tests stand on: the test database, real child processes, waiting, a browser."""
