"""Laws of the bar that says how far a long reading is."""
import io
import re
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


def rows(written):
  """What a terminal shows of it, row by row."""
  screen, column = [''], 0
  for char in re.sub('\x1b\\[A|\x1b\\[K', '', written):
    if char == '\n':
      screen.append('')
    elif char != '\r':
      row = screen[-1].ljust(column)
      screen[-1] = row[:column] + char + row[column + 1:]
    column = 0 if char in '\r\n' else column + 1
  return [row.rstrip() for row in screen]


def test_a_line_that_is_said_never_stands_behind_a_bar(monkeypatch):
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  terminal = Terminal()
  for stream in ('stdout', 'stderr'):
    monkeypatch.setattr(sys, stream, terminal)
  say = progress.beside_bars(print)
  say('before')
  with progress.bar(total=9, desc='Reading a long list of things') as bar:
    bar.update()
    say('after 40,000 images\na table')
    bar.update()
  say('then')
  shown = rows(terminal.getvalue())
  assert shown[:3] == ['before', 'after 40,000 images', 'a table']
  assert shown[3].startswith('Reading a long list of things:')
  assert shown[4:] == ['then', '']
