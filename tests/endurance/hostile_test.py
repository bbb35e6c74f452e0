"""Laws of hostile folders; `python tests/endure.py hostile` has all of them."""
import pytest

from endurance.hostile import Place, cases, faults, run

# The cheapest of each kind: none of these compiles a step.
CASES = ('a folder, inspect 0', 'a zip, inspect 0', 'a tgz, inspect 0',
         'a run with links, train 0')


@pytest.mark.slow
@pytest.mark.parametrize('name', CASES)
def test_a_hostile_folder_breaks_no_law(name, tmp_path):
  place = Place(tmp_path / 'place')
  fill, argv = cases()[name]
  fill(place)
  before = place.snapshot()
  status, said, usage = run(place, argv)
  assert not faults(place, before, status, said, usage), said
  assert status == 1 and 'error: ' in said
