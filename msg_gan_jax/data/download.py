"""A published file, fetched once and verified."""
import os

from msg_gan_jax.data import cache, progress


def fetch(title, url, md5, cache_dir):
  """The path of the file, in the cache folder.

  Args:
    title: what it is, for the person who waits.
    url: where it is published.
    md5: its digest. A file in the cache with another one is fetched again.
    cache_dir: config.data.cache_dir.

  Raises:
    ValueError: no network, no room for it, or another digest.
  """
  import pooch  # Its import takes a while, and few need it.
  pooch.get_logger().setLevel('WARNING')  # The bar says what is done.
  folder = cache.folder(cache_dir)

  def download(url, file, retriever):
    # pooch sets the total, and before that asks the bar whether it is empty.
    with progress.bar(total=1, desc=f'Fetching {title}', unit='B',
                      unit_scale=True) as bar:
      pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16)(
          url, file, retriever)

  try:
    return pooch.retrieve(url, f'md5:{md5}', os.path.basename(url), folder,
                          downloader=download)
  except (OSError, ValueError) as error:  # requests raises OSErrors too.
    raise ValueError(
        f'config.data.path: is empty, so {title} was to be fetched from {url} '
        f'into {folder!r}, but: {error}. Download it by other means, and set '
        'config.data.path to the file.') from error
