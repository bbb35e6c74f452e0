"""Laws of nonsense: whatever comes in, pixels or words for a person come out.

A process of its own, so that a crash of C code is seen and the peak of memory
is that of the fuzzing. `python tests/endure.py fuzz` tries thousands.
"""
import json
import subprocess
import sys

from fuzz import examples
from helpers import ROOT
import pytest

from endurance.fuzz import FUZZERS

CODE = '''import json, sys
from endurance import fuzz
fuzz.begin(sys.argv[1])
print(json.dumps({kind: fuzz.batch(kind, 0, int(sys.argv[2]))
                  for kind in fuzz.FUZZERS}))
'''
EXAMPLES = 100


@pytest.mark.slow
def test_nonsense_is_refused_in_words_or_read(tmp_path):
  found = subprocess.run(
      [sys.executable, '-X', 'faulthandler', '-c', CODE, str(tmp_path),
       str(EXAMPLES)], cwd=ROOT / 'tests', capture_output=True, text=True,
      errors='replace', timeout=300)
  assert found.returncode == 0, found.stderr[-5000:]
  report = json.loads(found.stdout.splitlines()[-1])
  assert report.keys() == FUZZERS.keys()
  for kind, x in report.items():
    assert not x['failed'], (kind, x['failed'])
    assert x['refused'] + x['accepted'] >= .8 * EXAMPLES, kind
    # Nearly all of one kind would say little.
    assert min(x['refused'], x['accepted']) >= .05 * EXAMPLES, (kind, x)
    assert x['peak_gb'] < examples.GIGABYTES, kind
