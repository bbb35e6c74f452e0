"""Every setting is checked, and every mistake has a text of its own."""
import subprocess
import sys

from absl import flags
import ml_collections
from ml_collections import config_flags
import pytest

from msg_gan_jax.commands.experiments import check_setting
from msg_gan_jax.config import schema


def values(**settings):
  config = schema.template().to_dict()
  for name, value in settings.items():
    section, _, field = name.partition('__')
    if field:
      config[section][field] = value
    else:
      config[section] = value
  return config


def test_the_template_parses_to_the_defaults():
  assert schema.parse(schema.template()) == schema.Config()


@pytest.mark.parametrize('preset', schema.PRESETS)
def test_every_preset_is_a_legal_config(preset):
  config = schema.parse(schema.template(preset))
  assert hash(config) == hash(schema.parse(schema.template(preset)))


@pytest.mark.parametrize('settings, text', [
    (dict(seeed=1), r"config\.seeed: no such setting; did you mean 'seed'"),
    (dict(train__bach=1), r"config\.train\.bach: .*did you mean 'batch'"),
    (dict(train__batch='8'), r"config\.train\.batch: wanted int, found str"),
    (dict(train__batch=8.), r'config\.train\.batch: wanted int, found float'),
    (dict(train__batch=True), r'config\.train\.batch: wanted int, found bool'),
    (dict(train__log_every_images=0),
     r'config\.train\.log_every_images: wanted at least 1, found 0'),
    (dict(seed=-1), r'config\.seed: wanted 0 to 2147483647, found -1'),
    (dict(optimizer__g_rate=float('nan')), r'g_rate: wanted a finite number'),
    (dict(optimizer__beta2=1.), r'beta2: wanted 0.0 to 0.999999, found 1.0'),
    (dict(data__resize='centre'), r"resize: no value 'centre'; did you mean "
                                  r"'center_crop'"),
    (dict(networks='msg'), r"config\.networks: wanted a group of settings"),
])
def test_each_mistake_names_its_place_and_what_was_wanted(settings, text):
  with pytest.raises(ValueError, match=text):
    schema.parse(values(**settings))


def test_a_missing_setting_is_named():
  config = values()
  del config['train']['batch']
  with pytest.raises(ValueError, match=r'config\.train\.batch: missing'):
    schema.parse(config)


def test_an_unknown_preset_names_the_nearest():
  with pytest.raises(ValueError, match=(
      "^preset: no preset 'msg_progam'; did you mean 'msg_progan'")):
    schema.template('msg_progam')


def test_the_template_is_locked():
  with pytest.raises(AttributeError):
    schema.template().train.bach = 1


def test_an_integer_serves_as_a_float():
  assert schema.parse(values(optimizer__g_rate=1)).optimizer.g_rate == 1.


def test_differences_tell_what_may_change_from_what_may_not():
  old = schema.Config()
  new = schema.parse(values(train__total_images=5, train__batch=4))
  may, may_not = schema.differences(old, new)
  assert may == ['train.total_images: 1000000 -> 5']
  assert may_not == ['train.batch: 32 -> 4']


def test_every_setting_says_what_it_means():
  for name, about in schema.metadata().items():
    assert len(about['meaning']) >= 10, name


def test_the_package_and_the_experiments_load_without_jax():
  code = ('import sys, msg_gan_jax, experiments.quickstart as q; '
          'q.get_config(); assert "jax" not in sys.modules')
  subprocess.run([sys.executable, '-c', code], check=True)


def test_no_setting_has_a_name_that_config_dict_or_absl_uses():
  """Or it could be given in a file, and not as a flag."""
  taken = set(dir(ml_collections.ConfigDict()))
  for module, defined in flags.FLAGS.flags_by_module_dict().items():
    if module.startswith('absl'):
      taken |= {flag.name for flag in defined}
  assert {'update', 'items', 'verbosity'} <= taken
  for name in schema.metadata():
    assert not taken & set(name.split('.')), name


def test_every_setting_and_every_choice_can_be_given_as_a_flag(monkeypatch):
  about, usual = schema.metadata(), schema.flatten(schema.Config())
  legal = {name: about[name]['one_of'] or legal_values(about[name], value)
           for name, value in usual.items()}
  for i in range(max(map(len, legal.values()))):
    wanted = {name: given[i % len(given)] for name, given in legal.items()}
    argv = ['x', *(f'--config.{k}={v}' for k, v in wanted.items())]
    monkeypatch.setattr(sys, 'argv', argv)
    flag_values = flags.FlagValues()
    config = config_flags.DEFINE_config_dict(
        'config', schema.template(), flag_values=flag_values)
    flag_values(argv)
    assert schema.flatten(schema.parse(config.value)) == wanted
    for name, value in wanted.items():
      check_setting(name, str(value))


def legal_values(about, value):
  """Some legal values of a setting that is not one of few."""
  if isinstance(value, bool):
    return [True, False]
  if isinstance(value, str):
    return [value, '8:1' if about['by_size'] else 'text']
  return [value, type(value)(about['low'] or 0)]


def test_an_earlier_name_still_names_a_setting():
  for name, now in schema.RENAMED.items():
    for section, group in schema.template().items():
      if not isinstance(group, ml_collections.ConfigDict) or now not in group:
        continue
      value, = set(schema.metadata()[f'{section}.{now}']['one_of']) - {
          group[now]}
      config = schema.template()
      setattr(config[section], name, value)
      assert config[section][now] == value and name not in config[section]
      other = schema.template().to_dict()
      del other[section][now]
      other[section][name] = value
      assert schema.parse(other) == schema.parse(config)
      updated = schema.template()
      updated.update({section: {name: value}})
      assert updated == config
      other[section][now] = value
      with pytest.raises(ValueError, match=f'{section}.{name}: no such'):
        schema.parse(other)
      with pytest.raises(ValueError, match=f"did you mean '{section}.{now}'"):
        check_setting(f'{section}.{name}', value)
