"""A thread that is no daemon and never ends."""

import threading
import time
from attack import *

threading.Thread(target=lambda: time.sleep(3600)).start()
done()
