"""--mode=compare: files for a thesis."""
import csv
import json
import shutil
import subprocess

from helpers import ROOT
from PIL import Image
import pytest

from msg_gan_jax.commands import compare, report
from msg_gan_jax.metrics.functional.training_seeds import over_seeds

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
# What LaTeX reads as orders, and letters that it has none for.
NAMES = ('a_b%&#$', 'ünïcode 猫 {x}^~\\')


@pytest.fixture(scope='module')
def six(tmp_path_factory):
  """Three seeds each of two settings, in folders with names that are hard."""
  folder = tmp_path_factory.mktemp('six')
  for i, name in enumerate(NAMES):
    for seed in range(3):
      run = shutil.copytree(EARLIER, folder / f'{name} {seed}')
      config = json.loads((run / 'config.json').read_text())
      config['seed'] = seed
      config['train']['batch'] = (8, 4)[i]
      (run / 'config.json').write_text(json.dumps(config))
      summary = json.loads((run / 'summary.json').read_text())
      summary['swd']['samples']['mean'] += seed * (1 + i)
      (run / 'summary.json').write_text(json.dumps(summary))
  return folder


@pytest.fixture(scope='module')
def out(six, tmp_path_factory):
  folder = tmp_path_factory.mktemp('out')
  compare.write(f'{six}/*', folder)
  return folder


def table(out, name):
  with open(out / 'tables' / f'{name}.csv', encoding='utf-8') as file:
    return [*csv.DictReader(file)]


def test_numbers_are_those_of_the_runs_and_intervals_the_closed_form(six, out):
  means = []
  for row in table(out, 'scores')[:-1]:
    summary = json.loads((six / row['run'] / 'summary.json').read_text())
    assert float(row['swd_mean']) == summary['swd']['samples']['mean']
    means.append(summary['swd']['samples']['mean'])
  for row in table(out, 'over_seeds'):
    i = next(i for i, x in enumerate(NAMES) if row['over seeds'].startswith(x))
    places = [j for j, x in enumerate(table(out, 'scores')[:-1])
              if x['run'].startswith(NAMES[i])]
    wanted = over_seeds([means[j] for j in places])
    assert float(row['swd_mean']) == pytest.approx(wanted.mean)
    assert float(row['swd_mean low']) == pytest.approx(wanted.low)
    assert float(row['swd_mean high']) == pytest.approx(wanted.high)


def test_each_table_has_three_forms_and_each_figure_two(out):
  for folder, endings in (('tables', ('md', 'tex', 'csv')),
                          ('figures', ('png', 'pdf'))):
    stems = {x.stem for x in (out / folder).iterdir()}
    assert len(stems) >= 3
    for stem in stems:
      for ending in endings:
        assert (out / folder / f'{stem}.{ending}').stat().st_size > 50
  assert {'settings', 'scores', 'over_seeds', 'starts'} == {
      x.stem for x in (out / 'tables').iterdir()}


def test_the_grid_of_grids_has_every_run(out):
  with Image.open(out / 'figures' / 'samples.png') as picture:
    assert picture.width == 1400  # Two columns at 200 dots an inch.


def test_one_run_has_its_own_figures(tmp_path):
  run = shutil.copytree(EARLIER, tmp_path / 'run')
  compare.write(str(run), tmp_path / 'out')
  assert (tmp_path / 'out' / 'figures' / 'losses.pdf').exists()
  assert not (tmp_path / 'out' / 'tables' / 'settings.csv').exists()


def test_a_page_and_the_files_are_of_the_same_runs(six):
  names = report.runs_of(f'{six}/*').names
  assert len(names) == 6
  text = report.html_of(f'{six}/*')
  assert text.count('<figure class="chart">') > 3


@pytest.mark.slow
def test_pdflatex_takes_the_tables_and_the_figures(out, tmp_path):
  if not shutil.which('pdflatex'):
    pytest.skip('no pdflatex is installed')
  lines = [r'\documentclass{article}', r'\usepackage[utf8]{inputenc}',
           r'\usepackage[T1]{fontenc}', r'\usepackage{booktabs,graphicx}',
           r'\begin{document}']
  lines += [rf'\input{{{path}}}\par' for path in
            sorted((out / 'tables').glob('*.tex'))]
  lines += [rf'\includegraphics[width=\textwidth]{{{path}}}\par' for path in
            sorted((out / 'figures').glob('*.pdf'))]
  (tmp_path / 'thesis.tex').write_text(
      '\n'.join([*lines, r'\end{document}']), encoding='utf-8')
  found = subprocess.run(
      ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', 'thesis.tex'],
      cwd=tmp_path, capture_output=True, timeout=120)
  assert not found.returncode, found.stdout.decode(errors='replace')[-2000:]
