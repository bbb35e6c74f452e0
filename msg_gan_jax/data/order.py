"""Which picture is shown when: numbers of shown images -> indices, flips."""
import threading

import numpy as np

# splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195). Our own
# and not numpy's Generator, whose streams may change with numpy's version:
# a resumed run would show some pictures twice and others not at all.
GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def mix(x):
  """uint64 [n] -> uint64 [n]; the finalizer of splitmix64."""
  x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return x ^ (x >> np.uint64(31))


def bits(seed, stream, numbers):
  """64 random bits for every number: int [...] -> uint64 [...], not scalars."""
  # Arrays of one, since numpy warns of overflow in scalars only.
  key = np.array([seed & MASK], np.uint64)
  key = mix(mix(key + np.uint64(GOLDEN)) + np.array([stream], np.uint64))
  steps = np.asarray(numbers).astype(np.uint64) + np.uint64(1)
  return mix(key + steps * np.uint64(GOLDEN))


def permutation(count, seed, stream):
  """int64 [count]: 0 .. count - 1, each once."""
  return np.argsort(bits(seed, stream, np.arange(count)), kind='stable')


class Order:
  """Image number n, counted from the start of training, -> which picture.

  Epoch n // count shows every picture once, in an order of its own.

  Args:
    count: pictures in the source.
    seed: config.seed.
    mirror: whether half of the pictures are shown mirrored.
  """

  def __init__(self, count, seed, mirror):
    self.count, self.seed, self.mirror = count, seed, mirror
    self._epochs, self._lock = {}, threading.Lock()

  def __call__(self, numbers):
    """int [n, ...] -> (indices int32 [n, ...], flips bool [n, ...])."""
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
    with self._lock:  # Threads that prefetch ask at the same time.
      if epoch not in self._epochs:
        # Two are kept: a batch may end one epoch and begin the next.
        last = list(self._epochs.items())[-1:]
        order = permutation(self.count, self.seed, 1 + epoch)
        self._epochs = dict(last) | {epoch: order.astype(np.int32)}
      return self._epochs[epoch]
