"""Laws of nonsense: whatever comes in, pixels or words for a person come out.

Each law is a process of its own, so that a crash of C code is seen and the
peak of memory is that of the fuzzing. `python tests/fuzz_test.py configs` runs
one of them.
"""
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from fuzz import command, examples, pictures, settings
from helpers import ROOT
import pytest

SECONDS, GIGABYTES = 10, 4  # The most that one example, and all of them, take.

FUZZERS = {'pictures': pictures.fuzz, 'configs': settings.fuzz,
           'command': command.fuzz}


@pytest.mark.slow
@pytest.mark.parametrize('name, least', [
    ('pictures', 1000), ('configs', 1000), ('command', 600)])
def test_nonsense_is_refused_in_words_or_read(name, least, tmp_path):
  deep = tmp_path / 'a' / 'b'  # For caches in '../..'.
  deep.mkdir(parents=True)
  found = subprocess.run(
      [sys.executable, '-X', 'faulthandler', __file__, name], cwd=deep,
      capture_output=True, text=True, errors='replace', timeout=300, env={
          **os.environ, 'PYTHONPATH': str(ROOT), 'HOME': str(deep),
          'XDG_CACHE_HOME': str(deep),
          # What would be fetched is not there, at once.
          'HTTPS_PROXY': 'http://127.0.0.1:9', 'HF_HUB_OFFLINE': '1'})
  assert found.returncode == 0, found.stderr[-5000:]
  report = json.loads(found.stdout.splitlines()[-1])
  print(name, report)
  assert report['examples'] >= least
  # Nearly all of one kind would say little.
  assert min(report['refused'], report['accepted']) >= .1 * least
  assert report['longest_s'] < SECONDS and report['peak_gb'] < GIGABYTES


if __name__ == '__main__':
  gc.set_threshold(50_000, 20, 50)  # As conftest.py has it.
  counted = examples.Count()
  with tempfile.TemporaryDirectory() as scratch:
    FUZZERS[sys.argv[1]](pathlib.Path(scratch), counted)
  print(json.dumps(counted.report()))
