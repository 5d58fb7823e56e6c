"""Changes what Python and the libraries do; only its own process is changed."""

import builtins
import json
import sklearn.metrics
from attack import *

sklearn.metrics.roc_auc_score = lambda *a, **k: 1.0
builtins.print = lambda *a, **k: None
json.dumps = lambda *a, **k: '{"status": "ok"}'
sys.exit = lambda *a: None
os._exit(5)
