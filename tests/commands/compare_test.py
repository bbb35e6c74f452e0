"""--mode=compare: files for a thesis."""
import csv
import json
import re
import shutil
import subprocess

from helpers import ROOT
from PIL import Image
import pytest

from msg_gan_jax.commands import (
  charts_of_runs,
  compare,
  figures_of_runs,
  report,
)
from msg_gan_jax.metrics.functional.training_seeds import over_seeds

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
# What LaTeX reads as orders, and letters that it has none for.
NAMES = ('a_b%&#$ and a name that is longer than many',
         'ünïcode 猫 {x}^~\\ wgan_gp-lr_1e-4_beta_0.5_n_dis_5_batch_64_run')


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
  assert {'samples', 'samples_over_time', 'consistency', 'share'} <= {
      x.stem for x in (out / 'figures').iterdir()}


def test_each_figure_has_a_caption(out):
  captions = (out / 'captions.md').read_text('utf-8')
  stems = {x.stem for x in (out / 'figures').iterdir()}
  assert {*re.findall(r'^\*\*(\w+)\*\*: .', captions, re.MULTILINE)} == stems
  assert charts_of_runs.BAND in captions.replace('\\', '')


def test_the_grid_of_grids_has_every_run(out):
  with Image.open(out / 'figures' / 'samples.png') as picture:
    assert picture.width == 1400  # Two columns at 200 dots an inch.


def stability(folder, images=(16, 32), scale=1.):
  """Writes records of stability into a run."""
  (folder / 'metrics.jsonl').write_text(''.join(json.dumps({
      'images': x, 'stability_4': scale / x, 'stability_8': 2 * scale / x,
      'stability_16': 4 * scale / x}) + '\n' for x in images))


def drawn(*folders):
  """{name: (figure, caption)} of what compare draws of runs."""
  runs = report.runs_of(','.join(map(str, folders)))
  costs = [charts_of_runs.costs_of(run) for run in runs.runs]
  return {name: (figure, caption) for name, figure, caption in
          figures_of_runs.figures(runs, costs, charts_of_runs.units_of(costs))}


def test_stability_is_drawn_as_in_figure_6(tmp_path):
  folders = [shutil.copytree(EARLIER, tmp_path / name) for name in 'ab']
  config = json.loads((folders[1] / 'config.json').read_text())
  config['train']['batch'] = 4
  (folders[1] / 'config.json').write_text(json.dumps(config))
  for i, folder in enumerate(folders):
    stability(folder, scale=1. + i)
  figure, caption = drawn(*folders)['stability']
  assert 'figure 6' in caption
  assert [ax.get_xlabel() for ax in figure.axes] == [
      f'real images, {size} px' for size in (4, 8, 16)]
  for ax, factor in zip(figure.axes, (1, 2, 4), strict=True):
    assert [x.get_ydata().tolist() for x in ax.lines] == [
        [factor / 16, factor / 32], [factor / 8, factor / 16]]
  figure, _ = drawn(folders[0])['stability']  # One run: a line a scale.
  assert [x.get_label() for x in figure.axes[0].lines] == [
      '4 px', '8 px', '16 px']


def test_names_of_figures_are_sane_and_never_one_file(tmp_path):
  run = shutil.copytree(EARLIER, tmp_path / 'run')
  names = ('mine/<b>"x"', 'MINE b x', '猫', 'x' * 10_000, '../../up', 'a\nb')
  (run / 'metrics.jsonl').write_text(''.join(json.dumps(
      {'images': i, **dict.fromkeys(names, i)}) + '\n' for i in (8, 16)))
  found = [x for x in drawn(run) if not x.startswith('samples')]
  assert len({x.lower() for x in found}) == len(names)
  assert all(re.fullmatch('[A-Za-z0-9_]{1,64}', x) for x in found), found


def test_what_reals_have_is_drawn_beside(tmp_path):
  run = shutil.copytree(EARLIER, tmp_path / 'run')
  (run / 'metrics.jsonl').write_text(''.join(json.dumps(
      {'images': i, 'pairwise_ratio': .5,
       'references': {'reals': {'pairwise_ratio': 1.}}}) + '\n'
      for i in (8, 16)))
  name, = (x for x in drawn(run) if x.startswith('distance_of_two'))
  figure, caption = drawn(run)[name]
  assert [x.get_text() for x in figure.legends[0].get_texts()] == [
      'pairwise_ratio', 'reals']
  assert 'Grey lines: reals 1.' in caption


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
  lines += [rf'\noindent\includegraphics[width=\textwidth]{{{path}}}\par'
            for path in
            sorted((out / 'figures').glob('*.pdf'))]
  (tmp_path / 'thesis.tex').write_text(
      '\n'.join([*lines, r'\end{document}']), encoding='utf-8')
  found = subprocess.run(
      ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', 'thesis.tex'],
      cwd=tmp_path, capture_output=True, timeout=120)
  said = found.stdout.decode(errors='replace')
  assert not found.returncode, said[-2000:]
  assert 'Overfull' not in said  # Nothing runs over the edge of the page.
