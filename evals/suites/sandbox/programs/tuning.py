"""A search for parameters, with its storage in a file."""

import optuna
from attack import *

optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(storage="sqlite:///study.db")
study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=5)
assert len(study.trials) == 5
done()
