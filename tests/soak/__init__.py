"""The soak: real processes under load while a monkey kills, freezes and restarts them.

`make soak` runs it. It knows nothing a test could not see from outside: rows, pages, and the
ledgers of the mail server and of the authority, which judge it in the end.
"""
