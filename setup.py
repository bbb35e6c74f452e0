"""What setup.cfg cannot say: links of the README that hold on other pages."""
import pathlib
import re

# Where the project lies, such as 'https://github.com/NAME/msg_gan_jax'. Links
# of the long description lead there, and the project's links on PyPI. While it
# is empty, links to files are plain text.
ADDRESS = ''
# A link or a picture: [text](target) or ![text](target).
LINK = re.compile(r'(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)')
FENCED = re.compile(r'(^```.*?^```$)', re.MULTILINE | re.DOTALL)


def long_description(readme, address):
  """README.md for a page that has no other files beside it.

  Args:
    readme: its text.
    address: see ADDRESS.
  """
  def leads_there(match):
    picture, text, target = match.groups()
    if not address:
      return text
    kind = 'raw' if picture else 'blob'
    return f'{picture}[{text}]({address}/{kind}/HEAD/{target})'

  # Of code nothing is a link.
  parts = FENCED.split(readme)
  parts[::2] = (LINK.sub(leads_there, part) for part in parts[::2])
  return ''.join(parts)


def links(address):
  """The project's links on PyPI, of its address."""
  pages = {'Source': '', 'Documentation': '/blob/HEAD/docs/README.md',
           'Changes': '/blob/HEAD/CHANGELOG.md', 'Issues': '/issues'}
  return {name: address + page for name, page in pages.items()
          } if address else {}


if __name__ == '__main__':
  import setuptools
  here = pathlib.Path(__file__).parent
  setuptools.setup(
      long_description=long_description(
          (here / 'README.md').read_text(encoding='utf-8'), ADDRESS),
      project_urls=links(ADDRESS))
