"""A run whose files are damaged ends as the whole one, or says what is wrong.
"""
import pytest

from endurance import damage, table


@pytest.mark.slow
def test_no_damage_goes_unseen(tmp_path):
  lines, page = [], tmp_path / 'page.md'
  page.write_text('# Page\n\n## damage\n')
  cases = table.Table('damage', tmp_path, page)
  assert damage.main(tmp_path, 4, 300, 1, cases, lines.append), (
      '\n'.join(lines))
  assert '| 4 | 0 |' in page.read_text()
  # The known-bad input of `judge`: another state, and words without a place.
  good = {'checkpoints': {'fingerprint': ''}}
  assert damage.judge(tmp_path, good, [], None).startswith('WRONG STATE')
  assert damage.judge(tmp_path, good, [], 'bad').startswith('UNCLEAR')
