"""Pickles a class that the program defines, and reads it back, also in a child."""

import pickle
from attack import *


class Model:
    def __init__(self):
        self.weights = [1, 2]


assert pickle.loads(pickle.dumps(Model())).weights == [1, 2]
done()
