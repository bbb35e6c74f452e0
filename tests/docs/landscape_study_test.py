"""The tables of the page of the small landscape are those of its journal."""
import runpy
import shutil

from helpers import ROOT

STUDIES = ROOT / 'docs' / 'studies'


def test_the_page_has_the_tables_that_its_program_prints(tmp_path):
  shutil.copy(STUDIES / 'records' / 'landscape_small.log',
              tmp_path / 'journal.log')
  lines = runpy.run_path(str(STUDIES / 'landscape_small.py'))['lines']
  page = (STUDIES / 'landscape_small.md').read_text('utf-8')
  for table in '\n'.join(lines(str(tmp_path))).split('\n\n'):
    assert table in page
