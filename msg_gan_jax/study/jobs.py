"""Several workers of a study on this machine, each a process of its own.

Each has its share of the cores, as its affinity: XLA, the threads that read
pictures and the libraries of linear algebra start as many threads as that.
"""
from collections.abc import Sequence
import contextlib
import os
import queue
import signal
import subprocess
import threading

from msg_gan_jax.files.cores import numbers
from msg_gan_jax.study.board import Board, receive
from msg_gan_jax.training.stop import AGAIN, Stop

JOB = 'MSG_GAN_JAX_STUDY_JOB'  # In the environment of such a process.
STARTS = 4  # Of a worker that is killed again and again.
INTERRUPTED = 130


def shares(cores: Sequence[int], jobs: int) -> list[list[int]]:
  """Which cores each of some workers has; with more workers, they share.

  Args:
    cores: numbers of all cores.
    jobs: how many workers there are.
  """
  if jobs >= len(cores):
    return [[cores[i % len(cores)]] for i in range(jobs)]
  ends = [len(cores) * i // jobs for i in range(jobs + 1)]
  return [[*cores[a:b]] for a, b in zip(ends, ends[1:], strict=False)]


class Jobs:
  """Worker processes, until the study is done or a signal ends it.

  Args:
    command: of one worker.
    count: how many there are.
    board: Board, which shows what they say.
  """

  def __init__(self, command: Sequence[str], count: int, board: Board):
    self._command, self._count, self._board = command, count, board
    self._heard: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
    self._running: dict[int, subprocess.Popen[str]] = {}
    self._starts = [0] * count
    cores = numbers()
    self._shares = shares(cores, count) if cores else []

  def work(self) -> int:
    """Works until no worker is left; returns the exit status.

    Returns:
      0; 130 after Ctrl-C and 75 after other signals; 1 where every worker has
      broken off, whose reasons were said.
    """
    statuses: dict[int, int] = {}
    with Stop() as stop, self._killed_at_last():
      for worker in range(self._count):
        self._start(worker)
      told = 0
      while self._running:
        try:
          worker, line = self._heard.get(timeout=.2)
        except queue.Empty:
          worker, line = -1, ''
        if stop.signal and not told:
          told = stop.signal
          for process in self._running.values():
            process.send_signal(told)
        if line is None:
          statuses[worker] = self._ended(worker, bool(stop.signal))
        elif line:
          receive(self._board, worker, line)
    if stop.signal:
      return INTERRUPTED if stop.signal == signal.SIGINT else AGAIN
    return 0 if 0 in statuses.values() else max(statuses.values())

  def _start(self, worker):
    self._starts[worker] += 1
    with _on(self._shares[worker] if self._shares else ()):
      process = subprocess.Popen(
          self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
          stderr=subprocess.STDOUT, text=True, errors='replace',
          # Ctrl-C is told to them once, by this process.
          start_new_session=True, env={**os.environ, JOB: str(worker + 1)})
    self._running[worker] = process
    threading.Thread(
        target=self._listen, args=(worker, process.stdout), daemon=True).start()

  def _listen(self, worker, lines):
    with lines:
      for line in lines:
        self._heard.put((worker, line))
    self._heard.put((worker, None))

  def _ended(self, worker, stopping):
    """Starts a worker again that has broken off; returns its exit status."""
    process = self._running.pop(worker)
    status = process.wait()
    if process.stdin:
      process.stdin.close()
    if stopping or status in (0, AGAIN, INTERRUPTED):
      return abs(status)
    how, again = f'with status {status}', False
    if status < 0:  # A signal, such as SIGKILL where memory was short.
      how, again = f'by {signal.Signals(-status).name}', (
          self._starts[worker] < STARTS)
    self._board.say(
        f'worker {worker + 1} (process {process.pid}) ended {how}; it is '
        + ('started again' if again else 'not started again'), worker)
    if again:
      self._start(worker)
    return 1

  @contextlib.contextmanager
  def _killed_at_last(self):
    """A context that leaves no worker behind, whatever ends it."""
    try:
      yield
    finally:
      for process in self._running.values():
        process.kill()
        process.wait()


@contextlib.contextmanager
def _on(cores):
  """A context whose processes begin on these cores; () is all."""
  if not cores:
    yield
    return
  before = os.sched_getaffinity(0)
  os.sched_setaffinity(0, cores)
  try:
    yield
  finally:
    os.sched_setaffinity(0, before)


def number() -> int:
  """Which worker of another process this one is, from 1; 0 if it is none."""
  return int(os.environ.get(JOB, '0'))


def stop_with_parent() -> None:
  """Stops this process, as SIGTERM does, once the one that started it is gone.
  """
  def wait():
    os.read(0, 1)  # Until its other end is closed; sys.stdin would be locked.
    os.kill(os.getpid(), signal.SIGTERM)

  threading.Thread(target=wait, daemon=True).start()
