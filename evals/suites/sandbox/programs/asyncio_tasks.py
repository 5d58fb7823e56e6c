"""Tasks, a child process and a thread of asyncio."""

import asyncio
from attack import *


async def main():
    child = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    assert out == b"hello\n"
    assert await asyncio.gather(*(asyncio.to_thread(abs, -x) for x in range(3))) == [0, 1, 2]


asyncio.run(main())
done()
