"""Laws of the bar that says how far a long reading is."""
import sys

import pytest

from msg_gan_jax.files import progress


@pytest.mark.parametrize('terminal, seconds', [(True, .5), (False, 10)])
def test_a_log_gets_fewer_lines_than_a_terminal(
    terminal, seconds, monkeypatch, capsys):
  monkeypatch.setattr(sys.stderr, 'isatty', lambda: terminal, raising=False)
  with progress.bar(total=3, desc='Reading x') as bar:
    assert bar.mininterval == seconds
  found = capsys.readouterr()
  assert 'Reading x' in found.err and found.out == ''


def test_the_items_are_unchanged():
  assert list(progress.bar([3, 1, 2], disable=True)) == [3, 1, 2]
