"""Laws of the figure of pictures with their nearest."""
import numpy as np

from msg_gan_jax.report import neighbours


def plain(*values):
  """uint8 [n, 96, 96, 3]: pictures of one grey each, which stay their size."""
  return np.broadcast_to(np.uint8(values)[:, None, None, None],
                         (len(values), 96, 96, 3))


def test_each_row_has_a_picture_and_its_neighbours_in_their_order():
  bands = [
      neighbours.Nearest('first', plain(10, 20), plain(11, 12, 21, 22),
                         np.array([.5, 2.])),
      neighbours.Nearest('second', plain(25), plain(26, 27), np.zeros(1))]
  drawn = neighbours.draw(bands, ('Title', 'rest'), 'sample')
  # Greys below 30 are tiles: the words are darker or paler, and the page white.
  rows = [row for row in drawn[:, :, 0] if (row[-80:] < 30).any()]
  seen = [list(dict.fromkeys(x for x in row if 10 <= x < 30)) for row in rows]
  assert [*dict.fromkeys(map(tuple, seen))] == [
      (10, 11, 12), (20, 21, 22), (25, 26, 27)]
  assert drawn.shape[2] == 3
