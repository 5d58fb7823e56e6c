"""Asks the way out for services that tell a cloud machine's keys, by number and by name."""

from attack import *

for port in (80, 443):
    must_be_refused(
        *(
            f"{host}:{port}"
            for host in (
                "169.254.169.254",
                "[fd00:ec2::254]",
                "2852039166",
                "0xa9fea9fe",
                "0251.0376.0251.0376",
                "169.254.43518",
                "[::ffff:169.254.169.254]",
                "[64:ff9b::a9fe:a9fe]",
                "100.100.100.200",
                "168.63.129.16",
                "metadata.google.internal",
                "metadata",
                "instance-data",
                "169.254.169.254.example.org",
            )
        )
    )
done()
