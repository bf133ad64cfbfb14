// How a page can ruin its own renderer, for tests of the driver's watchfulness.

/** Blocks the page's thread; `ms` 0 means for ever. */
export function hang(ms) {
  const end = ms > 0 ? Date.now() + ms : Infinity;
  while (Date.now() < end);
}

/**
 * Kills the renderer process: the layout of a tree this deep overflows its
 * native stack (measured: a crash within 2 s, little memory; running out of
 * the JavaScript heap takes over 10 s and only throws).
 */
export function destroyRenderer() {
  const top = document.createElement('div');
  let deepest = top;
  for (let depth = 0; depth < 12000; depth++) {
    const next = document.createElement('div');
    deepest.append(next);
    deepest = next;
  }
  document.body.append(top);
  return document.body.offsetHeight;
}
