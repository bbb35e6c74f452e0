"""The colours of the drawn heads."""
import numpy as np


def rgb(*codes: str) -> np.ndarray:
  """Returns float32 [n, 3] in 0..1 of n colours such as 'a9dcf2'."""
  rows = [[int(c[i:i + 2], 16) for i in (0, 2, 4)] for c in codes]
  return np.asarray(rows, np.float32) / 255


# Rows in the order of the factor's values in avatars.FACTORS.
PALETTE: dict[str, np.ndarray] = {
    'background': rgb('a9dcf2', 'b9e8cb', 'd3c8f5', 'fde59a', 'f9bfcd',
                       '6fbfb8'),
    'skin': rgb('ffdcc4', 'f3bf98', 'd99a6a', 'ad7048', '80503a'),
    'hair_colour': rgb('2b2633', '54342c', 'b0452c', 'f2c14e', 'e0662a',
                        'cfd3dc', 'ef6fa0', '3e86c8'),
    'eye_colour': rgb('4a2c1f', '2f6fb0', '3c8a5a'),
    'shirt': rgb('f6f5ef', '2f4a80', 'e2553f', '3f9a70', 'f0ae33', '8059ab'),
    'accent': rgb('d9433f', '2c4a86', 'f2b233', '2f9579'),
}
INK = rgb('2a2430')[0]
WHITE = rgb('ffffff')[0]
GOLD = rgb('f6c137')[0]
