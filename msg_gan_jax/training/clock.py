"""What depends on the clock in a record."""
import time


class Clock:
  """Seconds of this start, and images a second since the last reading."""

  def __init__(self, images: int):
    self._first = self._last = time.perf_counter()
    self._images = images

  def read(self, images: int) -> dict[str, float]:
    now = time.perf_counter()
    shown, seconds = images - self._images, now - self._last
    self._images, self._last = images, now
    return {'seconds': round(now - self._first, 3),
            'images_per_second': round(shown / max(seconds, 1e-9), 2)}
