"""Asks a question: nobody is there, and it learns that at once."""

input("? ")
