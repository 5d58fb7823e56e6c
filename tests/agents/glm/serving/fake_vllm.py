#!/usr/bin/env python3
"""Plays `vllm serve`: with FAKE_VLLM it listens, dies, hangs, mumbles, or ignores SIGTERM; with `child` it leaves a process behind."""

import http.server
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Page(http.server.BaseHTTPRequestHandler):
    """Answers /health."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Print nothing."""


def listen(port: int) -> None:
    say("INFO Loading safetensors checkpoint shards:  50% Completed")
    http.server.HTTPServer(("127.0.0.1", port), Page).serve_forever()


def main(words: list[str]) -> None:
    if words[0] == "kill":  # as `docker kill NAME`
        Path("killed").write_text(words[1])
        return
    behaviour = os.environ["FAKE_VLLM"]
    port = int(words[words.index("--port") + 1])
    if behaviour == "dies":
        say("\x1b[31mERROR\x1b[0m torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
        sys.exit(1)
    if behaviour == "hangs":
        time.sleep(600)
    if "ignores" in behaviour:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "child" in behaviour:
        child = subprocess.Popen(
            [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
        )
        say(f"child {child.pid}")
    listen(port)


main(sys.argv[1:])
