"""Fetches a published file once, and verifies it."""
import os

from msg_gan_jax.files import cache, progress


def fetch(title: str, url: str, digest: str, cache_dir: str,
          place: str = 'config.data.path') -> str:
  """Returns the path of the file in the cache folder.

  Args:
    title: what it is, for the person who waits.
    url: where it is published.
    digest: such as 'md5:...' or 'sha256:...'. A file in the cache with another
      digest is fetched again.
    cache_dir: a folder; '' is the user's cache folder.
    place: the setting that would name the file; errors begin with it.

  Raises:
    ValueError: there is no network, or no room for the file, or the file has
      another digest.
  """
  import pooch  # Importing it takes a while, and few need it.
  pooch.get_logger().setLevel('WARNING')  # The bar tells what is done.
  folder = cache.folder(cache_dir)

  def download(url, file, retriever):
    # pooch asks the bar for its total before it sets the true one.
    with progress.bar(total=1, desc=f'Fetching {title}', unit='B',
                      unit_scale=True) as bar:
      pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16)(
          url, file, retriever)

  try:
    return pooch.retrieve(url, digest, os.path.basename(url), folder,
                          downloader=download)
  except (OSError, ValueError) as error:  # Those of requests are OSErrors.
    raise ValueError(
        f'{place}: is empty, so {title} was to be fetched from {url} into '
        f'{folder!r}, but: {error}. Download it by other means, and set '
        f'{place} to the file.') from error
