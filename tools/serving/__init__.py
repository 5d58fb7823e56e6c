"""Predictions from a deliverable, made in a sandbox: the host loads no model."""
