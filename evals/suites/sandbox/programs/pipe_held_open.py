"""A daemon keeps the streams open, so that whoever reads them to their end would wait for it."""

import time
from attack import *

daemon("import time\nwhile True:\n    print('late', flush=True); time.sleep(0.01)")
time.sleep(0.1)
done()
