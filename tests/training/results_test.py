"""What a run says at its end costs no more, however long the run was."""
import pytest

from msg_gan_jax.training import results


@pytest.mark.parametrize('count', [0, 3, 100, 101, 4567])
def test_of_many_records_few_are_drawn_and_rare_ones_all(count):
  rows = [{'images': n, 'd_loss': 1., **({'fid': 2.} if n % 60 == 0 else {})}
          for n in range(count)]
  found = results.few(rows, most=100)
  assert found == sorted(found, key=lambda row: row['images'])
  scored = [row for row in found if 'fid' in row]
  assert scored == [row for row in rows if 'fid' in row]
  losses = len(found) - len(scored)
  assert min(50, count - len(scored)) <= losses <= 100
  gaps = {b['images'] - a['images'] for a, b in zip(
      found, found[1:], strict=False) if 'fid' not in {**a, **b}}
  assert len(gaps) < 3  # Evenly, but where a score was left out.
