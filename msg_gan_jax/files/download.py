"""A published file, fetched once and verified."""
import os

from msg_gan_jax.files import cache, progress


def fetch(title, url, digest, cache_dir, place='config.data.path'):
  """The path of the file, in the cache folder.

  Args:
    title: what it is, for the person who waits.
    url: where it is published.
    digest: as 'md5:...' or 'sha256:...'. A file in the cache with another one
      is fetched again.
    cache_dir: config.data.cache_dir, or another folder.
    place: the setting that would name the file; errors begin with it.

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
    return pooch.retrieve(url, digest, os.path.basename(url), folder,
                          downloader=download)
  except (OSError, ValueError) as error:  # requests raises OSErrors too.
    raise ValueError(
        f'{place}: is empty, so {title} was to be fetched from {url} into '
        f'{folder!r}, but: {error}. Download it by other means, and set '
        f'{place} to the file.') from error
