"""Packages that code wishes for: which are allowed, where they come from, how they are shown inside."""
