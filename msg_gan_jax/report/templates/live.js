(() => {
  // Asks for this page anew, and puts in what has changed.
  const seconds = Number(document.body.dataset.live);
  const away = document.getElementById('away');
  let old = null;

  const renew = text => {
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    const chosen = new Set([...document.querySelectorAll('[name=run]:checked')]
        .map(box => box.value));
    const focus = document.activeElement;
    const sign = x => [x.id, x.name, x.value, x.getAttribute('href')].join();
    // A slider is the same one wherever it stands.
    const held = focus && (focus.id ? '#' + CSS.escape(focus.id) : sign(focus));
    for (const part of ['header', 'nav', 'main', 'footer']) {
      const [here, there] = [document, fresh].map(x => x.querySelector(part));
      // What is the same stays: so do its places of scrolling.
      if (here && there && here.innerHTML !== there.innerHTML) {
        here.replaceWith(document.adoptNode(there));
      }
    }
    document.title = fresh.title;
    for (const box of document.querySelectorAll('[name=run]')) {
      if (chosen.has(box.value)) box.checked = true;
    }
    const again = held && (held.startsWith('#')
      ? document.querySelector(held)
      : [...document.querySelectorAll('a, input, button')]
          .find(x => sign(x) === held));
    if (again) again.focus({preventScroll: true});
    document.dispatchEvent(new Event('renewed'));
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, {
          cache: 'no-store', headers: old ? {'If-None-Match': old} : {}});
        if (answer.status === 200) {
          old = answer.headers.get('ETag');
          renew(await answer.text());
        }
        away.hidden = answer.ok || answer.status === 304;
        if (!away.hidden) away.textContent = await answer.text();
      } catch {
        away.hidden = false;
        away.textContent = 'Nobody answers at this address any more: this is '
            + 'how it was before.';
      }
    }
    setTimeout(look, 1000 * seconds);
  };
  setTimeout(look, 1000 * seconds);
})();
