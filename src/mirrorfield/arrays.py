"""Array aliases used in signatures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
F32Array = NDArray[np.float32]

STATES = ("calm", "engaged", "hooked")
S = len(STATES)
