"""What someone does who pastes README's lines, as they stand."""
import builtins
import code
import configparser
import importlib
import shutil

from docs.docs_test import blocks, read
from helpers import ROOT
import numpy as np
import pytest

from msg_gan_jax.commands import main


def paste(text, console):
  """Gives a console a text line by line, as a terminal does."""
  more = False
  for line in text.splitlines():
    more = console.push(line)
  assert not more, 'a block wants an empty line after it'


@pytest.mark.slow
def test_the_lines_of_the_readme_run_as_pasted(tmp_path, monkeypatch):
  """One block after the other, without an edit and without a network."""
  monkeypatch.chdir(tmp_path)
  # As the first command leaves it, but smaller.
  shutil.copytree(ROOT / 'tests' / 'runs' / 'earlier' / 'quickstart',
                  tmp_path / 'runs' / 'quickstart')
  monkeypatch.setattr(builtins, '_', None, raising=False)  # What it shows.
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'):
    monkeypatch.setenv(name, 'http://127.0.0.1:1')
  console = code.InteractiveConsole({'__name__': '__console__'})
  monkeypatch.setattr(console, 'showtraceback', lambda: pytest.fail('raised'))
  monkeypatch.setattr(
      console, 'showsyntaxerror', lambda *unused, **more: pytest.fail('syntax'))
  first, *rest = blocks(read('README.md'), 'python')
  assert len(first.splitlines()) == 5 and rest
  paste(first, console)
  assert [x.shape for x in console.locals['pyramid']] == [
      (4, 4, 4, 3), (4, 8, 8, 3), (4, 16, 16, 3), (4, 32, 32, 3)]
  for block in rest:
    paste(block, console)
  assert len(console.locals['pictures']) == 4
  assert console.locals['last_loss'][0] == console.locals['images'] == 80
  assert np.isfinite(builtins._['swd_mean_local']['value'])


def test_a_line_that_does_not_run_is_noticed():
  console = code.InteractiveConsole()
  console.showtraceback = lambda: pytest.fail('raised')
  with pytest.raises(pytest.fail.Exception, match='raised'):
    paste('print(real)', console)


def test_the_console_command_is_named_and_is_the_program():
  setup = configparser.ConfigParser()
  setup.read_string(read('setup.cfg'))
  name, _, target = setup['options.entry_points']['console_scripts'].strip(
      ).partition(' = ')
  module, _, function = target.partition(':')
  assert getattr(importlib.import_module(module), function) is main.run
  assert f'`{name} --help`' in read('README.md')
