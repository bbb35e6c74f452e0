"""Laws of functions that are called for a few rows at a time."""
import numpy as np
import pytest

from msg_gan_jax.arrays.chunks import in_chunks


@pytest.mark.parametrize('count', [1, 4, 7, 8])
def test_chunks_have_one_shape_and_give_each_row_once(count):
  x, calls = np.arange(30).reshape(10, 3), []

  def double(rows):
    calls.append(rows.tolist())
    return 2 * x[rows], rows

  doubled, rows = map(
      np.concatenate, zip(*in_chunks(double, count, 4), strict=True))
  np.testing.assert_array_equal(doubled, 2 * x[:count])
  np.testing.assert_array_equal(rows, np.arange(count))
  assert {len(rows) for rows in calls} == {4}
  assert calls[-1][-1] == count - 1
