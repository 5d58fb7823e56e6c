"""An exception that raises another when it is asked what it is."""


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


raise Odd
