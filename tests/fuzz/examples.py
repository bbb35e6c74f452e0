"""What fuzzers share: how examples are drawn, counted and timed."""
import contextlib
import pathlib
import re
import resource
import signal
import time
import traceback

import hypothesis
from hypothesis import strategies as st

from msg_gan_jax.config import errors

# By a seed, for a suite that fails by chance is not read; nothing is kept.
SETTINGS = dict(
    database=None, deadline=None,  # `Count` has one.
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck))
SECONDS, GIGABYTES = 10, 4  # The most that one example, and all of them, take.

PARTS = st.floats(0, 1)  # A place in a file or a text, by its share.
ALARMS = ((signal.SIGPROF, signal.ITIMER_PROF, SECONDS),
          (signal.SIGALRM, signal.ITIMER_REAL, 6 * SECONDS))


class LateError(BaseException):
  """An example took longer than SECONDS."""


class Count:
  """How many examples ended how, and how long the longest computed.

  Of this process alone, so that other programs do not count; an alarm ends what
  computes, or waits, for long.

  Args:
    seed: of what is drawn.
  """

  def __init__(self, seed=0):
    self.seed, self.accepted, self.refused, self.longest = seed, 0, 0, 0.
    self.failed = []  # Texts of those that were neither read nor refused.

  @contextlib.contextmanager
  def one(self, pattern, what=''):
    """One example; a ValueError whose text has the pattern is an answer.

    A subclass of another library, such as UnicodeDecodeError, is none.
    """
    def late(*_):
      raise LateError
    start = time.process_time()
    # Of what computes, and of what waits while others compute.
    for number, timer, seconds in ALARMS:
      signal.signal(number, late)
      signal.setitimer(timer, seconds)
    try:
      yield
    except (Exception, LateError) as error:
      if isinstance(error, ValueError) and errors.kind(
          error) == 'ValueError' and re.search(pattern, str(error)):
        self.refused += 1
      else:
        self.failed.append(
            f'{what}: ' + ''.join(traceback.format_exception(error))[-3000:])
    else:
      self.accepted += 1
    finally:
      for _, timer, _ in ALARMS:
        signal.setitimer(timer, 0)
    self.longest = max(self.longest, time.process_time() - start)

  def report(self):
    return {'refused': self.refused, 'accepted': self.accepted,
            'failed': self.failed, 'longest_s': round(self.longest, 2),
            'peak_gb': round(peak() / 1e9, 2)}


def limit():
  """Lets this process ask for so much more memory, and for no more."""
  pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])
  resource.setrlimit(resource.RLIMIT_AS, (
      int(pages * resource.getpagesize() + GIGABYTES * 1e9),) * 2)


def peak():
  """Bytes of memory at most; getrusage's begin with those of the parent."""
  with contextlib.suppress(FileNotFoundError):  # Linux has it.
    status = pathlib.Path('/proc/self/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # As on a Mac.


def given(examples, seed, **strategies):
  """A function of what hypothesis draws, called `examples` times."""
  def run(function):
    hypothesis.seed(seed)(
        hypothesis.settings(max_examples=examples, **SETTINGS)(
            hypothesis.given(**strategies)(function)))()
  return run


def place(data, part):
  return min(int(part * len(data)), len(data))
