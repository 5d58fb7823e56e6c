"""Talks to the host that its policy lists from eight threads and four processes at once."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from attack import *


def ask(_):
    line, status = connected(f"localhost:{TRAPS['door']}")
    return status == "200" and door_answers(line)


with ThreadPoolExecutor(8) as threads:
    print(sum(threads.map(ask, range(24))), "answers to threads")
with multiprocessing.get_context("fork").Pool(4) as processes:
    print(sum(processes.map(ask, range(12))), "answers to processes")
done()
