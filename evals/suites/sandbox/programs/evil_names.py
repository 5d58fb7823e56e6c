"""Names of artefacts that do something to a terminal, a shell or a page."""

from attack import *

os.chdir(os.fsencode(OUT))
for name in (
    b"\x1b[31mred",
    b"a\nb",
    "\u202egnp.exe".encode(),
    b"-rf",
    b"$(touch owned)",
    b"`id`",
    b"a;b",
    b"\xff\xfe",
    b"n" * 255,
    "e\u0301".encode(),
    b"..\\up",
    b"con",
    b" ",
    b"~",
    b"*",
    b"<b>",
):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    except OSError as error:
        print("refused", error)
done()
