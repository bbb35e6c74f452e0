"""Warnings of libraries as lines for people: a sentence each, and each once."""
import logging
import re
import warnings

from msg_gan_jax.files import console

# What jax says of each program that it cannot keep or read.
_CACHE = re.compile(
    r"Error (reading|writing) persistent compilation cache entry for '.*?': "
    r'(.*)', re.DOTALL)


def tell() -> None:
  """Makes Python show them so, in place of a place in a file and its source."""
  # Of a damaged picture: our own error names it, or our list of skipped files.
  warnings.filterwarnings('ignore', module=r'PIL\.')
  # It logs that it cannot keep its list of fonts, which it then makes again.
  logging.getLogger('matplotlib').setLevel(logging.ERROR)
  told: set[str] = set()

  def show(message, *unused, **unused_too):
    line = sentence(str(message))
    if line not in told:
      told.add(line)
      console.say_aside(f'warning: {line}')
  warnings.showwarning = show


def sentence(text: str) -> str:
  """What a library warns of, in one line; of jax's cache in other words."""
  if found := _CACHE.fullmatch(text):
    verb, reason = found.groups()
    # The name of the file that was not written is another one each time.
    reason = re.sub(r": '[^']*'( -> '[^']*')?$", '', reason)
    return ('the cache of compiled programs cannot be '
            f'{"read" if verb == "reading" else "written"}: {reason}. The run '
            'goes on; the next start compiles again.')
  return ' '.join(text.split())
