"""The words of a command line, as they are before and after absl reads them."""
from collections.abc import Iterator, Sequence
import contextlib
import re
import sys


def values(words: Sequence[str]) -> dict[str, str]:
  """{flag: value} of a command line; of a flag alone the word after it."""
  found = {}
  for word, after in zip(words, [*words[1:], ''], strict=False):
    flag, equals, value = word.lstrip('-').partition('=')
    if word.startswith('-'):
      found[flag] = value if equals else after
  return found


@contextlib.contextmanager
def shown(argv: list[str]) -> Iterator[None]:
  """Shows config_flags, which reads sys.argv, settings behind --config."""
  before, sys.argv = sys.argv, argv
  try:
    yield
  finally:
    sys.argv = before


def illegal_value(text: str) -> str:
  """What absl says of a value that a flag cannot have, in our words."""
  match = re.fullmatch(r'flag --([^=]+)=(.*): value should be one of <(.*)>',
                       text, re.DOTALL)
  if not match:
    return text.removeprefix('flag ')
  name, value, listed = match.groups()
  known = [word for word in listed.split('|') if word]
  return f'--{name}: wanted one of {", ".join(known)}, found {value!r}.'
