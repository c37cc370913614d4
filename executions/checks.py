"""System checks: what would break a promise is refused at boot."""
