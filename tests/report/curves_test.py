"""Curves show what there is: no empty panels, references, spreads."""
import math
import pathlib

from matplotlib import figure
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import curves

NAN = math.nan


@pytest.fixture
def drawn(tmp_path, monkeypatch):
  """(records, keys) -> the Figure, which nobody draws: that is slow."""
  def draw(records, keys=None):
    found = []

    def keep(self, path, **options):
      found.append(self)
      pathlib.Path(path).touch()

    monkeypatch.setattr(figure.Figure, 'savefig', keep)
    curves.plot(records, tmp_path / 'a.png', keys)
    return found[0]
  return draw


def rows(**values):
  """Records of these values by name, None where a record lacks it."""
  return [{'images': 10 * i, **{
      name: x[i] for name, x in values.items() if i < len(x) and
      x[i] is not None}} for i in range(max(map(len, values.values())))]


def lines(ax):
  """Those that show values: neither references nor their legend."""
  return [x for x in ax.lines if np.isfinite(
      np.asarray(x.get_ydata(), float)).sum() > 1 and x.get_marker() == '.']


@pytest.mark.parametrize('name', ['own', 'd_loss', 'd_grad_norm', 'swd_16'])
@pytest.mark.parametrize('values, has_panel', [
    ([1.], False), ([1., 2.], True), ([None, 3., None, 4.], True),
    ([None, 7.], False), ([NAN, NAN], False), ([1., NAN], False),
    ([1., NAN, 2.], True), ([0., 0.], True), ([0., 3.], True),
    ([-1., -2., -3.], True)])
def test_a_panel_has_a_line_and_what_has_none_is_told(
    drawn, name, values, has_panel):
  records = rows(**{name: values, 'other': [5., 6.]})
  fig = drawn(records)
  assert len(fig.axes) == 1 + has_panel
  for ax in fig.axes:
    assert len(lines(ax)) == 1
  last = [x for x in values if x is not None][-1]
  assert (f'{name} {last:.4g}' in fig.get_supxlabel()) == (not has_panel)
  alone = drawn(records, [name])
  assert len(alone.axes) == has_panel


def test_references_are_lines_at_their_values_in_the_colour_of_the_curve(drawn):
  records = rows(swd_32=[9., 8.], swd_mean=[7., 6.], fid=[5., 4.], once=[3.])
  records[0]['references'] = {'reals': {'swd_32': 77.}}  # An older one.
  records[1]['references'] = {
      'reals': {'swd_32': 2., 'swd_mean': 3., 'fid': NAN, 'once': 1.5},
      'noise': {'swd_mean': 99.}, 'pca': {'swd_mean': 33.}}
  fig = drawn(records)
  swd, fid = fig.axes
  found = {(x.get_linestyle(), x.get_ydata()[0]): x.get_color()
           for x in swd.lines if len(x.get_ydata()) and x not in lines(swd)}
  of_32, of_mean = (x.get_color() for x in lines(swd))
  assert found == {('--', 2.): of_32, ('--', 3.): of_mean,
                   (':', 99.): of_mean, ('-.', 33.): of_mean}
  assert [x.get_text() for x in swd.get_legend().get_texts()] == [
      '32 px', 'mean', *(label for _, label in curves.REFERENCES.values())]
  assert len(fid.lines) == 1 and fid.get_legend() is None
  assert 'once 3 (reals 1.5)' in fig.get_supxlabel()
  assert 'Reals: one half' in fig.get_supxlabel()


@pytest.mark.parametrize('name, below', [
    ('d_loss', 2.), ('d_grad_norm', 3. * 3. / 4.)])
def test_a_band_is_the_spread_around_the_mean(drawn, name, below):
  records = rows(**{name: [3.] * 3, 'own': [1., 2., 3.]})
  for record in records[1:]:  # The first is of an older version.
    record |= {'steps': 5, 'spread': {name: 1.}}
  fig = drawn(records)
  of_mean, of_own = fig.axes
  band, = of_mean.collections
  y = np.concatenate([path.vertices[:, 1] for path in band.get_paths()])
  assert (y.min(), y.max()) == (below, 4.)
  assert not any(len(path.vertices) for band in of_own.collections
                 for path in band.get_paths())
  assert 'Bands: standard deviation' in fig.get_supxlabel()
  assert 'steps 5' not in fig.get_supxlabel()


def test_one_record_is_a_picture_of_its_numbers(tmp_path):
  curves.plot([{'images': 8, 'd_loss': .5, 'spread': {'d_loss': .1}}],
              tmp_path / 'a.png', title='run')
  with Image.open(tmp_path / 'a.png') as image:
    assert np.asarray(image).std() > 1
