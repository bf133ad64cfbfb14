// How a page can ruin itself, for tests of the driver's watchfulness.

/** Removes from `window` what a driver may have put there. */
export function forgetDrivers() {
  for (const name of Object.getOwnPropertyNames(window)) {
    if (/^_[0-9a-f]{16}/.test(name)) delete window[name];
  }
}

/** Busy for `ms`, idle for `pauseMs`, and so on. */
export function beBusy({ ms, pauseMs }) {
  hang(ms);
  setTimeout(() => beBusy({ ms, pauseMs }), pauseMs);
}

/** A line on the console, and an error that nobody catches. */
export function say(text) {
  console.error(text, { text }, 42);
  setTimeout(() => {
    throw new Error(text);
  });
}

/** Frames come and go, and the history changes. */
export function beRestless() {
  const frame = document.createElement('iframe');
  frame.src = '/favicon.ico';
  document.body.append(frame);
  history.pushState(null, '', `#${Date.now()}`);
  setTimeout(() => {
    frame.remove();
    beRestless();
  }, 150);
}

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
