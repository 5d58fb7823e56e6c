"""Says a word now and then, so that nobody thinks that it hangs, and never ends."""

import time

while True:
    print("still fitting", flush=True)
    time.sleep(0.1)
