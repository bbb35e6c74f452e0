"""Nonsense, by the thousand: settings, pictures, archives, weights, labels.

Whatever comes in, pixels, numbers or words for a person come out: no traceback,
within ten seconds, and within an address space that is limited.
"""
import gc
import os
import pathlib
import tempfile
import time
import zlib

from fuzz import archives, command, examples, files, pictures, settings

N = 4500
# {kind: (what harms it, how many of N)}
FUZZERS = {'settings': (settings.fuzz, 1400), 'command': (command.fuzz, 600),
           'pictures': (pictures.fuzz, 1400), 'archives': (archives.fuzz, 600),
           'files': (files.fuzz, 500)}
BATCH = 100  # Examples after which what was found is written down.


def begin(out):
  """A process of its own: nothing of the user's is read, or fetched."""
  deep = pathlib.Path(out).resolve() / 'a' / 'b'  # For caches in '../..'.
  deep.mkdir(parents=True, exist_ok=True)
  os.environ.update(
      HOME=str(deep), XDG_CACHE_HOME=str(deep), JAX_PLATFORMS='cpu',
      # What would be fetched is not there, at once.
      HTTPS_PROXY='http://127.0.0.1:9', HF_HUB_OFFLINE='1')
  os.chdir(deep)
  gc.set_threshold(50_000, 20, 50)  # As conftest.py has it.
  import jax
  jax.devices()  # It reserves addresses, which are not memory.
  examples.limit()


def batch(kind, seed, count):
  """What one batch found; see Count.report."""
  counted = examples.Count(seed)
  with tempfile.TemporaryDirectory() as scratch:
    FUZZERS[kind][0](pathlib.Path(scratch).resolve(), counted, count)
  return counted.report()


def main(out, n, seconds, seed, table, say):
  end = time.monotonic() + seconds
  begin(out)
  for kind, (_, share) in FUZZERS.items():
    wanted = round(share * n / N)
    while time.monotonic() < end and (done := _tried(table.cases, kind)) < (
        wanted):
      found = batch(kind, zlib.crc32(f'{seed} {kind} {done}'.encode()),
                    min(BATCH, wanted - done))
      table.add(kind=kind, **found)
      say(f'{kind}: {_tried(table.cases, kind):,} of {wanted:,}; {found}')
  cases, failed = table.cases, sum(len(x['failed']) for x in table.cases)
  say(table.write({
      **{kind: f'{_sum(cases, kind, "refused"):,} refused, '
               f'{_sum(cases, kind, "accepted"):,} read' for kind in FUZZERS},
      'neither': failed,
      'longest (s)': max(x['longest_s'] for x in cases),
      'memory at most (GB)': max(x['peak_gb'] for x in cases)}))
  return not failed and all(
      _tried(cases, kind) >= round(share * n / N)
      for kind, (_, share) in FUZZERS.items())


def _sum(cases, kind, name):
  return sum(x[name] for x in cases if x['kind'] == kind)


def _tried(cases, kind):
  return sum(x['refused'] + x['accepted'] + len(x['failed'])
             for x in cases if x['kind'] == kind)
