"""Hostile folders through every command that reads them.

Nothing outside of the user's own folders is touched, nothing that was found is
run, nothing is printed that a terminal would carry out, no traceback, and time
and memory stay in bounds.
"""
import base64
import contextlib
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import time

from helpers import ROOT

from endurance import hostile_files

SECONDS, GIGABYTES = 120, 3  # Of CPU and memory, for one command.
# What a terminal would carry out, or hide; ends of lines and tabs are none.
CONTROLS = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f]')


class Place:
  """Where one case plays: a folder of a user, beside what is precious.

  Attributes:
    work: the current folder of the command.
    outside: what lies elsewhere and is precious.
    ran: a file that exists once anything hostile was run.
  """

  def __init__(self, folder):
    self.own_programs = False  # Whether they lie in the user's cache folder.
    shutil.rmtree(folder, ignore_errors=True)
    for name in ('work', 'home', 'tmp', 'outside'):
      (folder / name).mkdir(parents=True)
    self.folder, self.ran = folder, folder / 'RAN'
    self.work, self.outside = folder / 'work', folder / 'outside'
    (self.outside / 'precious').write_text('mine')
    hostile_files.picture(self.outside / 'private.png', 99)

  def pickled(self):
    """A pickle that runs a command."""
    ran = self.ran

    class Runs:
      def __reduce__(self):
        return os.system, (f'touch {ran}',)
    return pickle.dumps(Runs())

  def snapshot(self):
    """What may not change."""
    return {
        'beside': sorted(os.listdir(self.folder)),
        'outside': {str(x): (x.stat().st_mtime_ns, x.read_bytes())
                    for x in self.outside.rglob('*') if x.is_file()},
        'elsewhere': [x for x in hostile_files.ELSEWHERE if os.path.exists(x)]}

  def environment(self):
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'JAX_PLATFORMS': 'cpu',
            'HOME': str(self.folder / 'home'),
            'XDG_CACHE_HOME': str(self.folder / 'home'),
            'TMPDIR': str(self.folder / 'tmp'), 'PYTHONDONTWRITEBYTECODE': '1',
            'HTTPS_PROXY': 'http://127.0.0.1:9', 'HF_HUB_OFFLINE': '1',
            **({} if self.own_programs else {'JAX_COMPILATION_CACHE_DIR': str(
                self.folder.parent / 'programs')})}


def faults(place, before, status, said, usage):
  """What a command did that it may not do; [] of one that kept all laws."""
  found = []
  if place.ran.exists():
    found.append('ran what it was given')
  if place.snapshot() != before:
    found.append('changed what lies outside')
  if control := CONTROLS.search(said):
    at = control.start()
    found.append(f'printed {said[max(0, at - 40):at + 20]!r}')
  if 'Traceback' in said or status not in (0, 1):
    found.append(f'ended with {status}: {said[-1500:]}')
  secret = base64.b64encode(
      (place.outside / 'private.png').read_bytes())[:400]
  found += [f'{path.name} has what lies outside' for path in sorted(
      place.work.rglob('*.html')) if secret in path.read_bytes()]
  seconds, bytes_ = usage
  if seconds > SECONDS or bytes_ > GIGABYTES * 1e9:
    found.append(f'took {seconds:.0f} s and {bytes_ / 1e9:.1f} GB')
  return found


def run(place, argv):
  """-> (exit status, all that was printed, (seconds of CPU, bytes))."""
  log = place.folder / 'tmp' / 'said'
  with open(log, 'wb') as file:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'launch.py'), *argv], cwd=place.work,
        stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        env=place.environment())
    end, status, most = time.monotonic() + 4 * SECONDS, None, 0
    while status is None:
      most = max(most, most_so_far(process.pid))
      which, code, used = os.wait4(process.pid, os.WNOHANG)
      if which:
        process.returncode = status = os.waitstatus_to_exitcode(code)
      elif time.monotonic() > end:
        process.kill()
      else:
        time.sleep(.05)
  said = log.read_text(errors='backslashreplace')
  return status, said, (used.ru_utime + used.ru_stime, most)


def most_so_far(pid):
  """Bytes of memory that a process has had at most; 0 of one that is gone.

  What wait4 tells counts what its parent had as it began.
  """
  with contextlib.suppress(OSError):
    if found := re.search(r'VmHWM:\s+(\d+) kB', pathlib.Path(
        f'/proc/{pid}/status').read_text()):
      return int(found[1]) * 1024
  return 0


def cases():
  """{name: (what fills the place, argv)}: each harm by each of its commands."""
  return {f'{harm}, {argv[0].rpartition("=")[2]} {i}': (fill, argv)
          for harm, (fill, commands) in hostile_files.HARMS.items()
          for i, argv in enumerate(commands)}


N = len(cases())


def main(out, n, seconds, seed, table, say):
  del seed
  end = time.monotonic() + seconds
  done = {case['name'] for case in table.cases}
  chosen = list(cases().items())[:n]
  for name, (fill, argv) in chosen:
    if name in done or time.monotonic() > end:
      continue
    place = Place(pathlib.Path(out).resolve() / 'place')
    fill(place)
    before = place.snapshot()
    status, said, usage = run(place, argv)
    found = faults(place, before, status, said, usage)
    answer = [line for line in said.splitlines() if 'error: ' in line]
    table.add(name=name, status=status, faults=found, answer=answer[:1],
              seconds=round(usage[0], 1), gb=round(usage[1] / 1e9, 2))
    say(f'{name}: {status}, {usage[0]:.1f} s, {usage[1] / 1e9:.2f} GB '
        f'{found or answer[:1]}')
    shutil.rmtree(place.folder)
  whole = table.cases
  bad = [case['name'] for case in whole if case['faults']]
  say(table.write({
      'commands': len(whole), 'refused': sum(x['status'] == 1 for x in whole),
      'went through': sum(x['status'] == 0 for x in whole),
      'broke a law': '; '.join(bad) or 0,
      'longest (s of CPU)': max(x['seconds'] for x in whole),
      'memory at most (GB)': max(x['gb'] for x in whole)}))
  return not bad and len(whole) >= len(chosen)
