"""The tables of pages that keep a journal are those that it gives."""
import runpy
import shutil

from helpers import ROOT
import pytest

STUDIES = ROOT / 'docs' / 'studies'


@pytest.mark.parametrize('name', [
    'dcgan_wgan_wgan_gp', 'landscape_small', 'msg_connections_64'])
def test_the_page_has_the_tables_that_its_program_prints(name, tmp_path):
  shutil.copy(STUDIES / 'records' / f'{name}.log', tmp_path / 'journal.log')
  lines = runpy.run_path(str(STUDIES / f'{name}.py'))['lines']
  page = (STUDIES / f'{name}.md').read_text('utf-8')
  for table in '\n'.join(lines(str(tmp_path))).split('\n\n'):
    assert table in page
