"""The script that plays new users finds what is not as it should be."""
import os
import sys

from helpers import ROOT
import new_users
from new_users_pictures import KINDS, write_folder
from PIL import Image

SAYS = '''
import pathlib, sys, time
print('hello')
try:
  pathlib.Path(sys.argv[1]).write_text('a line')
  if sys.argv[1] == 'waits':
    time.sleep(60)
except KeyboardInterrupt:
  sys.exit(130)
sys.exit(3)
'''


def test_each_promise_that_is_broken_is_told(tmp_path, capsys):
  user = new_users.User('a', tmp_path, sys.executable, ROOT, {**os.environ})
  (user.folder / 'it.py').write_text(SAYS)
  user.does('kept', 'it.py', 'made', exits=3, says=['HELLO'],
            never=['bye'], makes=['ma*'])
  user.does('Ctrl-C', 'it.py', 'waits', exits=130, stop_when='waits')
  assert [row.why for row in user.rows] == ['', '']
  user.does('broken', 'it.py', 'made', says=['bye'], never=['hello'],
            makes=['b*'])
  user.finds('by sight', right=True, wrong=False)
  assert [row.why for row in user.rows[2:]] == [
      "wanted exit 0: ; does not say 'bye'; says 'hello'; no b*",
      'not so: wrong']
  assert capsys.readouterr().out.count('ok\n') == 2


def test_pictures_are_of_all_kinds(tmp_path):
  write_folder(tmp_path, len(KINDS), places=('', 'a/b'))
  found = {}
  for path in tmp_path.rglob('*.*'):
    with Image.open(path) as image:
      found[path.name] = path.suffix, image.mode
  assert [found[name] for name in sorted(found)] == [*KINDS]
  assert len([*tmp_path.glob('*.*')]) == len(KINDS) // 2 + 1
