"""`python -m open_autoglm`: the same as `autoglm`."""

import sys

from open_autoglm.cli import main

sys.exit(main())
