"""The sections of a page that have charts: what stands in which, and notes."""
import json
import shutil
import sys

from helpers import ROOT
import numpy as np
import pytest

from msg_gan_jax.commands import (
  charts_of_runs,
  figures_of_runs,
  page_of_runs,
  panels_of_runs,
  sections_of_runs,
  tables_of_runs,
)
from msg_gan_jax.report import curves
from msg_gan_jax.report.page import Charts, Text
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
STABILITY, SCALES, _ = (topic.heading for topic in panels_of_runs.TOPICS)
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
    assert panels_of_runs.BAND in words(found[heading])
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
  for topic in panels_of_runs.TOPICS[:2]:  # Of those that have scales.
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


def recorded(folder, lines, **settings):
  """A run with these records, {images: values}, and with settings."""
  run = written(folder, **settings)
  (run / 'metrics.jsonl').write_text(''.join(
      json.dumps({'images': images, **values}) + '\n'
      for images, values in lines.items()))
  return run


def panels(*folders):
  """({name: Panel}, figures of compare by their names) of runs."""
  runs = together(map(read, folders))
  costs = [charts_of_runs.costs_of(run) for run in runs.runs]
  units = charts_of_runs.units_of(costs)
  return ({x.name: x for x in panels_of_runs.panels(runs, costs, units)},
          {name: (figure, caption) for name, figure, caption in
           figures_of_runs.figures(runs, costs, units)})


def unlike(i, **more):
  """Settings that keep a run out of the seeds of another."""
  data = json.loads((EARLIER / 'config.json').read_text())['data']
  return {'data': {**data, 'count': 64 + i, **more}}


def of_reals(value, reals):
  return {'swd_mean': value, 'references': {'reals': {'swd_mean': reals}}}


@pytest.mark.parametrize(('second', 'marks', 'said'), [
    (7.9, {'reals': 7.9}, 'Grey lines: reals 7.9.'),
    (7.9000001, {'reals': 7.9000001}, 'Grey lines: reals 7.9.'),
    (9.4, {}, 'without a line: reals 7.9 to 9.4.')])
def test_reals_have_a_line_where_all_runs_agree(tmp_path, second, marks, said):
  found, _ = panels(*(
      recorded(tmp_path / str(i), {8: of_reals(20., reals)}, **unlike(i))
      for i, reals in enumerate((7.9, second))))
  assert found['swd_mean'].marks == marks
  assert said in found['swd_mean'].note
  assert ('Grey lines' in found['swd_mean'].note) == bool(marks)


def changed(run, file, change):
  content = json.loads((run / file).read_text())
  change(content)
  (run / file).write_text(json.dumps(content))


def test_unlike_protocols_and_data_are_in_charts_of_their_own(tmp_path):
  lines = {x: {'swd_16': 3., 'swd_mean': 2., 'kid_random_conv': 1.,
               'd_loss': 1.} for x in (8, 16)}
  runs = [recorded(tmp_path / f'run {i}', lines, **unlike(i)) for i in range(3)]
  changed(runs[2], 'summary.json', lambda x: x['protocol'].update(n_fake=7))
  changed(runs[1], 'summary.json', lambda x: x['scores']['scores'][
      'kid_random_conv'].update(id='01234567'))
  found, figures = panels(*runs)
  names = {x: [line.name for line in panel.lines]
           for x, panel in found.items()}
  assert names['d_loss'] == ['run 0', 'run 1', 'run 2']
  assert names['kid_random_conv [01234567]'] == ['run 1']
  assert names['kid_random_conv [f899eba6]'] == ['run 0', 'run 2']
  columns = [x for x in together(map(read, runs)).scores
             if x.name == 'swd_mean']
  assert [names[f'swd_mean [{x.id}]'] for x in columns] == [
      ['run 0', 'run 1'], ['run 2']]
  assert {f'swd_mean_{x.id}' for x in columns} < figures.keys()
  assert found[f'swd_mean [{columns[1].id}]'].title.startswith(
      f'swd_mean [{columns[1].id}]: sliced')


def test_records_without_ids_are_apart_by_what_was_asked_for(tmp_path):
  runs = []
  for i, evaluate in enumerate((1, 1, 2)):
    runs.append(recorded(
        tmp_path / f'run {i}', {8: {'swd_mean': 1., 'fid_ada': 3.}},
        evaluate={'count': 1024 * evaluate}, **unlike(i)))
    (runs[-1] / 'summary.json').unlink()
  found, _ = panels(*runs)
  for name in ('swd_mean', 'fid_ada'):
    assert [[line.name for line in x.lines] for x in found.values()
            if x.name.startswith(name)] == [['run 0', 'run 1'], ['run 2']]


def test_a_band_that_ends_says_so_and_longer_seeds_go_on(tmp_path):
  found, _ = panels(*(
      recorded(tmp_path / f'r, seed {i}', {
          x: {'d_loss': float(x + i)} for x in range(8, 8 * n, 8)}, seed=i)
      for i, n in enumerate((5, 7, 8))))
  line, = found['d_loss'].lines
  curve = line.over['images']
  assert curve.x.tolist() == [8, 16, 24, 32]
  assert curve.y.tolist() == [9, 17, 25, 33]
  assert [x.tolist() for x, _ in curve.rests] == [[32, 40, 48],
                                                  [32, 40, 48, 56]]
  assert [y.tolist() for _, y in curve.rests] == [[33, 41, 49],
                                                  [34, 42, 50, 58]]
  assert ('ends at 32 images, where seed 0 does; thin lines are single seeds '
          'beyond it.') in found['d_loss'].note
  assert 'begins' not in found['d_loss'].note


def test_seeds_that_share_no_record_are_named_and_drawn(tmp_path):
  found, _ = panels(
      recorded(tmp_path / 'a', {8: {'d_loss': 1.}, 16: {'d_loss': 2.}}, seed=0),
      recorded(tmp_path / 'b', {24: {'d_loss': 3.}, 32: {'d_loss': 4.}},
               seed=1))
  line, = found['d_loss'].lines
  assert not len(line.over['images'].x)
  assert [y.tolist() for _, y in line.over['images'].rests] == [[1, 2], [3, 4]]
  assert 'The seeds of a, b (2 seeds) share no record' in found['d_loss'].note


@pytest.mark.parametrize('have', [1, 2, 3])
def test_a_band_counts_the_seeds_that_have_its_value(tmp_path, have):
  runs = [recorded(tmp_path / f'r, seed {i}', {
      x: {**({'mine': 1. + i} if i < have else {}), 'd_loss': 1.,
          'clock': {'seconds': x * 10.**i}} for x in (8, 16)}, seed=i)
          for i in range(3)]
  found, _ = panels(*runs)
  line, = found['mine'].lines
  assert (f'{have} of 3 seeds recorded it' in found['mine'].note) == (have < 3)
  np.testing.assert_allclose(line.over['seconds'].x, np.mean(
      [np.array([8, 16]) * 10.**i for i in range(have)], axis=0))
  assert (line.over['images'].low is None) == (have == 1)
  assert bool(panels_of_runs.of_bands([found['mine']])) == (have > 1)


def test_a_band_that_a_logarithmic_axis_cuts_says_so(tmp_path):
  found, _ = panels(*(
      recorded(tmp_path / f'r, seed {i}', {
          8: {'swd_mean': 10.**i, 'd_grad_norm': 9. + i, 'd_loss': 10.**i}},
          seed=i) for i in range(2)))
  for name, cut in (('swd_mean', True), ('d_grad_norm', True),
                    ('d_loss', False)):
    low, = (x.over['images'].low for x in found[name].lines)
    assert (low < 0).all() or name == 'd_grad_norm'
    assert (panels_of_runs.CUT in panels_of_runs.of_bands([found[name]])) == (
        cut and bool((low <= 0).any()))


def test_the_finest_scale_that_most_runs_have_is_shown(tmp_path):
  finest = (32, 32, 32, 256)
  runs = [recorded(tmp_path / str(i), {8: {
      f'stability_{size}': 1. for size in SIZES if size <= most}}, **unlike(i))
      for i, most in enumerate(finest)]
  titles = [x.title for x in charts(sections(*runs)[STABILITY])]
  assert titles == [f'change of fixed latents: {x} px' for x in (4, 8, 16, 32)]


def test_compare_draws_every_value_and_scale_that_a_page_counts(tmp_path):
  values = {'swd_16': 1., 'swd_32': 2., 'swd_64': 3., 'swd_mean': 2.,
            **{f'mine{i}': 1. for i in range(40)}, 'mine_3': 1., 'mine_7': 2.}
  runs = [recorded(tmp_path / str(i), {8: values, 16: values}, **unlike(i))
          for i in range(2)]
  for run in runs:
    (run / 'summary.json').unlink()
  blocks = sections(*runs)['Curves']
  shown = len(charts(blocks))
  assert f'{len(values) - shown} values more: --mode=compare draws all.' in (
      words(blocks))
  assert 'swd_64: sliced Wasserstein distance x1e3' in {
      x.title for x in charts(blocks)}
  _, figures = panels(*runs)
  in_scales = {'swd_16', 'swd_32', 'mine_3'}
  assert values.keys() - in_scales < figures.keys()
  figure, caption = figures['swd_scales']
  assert [ax.get_xlabel() for ax in figure.axes] == [
      f'real images, {size} px' for size in (16, 32, 64)]
  assert caption.startswith('swd: sliced Wasserstein distance x1e3, of each')
  assert len(figures['mine_scales'][0].axes) == 2
  assert figures['swd_mean'][1].startswith('swd_mean: sliced')


def test_no_number_of_a_record_takes_the_page_down(tmp_path):
  most = sys.float_info.max
  for count in (1, 2):
    runs = [recorded(tmp_path / f'{count} {i}', {
        x: {'d_loss': y, 'swd_mean': y, 'd_grad_norm': abs(y) or 5e-324,
            'references': {'reals': {'swd_mean': most}},
            'clock': {'seconds': abs(y)}}
        for x, y in ((8, most), (16, -most), (24, 0.))}, seed=i)
            for i in range(count)]
    assert charts(sections(*runs)['Curves'])


def test_over_seeds_is_of_two_seeds_at_least(tmp_path):
  runs = [written(tmp_path / f'run, seed {i}', seed=i) for i in range(3)]
  for run in runs[1:]:
    (run / 'scores.jsonl').unlink()
  (runs[2] / 'summary.json').unlink()
  (_, part), = tables_of_runs.measured_alike(together(map(read, runs)))
  table = tables_of_runs.over_seeds(part)
  row, = table.rows
  cells = dict(zip(table.columns, row, strict=True))
  assert cells['over seeds'] == 'run (3 seeds)'
  assert cells['swd_mean'].value == pytest.approx(json.loads(
      (runs[0] / 'summary.json').read_text())['swd']['samples']['mean'])
  of_lines = {*json.loads((runs[0] / 'scores.jsonl').read_text())['scores']}
  of_summary = {*json.loads((runs[0] / 'summary.json').read_text())[
      'scores']['scores']}
  assert of_lines - of_summary
  assert all(cells[f'{name} (local)'] is None for name in
             of_lines - of_summary)
  assert 'swd_mean of run (3 seeds): 2 of 3 seeds' in ' '.join(table.notes)
  (runs[1] / 'summary.json').unlink()
  assert not tables_of_runs.over_seeds(together(map(read, runs))).rows


def test_runs_that_share_no_column_have_tables_of_their_own(tmp_path):
  runs = [written(tmp_path / f'run {i}', **unlike(i, resolution=size))
          for i, size in enumerate((16, 16, 32))]
  changed(runs[2], 'summary.json', lambda x: (
      x['protocol'].update(n_fake=7), x.pop('scores')))
  (runs[2] / 'scores.jsonl').unlink()
  found = tables_of_runs.measured_alike(together(map(read, runs)))
  assert [words for words, _ in found] == ['size: 16 px', 'size: 32 px']
  tables = [tables_of_runs.scores(part, words) for words, part in found]
  assert [[row[0] for row in x.rows] for x in tables] == [
      ['run 0', 'run 1', 'the reals'], ['run 2', 'the reals']]
  assert tables[1].columns == ('run', 'swd_16', 'swd_mean', 'pairwise_ratio')
  (words, _), = tables_of_runs.measured_alike(together(map(read, runs[:2])))
  assert words == ''
