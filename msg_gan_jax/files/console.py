"""The one place from which words reach a terminal."""
import errno
import re
import sys

# Control characters, line separators, and marks of the direction of writing.
CONTROLS = re.compile('[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]')


def say(line: str) -> None:
  """Prints a line at once, also into a pipe."""
  _write(line, sys.stdout)


def say_aside(line: str) -> None:
  """Says something on stderr, beside what a command prints."""
  _write(line, sys.stderr)


def _write(line, stream):
  try:
    print(visible(line), file=stream, flush=True)
  except OSError as error:
    if error.errno != errno.EIO:  # That is a terminal that was closed.
      raise


def visible(text: str) -> str:
  """The text with what would move the cursor or turn its direction written out.

  Names of files and classes may hold anything, such as codes of a terminal, or
  the end of a line and another that looks like one of ours.
  """
  return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
