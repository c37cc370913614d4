"""Who may log in: the user model and the logins of a demonstration."""
