"""What fuzzers share: how examples are drawn, counted and timed."""
import contextlib
import pathlib
import re
import resource
import time

import hypothesis
from hypothesis import strategies as st

from msg_gan_jax.config import errors

# Fixed, for a suite that fails by chance is not read; nothing is kept.
SETTINGS = dict(
    derandomize=True, database=None, deadline=None,  # `Count` has one.
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck))

PARTS = st.floats(0, 1)  # A place in a file or a text, by its share.


class Count:
  """How many examples ended how, and how long the longest computed.

  Of this process alone, so that other programs do not count; what waits for
  ever ends with the process.
  """

  def __init__(self):
    self.accepted, self.refused, self.longest = 0, 0, 0.

  @contextlib.contextmanager
  def one(self, pattern):
    """One example; a ValueError whose text has the pattern is an answer.

    A subclass of another library, such as UnicodeDecodeError, is none.
    """
    start = time.process_time()
    try:
      yield
    except ValueError as error:
      if errors.kind(error) != 'ValueError' or not re.search(
          pattern, str(error)):
        raise
      self.refused += 1
    else:
      self.accepted += 1
    self.longest = max(self.longest, time.process_time() - start)

  def report(self):
    return {'examples': self.accepted + self.refused,
            'refused': self.refused, 'accepted': self.accepted,
            'longest_s': round(self.longest, 2),
            'peak_gb': round(peak() / 1e9, 2)}


def peak():
  """Bytes of memory at most; getrusage's begin with those of the parent."""
  with contextlib.suppress(FileNotFoundError):  # Linux has it.
    status = pathlib.Path('/proc/self/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # As on a Mac.


def given(examples, **strategies):
  """A function of what hypothesis draws, called `examples` times."""
  def run(function):
    hypothesis.settings(max_examples=examples, **SETTINGS)(
        hypothesis.given(**strategies)(function))()
  return run


def place(data, part):
  return min(int(part * len(data)), len(data))
