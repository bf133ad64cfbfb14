// The agent in the page: it watches the page's own models and tells the engine
// what it sees, as JSON with a document id and a sequence number. It runs before
// the page's own scripts, in the main frame only, once per document. What the
// page's parts are called is in `hooks` (page_hooks.toml), never here.
//
// `mode` is `first` of a document; `again` if it takes the place of an agent that
// does not answer; or `trial`: parts are only looked for, and no QR code leaves the page.
//
// It decides nothing: what a state means is for `story.rs`.
(hooks, bindingName, handleName, mode) => {
  'use strict';
  const post = window[bindingName];
  if (typeof post !== 'function' || window.top !== window) return;
  if (mode === 'again') window[handleName]?.('retire');
  else if (window[handleName]) return;
  if (location.protocol !== 'https:' && location.protocol !== 'http:') return;
  delete window[bindingName];

  // The page may replace globals later; these are the browser's own.
  const { stringify } = JSON;
  const later = window.setTimeout.bind(window);
  const { parts, fields, states, events, timings } = hooks;
  const doc = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');

  let sent = 0;
  let retired = false;
  const send = (kind, more) => {
    if (!retired) post(stringify({ doc, seq: ++sent, kind, ...more }));
  };

  /** Errors of the page are often of minified classes with empty messages: all is in what they carry. */
  const describe = (value, depth = 4) => {
    if (typeof value === 'string') return value.slice(0, 300);
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
    if (typeof value !== 'object') return String(value).slice(0, 80);
    if (depth === 0) return '…';
    const told = {};
    const names = ['name', 'message', 'type', 'value', 'code', 'text', 'status', 'reason', ...Object.getOwnPropertyNames(value)];
    for (const name of [...new Set(names)].slice(0, 24)) {
      if (name === 'stack') continue;
      try {
        if (value[name] !== undefined && typeof value[name] !== 'function') told[name] = describe(value[name], depth - 1);
      } catch {
        told[name] = '(unreadable)';
      }
    }
    return told;
  };
  const say = (error) => {
    const { name, message } = describe(error) ?? {};
    return [name, message].filter(Boolean).join(': ') || stringify(describe(error));
  };
  const failure = (name, message) => Object.assign(new Error(message), { name });

  // --- the page's parts ----------------------------------------------------

  const found = new Map();

  /** A part by its name in the hooks, with the object it belongs to. A miss is never remembered: modules come late. */
  const part = (name) => {
    const known = found.get(name);
    if (known) return known;
    const misses = [];
    for (const place of parts[name]) {
      const [module, path] = place.split('#');
      try {
        if (typeof window.require !== 'function') throw failure('', 'the page has no require yet');
        let owner;
        let value = window.require(module);
        for (const step of path.split('.')) [owner, value] = [value, value[step]];
        if (value === undefined || value === null) throw failure('', `is ${value}`);
        found.set(name, { owner, value, place });
        return found.get(name);
      } catch (error) {
        misses.push(`${place} (${say(error)})`);
      }
    }
    throw failure('PartMissing', misses.join('; '));
  };
  const call = (name, ...args) => {
    const { owner, value } = part(name);
    return value.apply(owner, args);
  };
  /** After a reload a question may come before the part that answers it. */
  const callOnceThere = async (name, ...args) => {
    const patience = performance.now() + timings.late_part_ms;
    while (!has(name) && performance.now() < patience) await new Promise((done) => later(done, timings.retry_ms));
    return call(name, ...args);
  };
  const read = (object, path) => path.split('.').reduce((value, step) => value?.[step], object);
  const has = (name) => {
    try {
      return Boolean(part(name));
    } catch {
      return false;
    }
  };

  // --- what is told --------------------------------------------------------

  let byCode = false;
  let told = '';
  let shownRef = null;
  let composing = false;
  let blocked = '';
  let passkeyTold = false;
  let outdatedTold = false;
  let stateWaiters = [];

  const state = () => read(part('socket').value, fields.state);
  const ref = () => read(part('conn').value, fields.ref) || null;

  const account = () => {
    let id = null;
    try {
      id = call('me');
    } catch {
      id = read(part('conn').value, fields.own_id);
    }
    const user = id && String(read(id, fields.id_user) ?? id).split('@')[0].split(':')[0];
    if (!user || !/^\d{5,20}$/.test(user)) return null;
    return { phoneNumber: user, name: read(part('conn').value, fields.name) || null };
  };

  const look = () => {
    const snapshot = { state: String(state()), synced: read(part('socket').value, fields.has_synced) === true, ref: ref() !== null };
    if (snapshot.state === states.connected) {
      byCode = false;
      if (snapshot.synced) snapshot.account = account();
    }
    snapshot.byCode = byCode;
    const text = stringify(snapshot);
    if (text !== told) {
      told = text;
      send('state', snapshot);
    }
    if (snapshot.state !== states.unpaired) shownRef = null;
    else if (ref() !== shownRef && ref() !== null && !byCode && !composing) compose(ref());
    stateWaiters = stateWaiters.filter((waiter) => !waiter(snapshot.state));
    if (shows(hooks.passkey_screens)) tellPasskey();
    if (shows(hooks.outdated_screens)) tellOutdated();
  };
  const shows = (selectors) => selectors.some((selector) => document.querySelector(selector));
  const tellPasskey = () => {
    if (!passkeyTold) send('passkey', {});
    passkeyTold = true;
  };
  const tellOutdated = () => {
    if (!outdatedTold) send('unsupported', {});
    outdatedTold = true;
  };
  const safely = (work) => (...args) => {
    try {
      if (!retired) work(...args);
    } catch (error) {
      send('trouble', { error: say(error) });
    }
  };
  const lookSafely = safely(look);

  const keyText = (key) => call('encode_base64', key);

  /** The QR's text; keys and secret are read afresh, since linking by code changes them. */
  const compose = async (forRef) => {
    composing = true;
    try {
      const [noise, registration] = await Promise.all([call('noise_info'), call('registration_info')]);
      const keys = [read(noise, fields.noise_key), read(registration, fields.identity_key)];
      const lines = [forRef, ...keys.map(keyText), await call('adv_secret'), part('device_platform').value];
      if (lines.some((line) => !['string', 'number'].includes(typeof line) || line === '')) throw failure('QrPartEmpty', 'a part of the QR is empty');
      if (forRef !== ref() || state() !== states.unpaired || byCode) return;
      shownRef = forRef;
      blocked = '';
      send('qr', { payload: mode === 'trial' ? '' : lines.join(',') });
    } catch (error) {
      if (blocked !== say(error)) send('qr-blocked', { missing: (blocked = say(error)) });
      later(lookSafely, timings.retry_ms);
    } finally {
      composing = false;
      if (shownRef !== null && shownRef !== ref()) lookSafely();
    }
  };

  // --- watching ------------------------------------------------------------

  /** Why the link ended, if the page tells: a word in what comes with the event. */
  const reasonIn = (why) => (why.length > 0 ? stringify(describe(why)) : '');

  const subscribe = (name, event, handler) => part(name).value.on(event, safely(handler));

  const watchers = [
    ['socket', [`change:${fields.state}`, `change:${fields.has_synced}`], look],
    ['conn', [`change:${fields.ref}`, `change:${fields.name}`], look],
    ['cmd', events.logout, (event, ...why) => send('logout', { event, reason: reasonIn(why) })],
    ['cmd', events.progress, () => send('progress', { percent: Number(call('progress_percent')) })],
    ['link_events', events.passkey, () => tellPasskey()],
  ].flatMap(([name, names, handler]) => names.map((event) => ({ name, event, handler, on: false })));

  const watchAll = () => {
    for (const watcher of watchers) {
      if (watcher.on || !has(watcher.name)) continue;
      watcher.on = true;
      subscribe(watcher.name, watcher.event, (...args) => watcher.handler(watcher.event, ...args));
    }
  };

  const showsAny = (texts) => texts.some((text) => document.body?.innerText?.includes(text));

  let waitingFor = '';
  const begin = () => {
    const missing = hooks.required.filter((name) => !has(name)).map((name) => parts[name].join(' or '));
    if (missing.length > 0) {
      const text = typeof window.require === 'function' ? missing.join(', ') : 'window.require';
      if (text !== waitingFor) send('waiting', { missing: (waitingFor = text) });
      if (typeof window.require !== 'function' && showsAny(hooks.unsupported_browser_texts)) return tellOutdated();
      if (!retired) later(begin, timings.retry_ms);
      return;
    }
    // First subscribe, then read: what changes in between is then seen twice, never missed.
    safely(watchAll)();
    send('begun', {});
    net();
  };
  /** Finds what an event did not tell, and parts that come late: often at first, later at ease. */
  let pause = timings.retry_ms;
  const net = () => {
    if (retired) return;
    safely(watchAll)();
    lookSafely();
    pause = watchers.every(({ on }) => on) ? timings.poll_ms : Math.min(pause * 1.1, timings.poll_ms);
    later(net, pause);
  };

  // --- what the engine asks ------------------------------------------------

  const untilState = (isWanted) =>
    new Promise((done) => {
      stateWaiters.push((now) => isWanted(now) && (done(), true));
      lookSafely();
    });

  const leaveCode = async () => {
    if (!byCode) return;
    const request = codeRequests;
    try {
      await callOnceThere('initialize_qr');
      await callOnceThere('refresh_qr');
    } finally {
      // Not before: until it is refreshed the page has a ref that is about to be void.
      if (request === codeRequests) {
        byCode = false;
        shownRef = null;
        lookSafely();
      }
    }
  };

  let codeRequests = 0;
  /** Every part, and the fields that are always there: where each was found, or why not. */
  const resolve = () => {
    const told = { found: {}, missing: {}, pageVersion: null };
    for (const name of Object.keys(parts)) {
      try {
        told.found[name] = part(name).place;
      } catch (error) {
        if (!hooks.optional.includes(name)) told.missing[name] = error.message;
      }
    }
    for (const [field, type] of [['state', 'string'], ['has_synced', 'boolean']]) {
      if (!has('socket')) continue;
      const place = `${part('socket').place}.${fields[field]}`;
      if (typeof read(part('socket').value, fields[field]) === type) told.found[`fields.${field}`] = place;
      else told.missing[`fields.${field}`] = `${place} is no ${type}`;
    }
    if (has('page_version')) told.pageVersion = String(part('page_version').value).slice(0, 80);
    return told;
  };

  const questions = {
    retire: () => {
      retired = true;
    },
    resolve,
    ping: () => ({ state: found.has('socket') ? String(state()) : null }),
    'refresh-qr': async () => {
      if (byCode) return leaveCode();
      // Any other page makes new codes by itself, or must not be disturbed.
      if ([states.unpaired, states.idle].includes(state())) await callOnceThere('refresh_qr');
    },
    'make-code': async ({ phoneNumber }) => {
      const request = ++codeRequests;
      // A document that has just begun is let come to rest.
      await untilState((now) => !states.starting.includes(now));
      if (![states.unpaired, states.idle].includes(state())) throw failure('NotUnpaired', `the page is ${state()}`);
      if (state() === states.idle) {
        await callOnceThere('refresh_qr');
        await untilState((now) => now === states.unpaired && ref() !== null);
      }
      byCode = true;
      lookSafely();
      try {
        await callOnceThere('set_pairing_type', hooks.pairing_type_code);
        await callOnceThere('initialize_code');
        return String(await callOnceThere('start_code', phoneNumber, true)).replace(/[^0-9A-Za-z]/g, '');
      } catch (error) {
        // The QR's secret is gone with the attempt, so a new QR is needed.
        if (request === codeRequests) leaveCode().catch((trouble) => send('trouble', { error: say(trouble) }));
        throw error;
      }
    },
    'leave-code': () => {
      codeRequests++;
      return leaveCode();
    },
    'log-out': () => callOnceThere('log_out'),
  };
  const ask = async (name, args) => {
    try {
      return stringify({ answer: (await questions[name](args)) ?? null });
    } catch (error) {
      return stringify({ error: describe(error) });
    }
  };

  Object.defineProperty(window, handleName, { value: ask, configurable: true });
  send('hello', {
    again: mode === 'again',
    loggedOut: events.logged_out_address.some((word) => location.search.includes(word)),
    reason: location.search,
  });
  begin();
};
