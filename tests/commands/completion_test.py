"""A shell that asks is told the flags of the mode that its line has."""
import argparse
import sys
import types

from absl import flags
import pytest

from msg_gan_jax.commands import completion, main
from msg_gan_jax.config import schema


@pytest.fixture
def asked(monkeypatch):
  """A line of the shell -> {option: its values} that argcomplete is given."""
  given = {}

  def autocomplete(parser, **options):
    assert isinstance(parser, argparse.ArgumentParser) and options
    given.update({name: action.choices for action in parser._actions
                  for name in action.option_strings})
  monkeypatch.setitem(sys.modules, 'argcomplete', types.SimpleNamespace(
      autocomplete=autocomplete))
  monkeypatch.setenv(completion.ASKED, '1')

  def ask(line):
    given.clear()
    monkeypatch.setenv('COMP_LINE', line)
    main.run()
    return dict(given)
  return ask


@pytest.mark.parametrize('mode', main.COMMANDS)
def test_the_flags_of_a_mode_are_all_offered_and_no_others(mode, asked):
  names = main.flags_of(mode) | {'mode', 'workdir', 'debug'}
  switches = {f'no{name}' for name in names if flags.FLAGS[name].boolean}
  offered = asked(f'msg_gan_jax --mode={mode} --')
  assert set(offered) == {f'--{name}' for name in (
      *names, *switches, 'help', 'version')} | {'-h'}
  if mode == 'train':
    assert offered['--distributed'] == ['auto', 'on', 'off']


def test_values_that_are_few_are_offered(asked):
  offered = asked('msg_gan_jax --mode=')
  assert offered['--mode'] == [*main.COMMANDS]
  assert 'own_pictures' in offered['--config']


def test_settings_are_offered_where_one_begins(asked):
  offered = asked('msg_gan_jax --config=quickstart --config.tr')
  assert {f'--config.{name}' for name in schema.metadata()} < set(offered)
  assert offered['--config.train.update_order'] == ('alternate', 'joint')
  assert offered['--config.data.mirror'] == ('true', 'false')
  assert not any(name.startswith('--config.') for name in asked(
      'msg_gan_jax --mode=sample --config.tr'))


def test_a_shell_is_told_nothing_where_argcomplete_is_missing(
    monkeypatch, capsys):
  monkeypatch.setitem(sys.modules, 'argcomplete', None)
  with pytest.raises(SystemExit) as status:
    completion.answer([])
  assert status.value.code == 1 and capsys.readouterr() == ('', '')
