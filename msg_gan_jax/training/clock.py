"""What depends on the clock in a record."""
from collections.abc import Callable
import time


class Clock:
  """Seconds of this start, and images a second since the last reading.

  Args:
    images: real images shown so far.
    trained: returns seconds of training, by which the images are divided: not
      those of compiling and measuring.
  """

  def __init__(self, images: int, trained: Callable[[], float]):
    self._first, self._trained = time.perf_counter(), trained
    self._last = trained(), images

  def read(self, images: int) -> dict[str, float]:
    (before, shown), self._last = self._last, (self._trained(), images)
    seconds = max(self._last[0] - before, 1e-9)
    return {'seconds': round(time.perf_counter() - self._first, 3),
            'images_per_second': round((images - shown) / seconds, 2)}
