"""What --mode=watch costs while runs train: time of a core, and memory.

  python benchmarks/watch.py
  python benchmarks/watch.py --runs=6 --writing=1 --minutes=1

Runs are made as `pages.py` makes them. Some of them are held by a process that
writes a record a second and a grid a minute. Two pages are open, as a browser
has them: the list, and one of a run that is written. A line a minute says what
the server took. README.md beside this file has results.
"""
import argparse
from collections.abc import Iterator
import contextlib
import itertools
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple
from urllib import parse, request

# These lie beside this file.
import machine
import numpy as np
import pages

from msg_gan_jax.report import grids
from msg_gan_jax.runs.records import Metrics
from msg_gan_jax.runs.workdir import Workdir

LAUNCH = pathlib.Path(__file__).resolve().parents[1] / 'launch.py'
REFRESH = 5.  # Seconds between two looks of a page that is open.
TICKS = os.sysconf('SC_CLK_TCK')
RECORDS = 2_000  # That a run has before.


def write_on(folder: pathlib.Path, place: int, minutes: float) -> None:
  """Holds a run, and writes a record a second and a grid a minute."""
  config = pages.settings(place, RECORDS + int(60 * minutes) + 60)
  rng = np.random.default_rng(place)
  numbers = itertools.islice(pages.numbers(config, rng), RECORDS, None)
  _, levels = next(pages.samples(config, rng))
  with Workdir(folder), contextlib.closing(Metrics(folder)) as metrics:
    for i, (images, values, clock) in enumerate(numbers):
      metrics.write(images, values, clock)
      if not i % 60:
        grids.save(folder / 'samples' / f'images_{images:010d}.png',
                   grids.scales_side_by_side(levels))
      time.sleep(1.)


class Page:
  """A page that a browser has open."""

  def __init__(self, address: str):
    self._address, self._tag = address, ''

  def look(self) -> int:
    """Asks for it anew; bytes that came, 0 where nothing has changed."""
    asked = request.Request(self._address, headers={
        'If-None-Match': self._tag} if self._tag else {})
    try:
      with request.urlopen(asked, timeout=60) as answer:
        self._tag = answer.headers['ETag']
        return len(answer.read())
    except request.HTTPError as error:
      if error.code != 304:
        raise
      return 0


class Taken(NamedTuple):
  """What a process has taken: seconds of CPU, and resident megabytes."""
  seconds: float
  mb: float


def taken(process: int) -> Taken:
  """Of a process that runs, on Linux."""
  of = pathlib.Path(f'/proc/{process}')
  fields = (of / 'stat').read_text().rpartition(')')[2].split()
  pages_held = int((of / 'statm').read_text().split()[1])
  return Taken((int(fields[11]) + int(fields[12])) / TICKS,
               pages_held * os.sysconf('SC_PAGE_SIZE') / 1e6)


@contextlib.contextmanager
def served(root: pathlib.Path) -> Iterator[tuple[int, str]]:
  """(process, address) of a server of the runs below a folder."""
  with subprocess.Popen(
      [sys.executable, str(LAUNCH), '--mode=watch', f'--workdir={root}',
       '--port=0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
      text=True) as process:
    try:
      assert process.stdout is not None
      yield process.pid, process.stdout.readline().strip()
    finally:
      process.kill()


def run(options: argparse.Namespace, root: pathlib.Path) -> None:
  """Makes the runs, looks at them, and prints what that took."""
  about = machine.about()
  print(f'{about["cores"]} cores of {about["cpu"]}; python {about["python"]}, '
        f'commit {about["commit"]}; {options.runs} runs, {options.writing} of '
        f'them writing; {RECORDS:,} records each')
  for place in range(options.runs):
    pages.make(root / f'run_{place}', place, RECORDS)
  fresh = multiprocessing.get_context('spawn')  # jax has threads by now.
  writers = [fresh.Process(
      target=write_on, args=(root / f'run_{i}', i, options.minutes),
      daemon=True) for i in range(options.writing)]
  for writer in writers:
    writer.start()
  with served(root) as (process, address):
    query = parse.urlsplit(address).query
    place = address.partition('?')[0]
    opened = [Page(address), Page(f'{place}runs?run=run_0&{query}')]
    for page in opened:
      page.look()
    first = before = taken(process)
    print(f'at first: {first.seconds:.1f} CPU s to start and to draw both '
          f'pages, {first.mb:.0f} MB')
    begin = time.monotonic()
    for minute in range(1, options.minutes + 1):
      looks = came = 0
      while time.monotonic() - begin < 60 * minute:
        came += sum(page.look() for page in opened)
        looks += len(opened)
        time.sleep(REFRESH)
      now = taken(process)
      print(f'minute {minute}: {(now.seconds - before.seconds) / 60:.2%} of a '
            f'core, {now.mb:.0f} MB; {looks} looks, {came / 1e6:.2f} MB sent',
            flush=True)
      before = now
    seconds = time.monotonic() - begin
    print(f'all: {(before.seconds - first.seconds) / seconds:.2%} of a core, '
          f'{before.mb - first.mb:+.0f} MB')
  for writer in writers:
    writer.kill()


def main() -> None:
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--runs', type=int, default=20)
  flags.add_argument('--writing', type=int, default=3)
  flags.add_argument('--minutes', type=int, default=10)
  options = flags.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    run(options, pathlib.Path(folder))


if __name__ == '__main__':
  main()
