"""Laws of the one place from which words reach a terminal."""
import ast

from helpers import ROOT
import pytest

from msg_gan_jax.files import console, progress

HOSTILE = 'red\x1b[2J\x1b]0;title\x07\r\nerror: a forged line\x9b\u202e\u2028'
# They draw a line over and over, of names that they make visible.
DRAW = {'files/console.py', 'files/progress.py', 'training/progress_line.py',
        'study/board.py'}
PACKAGE = ROOT / 'msg_gan_jax'


@pytest.mark.parametrize('say, stream', [
    (console.say, 'out'), (console.say_aside, 'err')])
def test_a_name_moves_no_cursor_and_begins_no_line(say, stream, capsys):
  say(f'class {HOSTILE}')
  found = getattr(capsys.readouterr(), stream)
  assert found.endswith('\n') and console.visible(found[:-1]) == found[:-1]
  assert found.startswith(r'class red\x1b[2J\x1b]0;title\x07\r\nerror: a forg')


def test_the_name_of_a_bar_moves_no_cursor(capsys):
  with progress.bar(total=3, desc=f'Reading {HOSTILE}'):
    pass
  found = capsys.readouterr().err
  assert r'Reading red\x1b[2J' in found and '\nerror' not in found


@pytest.mark.parametrize('text', ['', 'Ärger mit φ', '字, ✓ and 🙂'])
def test_what_is_printable_stays(text):
  assert console.visible(text) == text


def test_nothing_else_prints():
  """No `print`, also not as a default, and no stream of its own."""
  found = []
  for path in sorted(PACKAGE.rglob('*.py')):
    name = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
      if (isinstance(node, ast.Name) and node.id == 'print'
          or isinstance(node, ast.Attribute) and node.attr in (
              'stdout', 'stderr') and ast.unparse(node) in (
                  'sys.stdout', 'sys.stderr')):
        found.append(name)
  # They flush one, before they end the process.
  assert sorted(x for x in found if x not in DRAW) == [
      'commands/main.py', *['runs/member.py'] * 2]
