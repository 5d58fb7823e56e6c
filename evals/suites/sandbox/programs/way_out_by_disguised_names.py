"""Asks the way out for the listed host by names that mean it only to whoever tidies them up; upper case alone is the same name."""

from attack import *

door = TRAPS["door"]
must_be_refused(
    *(
        f"{name}:{door}"
        for name in (
            "localhost.",
            "localhost..",
            ".localhost",
            "local_host",
            "local@host",
            "local%68ost",
            "localhos%74",
            "local\x00host",
            "localhost\x00.example.com",
            "loc\u0430lhost",
            "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
            "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
            "loca\u2113host",
            "local\u00adhost",
            "local\u200bhost",
            "xn--localhost-",
            "localho\u017ft",
            "user@localhost",
            "user:word@localhost",
            f"localhost:{door}@localhost",
            "localhost#",
            "localhost?",
            "localhost/",
            "http://localhost",
            "//localhost",
            "[localhost]",
            "(localhost)",
            "localhost,example.com",
            "localhost;x",
            "'localhost'",
            "localhost\t",
            "x" * 300 + ".localhost",
        )
    )
)
line, status = connected(f"LocalHost:{door}")
print("upper case", status, door_answers(line))
done()
