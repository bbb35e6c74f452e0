"""The sections of a page that have charts: what stands in which, and notes."""
import json
import shutil

from helpers import ROOT
import pytest

from msg_gan_jax.commands import (
  charts_of_runs,
  page_of_runs,
  sections_of_runs,
  tables_of_runs,
)
from msg_gan_jax.report import curves
from msg_gan_jax.report.page import Charts, Text
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
STABILITY, SCALES = (topic.heading for topic in charts_of_runs.TOPICS)
SIZES = (4, 8, 16, 32, 64, 128, 256)


def record(images, others=0):
  """A record with what each scale has, and with so many values besides."""
  return {'images': images, 'd_loss': 1. / images,
          **{f'stability_{size}': size / images for size in SIZES},
          **{f'share_{size}': 1 / len(SIZES) for size in SIZES},
          **{f'consistency_{size}': .1 for size in SIZES[:-1]},
          **{f'mine{i}_a': float(i) for i in range(others)},
          'clock': {'seconds': images / 8, 'images_per_second': 8.}}


def written(folder, images=(16, 32, 48), others=0, **settings):
  """A run with these records, and with settings such as seed=1."""
  shutil.copytree(EARLIER, folder)
  config = json.loads((folder / 'config.json').read_text())
  (folder / 'config.json').write_text(json.dumps({**config, **settings}))
  (folder / 'metrics.jsonl').write_text(''.join(
      json.dumps(record(x, others)) + '\n' for x in images))
  return folder


def sections(*folders):
  page = page_of_runs.page_of(together(map(read, folders)))
  return {x.heading: x.blocks for x in page.sections if x.blocks}


def charts(blocks):
  return [chart for block in blocks if isinstance(block, Charts)
          for chart in block.charts]


def words(blocks):
  return ' '.join(block.text for block in blocks if isinstance(block, Text))


def test_one_run_has_a_line_for_each_scale(tmp_path):
  found = sections(written(tmp_path / 'run'))
  (chart,) = charts(found[STABILITY])
  assert [*chart.names] == [f'{size} px' for size in SIZES]
  assert 'figure 6 of the MSG-GAN paper' in words(found[STABILITY])
  key, consistency, share = charts(found[SCALES])
  assert [*key.names] == [f'{size} px' for size in SIZES]
  (svg, *_), (other, *_) = consistency.drawn.values(), share.drawn.values()
  assert '128 px: from' in svg and '256 px: from' not in svg
  assert all(f'{size} px: from' in other for size in SIZES)
  assert [x.title for x in charts(found['Curves'])] == ['losses']


def test_of_several_runs_scales_are_shown_however_many_values_there_are(
    tmp_path):
  runs = [written(tmp_path / str(i), others=40, seed=i, data={
      **json.loads((EARLIER / 'config.json').read_text())['data'],
      'count': 64 + i}) for i in range(2)]
  found = sections(*runs)
  of_stability = charts(found[STABILITY])
  assert [x.title for x in of_stability] == [
      f'change of fixed latents: {size} px' for size in (4, 16, 64, 256)]
  assert all(x.names == {'0': 0, '1': 1} for x in of_stability)
  assert '3 scales more: --mode=compare draws all.' in words(found[STABILITY])
  assert len(charts(found[SCALES])) == 2 * sections_of_runs.MOST_SCALES
  assert len(charts(found['Curves'])) == sections_of_runs.MOST_CHARTS
  assert 'values more: --mode=compare draws all.' in words(found['Curves'])


def test_many_runs_have_one_key_before_their_charts(tmp_path):
  config = json.loads((EARLIER / 'config.json').read_text())
  runs = [written(tmp_path / f'run {i}', data={
      **config['data'], 'count': 64 + i}) for i in range(6)]
  for blocks in [*sections(*runs).values()]:
    if len(found := charts(blocks)) > 1:  # Of one, its own is as good.
      key, *others = found
      assert key.names == {f'run {i}': i for i in range(6)} and not key.drawn
      assert all(x.drawn and not x.names for x in others)
  found = charts(sections(*runs[:5])[STABILITY])
  assert all(x.drawn and len(x.names) == 5 for x in found)


def test_what_no_run_has_is_no_section(tmp_path):
  run = written(tmp_path / 'run')
  (run / 'metrics.jsonl').write_text(''.join(
      json.dumps({'images': i, 'd_loss': 1.}) + '\n' for i in (8, 16)))
  assert not {STABILITY, SCALES} & {*sections(run)}


@pytest.mark.parametrize(('second', 'said'), [
    ((16, 32, 48), False), ((20, 40, 60), True)])
def test_a_band_between_records_says_so(tmp_path, second, said):
  found = sections(
      written(tmp_path / 'a', seed=0), written(tmp_path / 'b', second, seed=1))
  for heading in (STABILITY, SCALES, 'Curves'):
    assert charts_of_runs.BAND in words(found[heading])
    for chart in charts(found[heading]):
      assert ('Interpolated: the seeds of a, b (2 seeds) were recorded at '
              'different images' in chart.note) == said


@pytest.mark.parametrize(('images', 'said'), [((32, 32), ''), ((32, 48), (
    'Not measured at one known number of images, so that each run counts with '
    'its newest: '))])
def test_a_spread_over_different_images_says_so(tmp_path, images, said):
  runs = [written(tmp_path / str(i), seed=i) for i in range(2)]
  for run, at in zip(runs, images, strict=True):
    (run / 'summary.json').unlink()
    line = json.loads((run / 'scores.jsonl').read_text().splitlines()[-1])
    (run / 'scores.jsonl').write_text(json.dumps({**line, 'images': at}) + '\n')
    (run / 'metrics.jsonl').write_text(json.dumps({'images': at}) + '\n')
  table = tables_of_runs.over_seeds(together(map(read, runs)))
  assert table.rows
  notes = ' '.join(table.notes)
  assert ('Not measured at one' in notes) == bool(said) and said in notes
  if said:
    assert f'{table.columns[1]} of 0, 1 (2 seeds)' in notes


def test_every_kind_of_a_topic_has_a_panel_of_its_own():
  for topic in charts_of_runs.TOPICS:
    for kind in topic.kinds:
      ((title, _),) = curves.panels([f'{kind}_4'])
      assert title != kind and title in {x[0] for x in curves.PANELS}
      assert curves.label(f'{kind}_4', title) == '4 px'


def test_classes_of_a_conditional_run_are_told_by_name(tmp_path):
  config = json.loads((EARLIER / 'config.json').read_text())
  run = written(tmp_path / 'run', networks={
      **config['networks'], 'classes': 2, 'g_condition': 'concat',
      'd_condition': 'projection'})
  (run / 'classes.json').write_text(json.dumps(['cat', '<b>dog</b>']))
  assert 'the 2 classes take turns: cat, <b>dog</b>.' in words(
      sections(run)['Samples'])


def test_many_runs_that_differ_in_little_are_rows(tmp_path):
  runs = [written(tmp_path / f'run {i}', seed=i) for i in range(5)]
  table = tables_of_runs.settings(together(map(read, runs)))
  assert table.columns == ('run', 'seed')
  assert table.rows == [[f'run {i}', i] for i in range(5)]
  table = tables_of_runs.settings(together(map(read, runs[:3])))
  assert table.columns == ('setting', 'run 0', 'run 1', 'run 2')
  assert table.rows == [['seed', 0, 1, 2]]
