"""The long soak finds what grows, and calls a tiny run's process flat."""
import numpy as np
import pytest

from endurance import soak
from endurance.table import Table


def looks(start, count, **gains):
  """What a start sees, where some things gain so much in 1,000 steps."""
  rng = np.random.default_rng(start)
  return [{'start': start, 'step': step, **{
      name: 500 + gains.get(name, 0) * step / 1000 + (
          0 if name == 'compiled' else rng.normal(0, .2)) for name in soak.FLAT
  }} for step in range(0, count * 100, 100)]


@pytest.mark.parametrize('name', soak.FLAT)
def test_what_grows_is_found_whatever_a_start_began_with(name):
  """Its first fifth counts no more than another start does."""
  seen = looks(1, 40, **dict.fromkeys(soak.FLAT, 9.)) + looks(
      2, 300, **{name: 3.})
  for look in seen[40:80]:
    look[name] += 50
  for other, slope in soak.slopes(seen).items():
    assert slope.low <= slope.value <= slope.high
    assert slope.value == pytest.approx(3 * (other == name), abs=.02)
    assert (slope.value > soak.FLAT[other]) == (other == name) or (
        abs(slope.value) < .02)


@pytest.mark.slow
def test_a_short_soak_goes_on_and_fills_its_row(tmp_path):
  page, said = tmp_path / 'page.md', []
  page.write_text('# Page\n\n## soak\n')
  table = Table('soak', tmp_path / 'soak', page)
  flat = soak.main(tmp_path / 'soak', 60, 300., 0, table, said.append)
  # So few steps tell nothing of memory, but the verdict is that of the row.
  assert page.read_text().endswith(f'| {"yes" if flat else "NO"} |\n')
  assert '60 of 60' in page.read_text() and '| starts |' in page.read_text()
  seen = soak.looks(tmp_path / 'soak')
  assert [look['step'] for look in seen] == [*range(1, 61)]
  assert seen[0]['compiled'] > 5 and seen[0]['resident'] > 50
  # What is measured at the end is compiled there; no step compiles, or opens.
  for name in 'compiled', 'threads', 'files':
    assert seen[-1][name] - seen[len(seen) // 2][name] < 10, name
