"""How we know that a sandbox holds: a suite of hostile and innocent programs, traps on the host, and a judge of reports."""
