"""Open-AutoGLM: a sentence and data in, a verified machine-learning model out.

The code lives in the folders at the root of the repository; the links beside this file give them their import name
(docs/decisions/0001-import-name.md):

    agents   ->  open_autoglm.agents     who decides: state machine, search, strategists, budget, journal
    sandbox  ->  open_autoglm.sandbox    where generated code runs: the contract and its backends
    tools    ->  open_autoglm.tools      what the agents use: task, data, metrics, tuning, export, serving
    evals    ->  open_autoglm.evals      how we know it works: suites and their runner
"""
