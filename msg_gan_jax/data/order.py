"""Says which picture is shown when: number of a shown image -> index, flip."""
import threading

import numpy as np

# splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195). It stands
# here because the order must not change with the version of a library: a
# resumed run would show some pictures twice and others not at all. Neither
# numpy's Generator nor grain's shuffle promises that.
GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def mix(x: np.ndarray) -> np.ndarray:
  """Hashes uint64 [n] to uint64 [n], by the finalizer of splitmix64."""
  x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return x ^ (x >> np.uint64(31))


def bits(seed: int, stream: int, numbers: np.ndarray) -> np.ndarray:
  """Returns 64 random bits for every number.

  Args:
    seed, stream: other ones give other bits.
    numbers: ints [...], at least one axis.

  Returns:
    uint64 [...].
  """
  # Arrays of one value, because numpy warns when scalars overflow.
  key = np.array([seed & MASK], np.uint64)
  key = mix(mix(key + np.uint64(GOLDEN)) + np.array([stream], np.uint64))
  steps = np.asarray(numbers).astype(np.uint64) + np.uint64(1)
  return mix(key + steps * np.uint64(GOLDEN))


def permutation(count: int, seed: int, stream: int) -> np.ndarray:
  """Returns 0 .. count - 1 in random order, int64 [count]."""
  return np.argsort(bits(seed, stream, np.arange(count)), kind='stable')


class Order:
  """Maps numbers of images, counted from the start of training, to pictures.

  Epoch n // count shows every picture once, in an order of its own.

  Args:
    count: pictures in the source.
    seed: config.seed.
    mirror: whether half of the pictures are shown mirrored.
  """

  def __init__(self, count: int, seed: int, mirror: bool) -> None:
    self.count, self.seed, self.mirror = count, seed, mirror
    self._epochs: dict[int, np.ndarray] = {}
    self._lock = threading.Lock()

  def __call__(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps int [n, ...] to indices int32 and flips bool, both [n, ...]."""
    numbers = np.asarray(numbers, np.int64)
    epochs, positions = np.divmod(numbers, self.count)
    indices = np.empty(numbers.shape, np.int32)
    for epoch in np.unique(epochs):
      here = epochs == epoch
      indices[here] = self._epoch(int(epoch))[positions[here]]
    if not self.mirror:
      return indices, np.zeros(numbers.shape, bool)
    return indices, bits(self.seed, 0, numbers) >= np.uint64(2**63)

  def _epoch(self, epoch):
    with self._lock:  # Threads that read ahead ask at the same time.
      if epoch not in self._epochs:
        # Two are kept, because a batch may end one epoch and begin the next.
        last = list(self._epochs.items())[-1:]
        order = permutation(self.count, self.seed, 1 + epoch)
        self._epochs = dict(last) | {epoch: order.astype(np.int32)}
      return self._epochs[epoch]
