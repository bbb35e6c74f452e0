"""--mode=report: a page of runs as they are on disk."""
import json
import re
import shutil

from helpers import ROOT
import pytest

from msg_gan_jax.commands import page_of_runs, report
from msg_gan_jax.report.page import render
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together
from msg_gan_jax.study.folders import Folders, folders

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'


@pytest.fixture
def run(tmp_path):
  return shutil.copytree(EARLIER, tmp_path / 'first')


def copy(run, name, **settings):
  """A run that differs in settings, 'seed' or 'train.batch' among them."""
  folder = shutil.copytree(run, run.parent / name)
  config = json.loads((folder / 'config.json').read_text())
  for key, value in settings.items():
    group = config
    *groups, last = key.split('__')
    for part in groups:
      group = group[part]
    group[last] = value
  (folder / 'config.json').write_text(json.dumps(config))
  return folder


def page(*folders):
  return page_of_runs.page_of(together(map(read, folders)))


def blocks(page, heading):
  return next((x.blocks for x in page.sections if x.heading == heading), ())


def test_a_run_of_before_has_every_section_that_it_can(run):
  found = page(run)
  assert {x.heading for x in found.sections if x.blocks} >= {
      'What it is', 'Samples', 'Scores', 'Curves', 'Films', 'Warnings',
      'Starts', 'Again'}
  assert not blocks(found, 'Settings that differ')


def test_numbers_are_those_of_the_files(run):
  table = blocks(page(run), 'Scores')[0].table
  row = dict(zip(table.columns, table.rows[0], strict=True))
  summary = json.loads((run / 'summary.json').read_text())
  for level, value in summary['swd']['samples'].items():
    assert row[f'swd_{level}'].value == value
  line = json.loads((run / 'scores.jsonl').read_text().splitlines()[-1])
  for name, score in line['scores'].items():
    column = next(x for x in table.columns if x.startswith(name))
    assert row[column].value == score['value']
    error = score['error_of_samples']
    assert row[column].error == error or error is None


def test_a_band_and_an_interval_over_seeds_alone(run):
  seeds = [run, copy(run, 'second', seed=1), copy(run, 'third', seed=2)]
  other = copy(run, 'other', train__batch=4)
  found = page(*seeds, other)
  lines = [x for chart in blocks(found, 'Curves')[-1].charts
           for x in chart.names]
  assert set(lines) == {'first, second, … (3 seeds)', 'other'}
  over = next(x.table for x in blocks(found, 'Scores')
              if x.table.columns[0] == 'over seeds')
  assert [row[0] for row in over.rows] == ['first, second, … (3 seeds)']
  differ = blocks(found, 'Settings that differ')[0].table
  assert ['train.batch', 8, 8, 8, 4] in differ.rows or any(
      row[0] == 'train.batch' and row[4] == 4 for row in differ.rows)


def test_a_run_has_one_colour_in_every_chart(run):
  other = copy(run, 'other', train__batch=4)
  lines = (other / 'metrics.jsonl').read_text().splitlines()
  (other / 'metrics.jsonl').write_text('\n'.join(
      json.dumps({**json.loads(x), 'mine': 1.}) for x in lines) + '\n')
  charts = blocks(page(run, other), 'Curves')[-1].charts
  alone = next(x for x in charts if x.title == 'mine')
  assert alone.names == {'other': 1}
  assert {'first': 0, 'other': 1} in [x.names for x in charts]


def test_the_slider_has_what_each_run_had_cost(run):
  films = blocks(page(run), 'Samples')[-1]
  (frames,) = films.runs.values()
  images = [x.at['images'] for x in frames]
  assert images == sorted(images) and images[0] == 0
  seconds = [x.at['seconds'] for x in frames]
  assert seconds == sorted(seconds) and seconds[0] == 0 < seconds[-1]


def test_a_picture_that_is_half_written_is_left_out(run):
  grids = sorted((run / 'samples').glob('*.png'))
  grids[1].write_bytes(grids[1].read_bytes()[:40])
  (frames,) = blocks(page(run), 'Samples')[-1].runs.values()
  assert len(frames) == len(grids) - 1


def test_many_pictures_are_thinned_and_it_is_said(run):
  grid = next((run / 'samples').glob('*.png'))
  for i in range(100, 200):
    shutil.copy(grid, run / 'samples' / f'images_{i:010d}.png')
  text, films = blocks(page(run), 'Samples')
  (frames,) = films.runs.values()
  assert len(frames) == page_of_runs.MOST_FRAMES
  assert frames[-1].at['images'] == 199
  assert str(page_of_runs.MOST_FRAMES) in text.text


def test_the_page_is_written_beside_what_it_is_of(run, tmp_path):
  found = folders(f'{run}')
  assert report.place(found) == str(run / 'report.html')
  other = copy(run, 'other', seed=5)
  found = folders(f'{run},{other}')
  assert report.place(found) == str(tmp_path / 'report.html')


def test_hostile_words_of_a_run_are_text(run):
  bad = '</script><script>alert(1)</script>'
  with open(run / 'warnings.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps({'text': bad, 'date': bad}) + '\n')
  text = render(page(run))
  assert bad not in text and '&lt;script&gt;alert(1)' in text
  assert len(re.findall('<script', text)) == 1


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--mode=report'], '--workdir: which run?'),
    (['--mode=report', '--workdir=nowhere'], '--workdir=nowhere: neither a st'),
    (['--mode=report', "--workdir=none*"], "--workdir='none*': no folder has"),
    (['--mode=report', '--workdir=first', '--out=page.pdf'],
     "--out: wanted a file that ends in .html, found 'page.pdf'."),
    (['--mode=compare', '--workdir=first'], '--out: where to? Give a folder, '),
    (['--mode=compare', '--workdir=first', '--out=file'],
     '--out: file is a file; wanted a folder.')])
def test_what_cannot_be_is_said(run, command, monkeypatch, arguments, text):
  monkeypatch.chdir(run.parent)
  (run.parent / 'file').write_text('')
  status, out, err = command(*arguments)
  assert (status, out) == (1, '') and err.startswith(
      f'error: {text}'), err


def test_the_commands_say_what_they_have_written(run, command, monkeypatch):
  monkeypatch.chdir(run.parent)
  status, out, _ = command('--mode=report', '--workdir=first')
  assert (status, out) == (0, 'first/report.html\n')
  assert (run / 'report.html').read_text('utf-8').startswith('<!doctype html>')
  status, out, _ = command('--mode=compare', '--workdir=first', '--out=all')
  assert status == 0 and out.startswith('all (')


def test_runs_that_two_studies_call_alike_have_the_names_of_their_folders(
    run, monkeypatch):
  others = [copy(run, name) for name in ('second', 'third')]
  called = iter([{str(x): 'a, seed 0'} for x in others])
  monkeypatch.setattr(report, 'folders', lambda workdir: Folders(
      ['one', 'two'], [], []))
  monkeypatch.setattr(report, 'names_in', lambda folder: next(called))
  assert report.runs_of('both').names == ('second', 'third')
