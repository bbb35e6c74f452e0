"""Grids of runs beside each other, and through time."""
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import beside, grids
from msg_gan_jax.report.beside import Strip

SHAPES = ((4, 4), (8, 8), (16, 16))


def grid(path, value=0):
  """A grid of 36 latents whose finest scale has one grey."""
  grids.save(path, grids.scales_side_by_side([
      np.full((36, *shape, 3), value if shape == SHAPES[-1] else 99, np.uint8)
      for shape in SHAPES]))
  return path


def texts(figure):
  return [x.get_text() for x in figure.texts]


@pytest.mark.parametrize('shapes', [
    SHAPES, ((16, 16),), ((4, 8), (8, 16)), ((64, 64), (128, 128))])
@pytest.mark.parametrize('count', [36, 9, 1])
def test_the_finest_part_is_a_square_of_the_first_samples(shapes, count):
  rng = np.random.default_rng(0)
  pyramid = [rng.integers(0, 200, (count, *shape, 3), np.uint8)
             for shape in shapes]
  whole = Image.fromarray(grids.scales_side_by_side(pyramid))
  columns = max(1, round((count / len(shapes))**.5))
  size = shapes[-1][0] * -(-64 // shapes[-1][0])
  for tallest, rows in ((1., columns), (.01, 1)):
    wanted = grids.grid(grids.upscale(pyramid[-1][:rows * columns], size),
                        columns)
    rows_wide = shapes[-1][1] // shapes[-1][0]
    if rows_wide > 1 and tallest == 1.:  # As many rows as fit, at most.
      continue
    found = np.asarray(grids.finest_part(whole, shapes, tallest))
    np.testing.assert_array_equal(found, wanted)


def test_a_picture_of_another_size_is_taken_whole():
  picture = Image.new('RGB', (333, 222))
  assert grids.finest_part(picture, SHAPES) is picture


def test_a_strip_has_the_grid_that_is_nearest_to_each_moment(tmp_path):
  whole = {i: grid(tmp_path / f'{i}.png') for i in range(0, 60, 10)}
  strips = {'all': Strip([*whole.items()], SHAPES),
            'few': Strip([(i, whole[i]) for i in (0, 20, 30)], SHAPES)}
  assert beside.moments(strips) == [0, 12.5, 25, 37.5, 50]
  figure = beside.over_time(strips)
  assert texts(figure) == [
      'all', *(f'{i} real images' for i in (0, 10, 30, 40, 50)),
      'few', *(f'{i} real images' for i in (0, 20, 30))]
  # Cells of one moment stand in one column.
  left = [round(ax.get_position().x0, 6) for ax in figure.axes]
  assert left[5:] == left[:3]


def test_runs_whose_batches_differ_stand_in_the_same_columns(tmp_path):
  path = grid(tmp_path / 'a.png')
  strips = {str(off): Strip([(0, path), *(
      (i + off, path) for i in (25, 50, 75)), (100, path)], SHAPES)
      for off in (0, 1, 3)}
  figure = beside.over_time(strips)
  left = [round(ax.get_position().x0, 6) for ax in figure.axes]
  assert len(left) == 15 and left[:5] == left[5:10] == left[10:]


def test_many_runs_have_fewer_samples_and_still_fit_a_page(tmp_path):
  grids_of_run = [(i, grid(tmp_path / f'{i}.png')) for i in (0, 10)]
  heights = []
  for count in (1, 6, beside.MOST_STRIPS):
    figure = beside.over_time({
        f'run {i}': Strip(grids_of_run, SHAPES) for i in range(count)})
    assert figure.get_figheight() <= beside.TALLEST + 1e-9
    heights.append(figure.axes[0].images[0].get_array().shape[0])
  assert heights[0] > heights[1] > heights[2]


def test_a_name_of_any_length_leaves_the_pictures_as_they_are(tmp_path):
  strip = Strip([(i, grid(tmp_path / f'{i}.png')) for i in (0, 10)], SHAPES)
  short, long = (beside.over_time({name: strip})
                 for name in ('a', 'x' * 10_000))
  assert short.get_size_inches().tolist() == long.get_size_inches().tolist()
  assert len(texts(long)[0]) <= beside.WORDS


def test_pictures_that_cannot_be_cut_fit_a_page_too(tmp_path):
  grids_of_run = [(i, grid(tmp_path / f'{i}.png')) for i in (0, 10)]
  figure = beside.over_time({
      f'run {i}': Strip(grids_of_run) for i in range(beside.MOST_STRIPS)})
  assert figure.get_figheight() <= beside.TALLEST + 1e-9


def test_one_moment_or_nothing_readable_is_no_strip(tmp_path):
  path = grid(tmp_path / 'a.png')
  assert beside.over_time({'a': Strip([(0, path)], SHAPES)}) is None
  (tmp_path / 'b.png').write_bytes(path.read_bytes()[:30])
  broken = [(i, tmp_path / 'b.png') for i in (0, 1)]
  assert beside.over_time({'a': Strip(broken, SHAPES)}) is None
  assert beside.figure_of({'a': tmp_path / 'b.png'}) is None


def test_names_above_grids_differ_where_names_do(tmp_path):
  path = grid(tmp_path / 'a.png')
  figure = beside.figure_of({'x' * 200 + str(i): path for i in range(3)})
  titles = [ax.get_title() for ax in figure.axes]
  assert len({*titles}) == 3 and all(x[-1] in '012' for x in titles)
