"""A run that is killed again and again ends as one that is not."""
import random

import pytest

from endurance import kills, table


@pytest.mark.slow
def test_killed_again_and_again_it_ends_as_unbroken(tmp_path):
  lines, page = [], tmp_path / 'page.md'
  page.write_text('# Page\n\n## kills\n')
  assert kills.main(
      tmp_path / 'out', 2, 300, random.randrange(10**6),
      table.Table('kills', tmp_path / 'out', page), lines.append), (
          '\n'.join(lines))
  assert 'identical, no stray files |' in page.read_text()
