"""The places where code can run, one module each, and what they need of the machine."""
