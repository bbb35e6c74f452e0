"""Prints the oldest dependencies that setup.cfg allows, as constraints of pip.

  python tests/oldest.py > oldest.txt
  pip install -e '.[test]' --constraint oldest.txt

The suite then says whether the lower bounds are true.
"""
import configparser
import re

from helpers import ROOT


def oldest() -> list[str]:
  """Lines such as 'pillow==11', of all that setup.cfg names, by name.

  Raises:
    ValueError: a dependency without a lower bound, or one with two.
  """
  setup = configparser.ConfigParser()
  setup.read(ROOT / 'setup.cfg')
  lines = setup['options']['install_requires'].split('\n')
  for extra in setup['options.extras_require'].values():
    lines += extra.split('\n')
  bounds: dict[str, str] = {}
  for line in filter(None, lines):
    name, extras, rest = re.fullmatch(
        r'([\w-]+)(\[.*\])?(.*)', line).groups()
    if extras and not rest:  # An extra of our own, or of jax.
      continue
    lower = re.match(r'>=([\d.]+)', rest)
    if not lower or bounds.get(name, lower[1]) != lower[1]:
      raise ValueError(
          f'setup.cfg: {line}; wanted one lower bound, such as {name}>=1.0.')
    bounds[name] = lower[1]
  return [f'{name}=={bound}' for name, bound in sorted(bounds.items())]


if __name__ == '__main__':
  print('\n'.join(oldest()))
