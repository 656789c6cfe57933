"""How annotations name the shapes of arrays: `Bool[np.ndarray, "plane step pitch"]`, by jaxtyping.

The tests check shapes at run time. Using the program does not need that, nor jaxtyping, which takes a tenth of a second
to load: it counts where somebody has loaded it before.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Int8
else:
    if sys.modules.get("jaxtyping") is not None:
        from jaxtyping import Bool, Float, Int, Int8
    else:

        class _Array:
            """Stands for an array of any shape."""

            def __class_getitem__(cls, shape: Any) -> type:
                return cls

        Bool = Float = Int = Int8 = _Array

__all__ = ["Bool", "Float", "Int", "Int8"]
