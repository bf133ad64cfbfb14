// The demo's phone: scans pictures of the QR, types codes, removes devices and
// causes trouble on request, all through the stand-in's control API.

const byId = (id) => document.getElementById(id);

async function call(path, body) {
  const answer = await fetch(`/__standin/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });
  const json = answer.headers.get('content-type')?.includes('json') ? await answer.json() : {};
  if (!answer.ok) throw new Error(json.message ?? `the stand-in answered ${answer.status}`);
  return json;
}

function say(text, failed = false) {
  byId('result').textContent = text.charAt(0).toUpperCase() + text.slice(1);
  byId('result').classList.toggle('failed', failed);
}

/** Runs one action of the phone and says how it went. */
async function act(doing, action) {
  say(`${doing}…`);
  try {
    say(await action());
  } catch (error) {
    say(error.message, true);
  }
  await refresh();
}

const account = () => ({ phoneNumber: byId('number').value.replace(/\D/g, ''), name: byId('name').value || 'Demo Phone' });

// --- scanning ---------------------------------------------------------------

/** Any picture the browser can show, as a PNG data URL. */
function toPng(picture, width, height) {
  // A code drawn in few pixels is easier to read enlarged.
  const scale = Math.max(1, Math.ceil(400 / Math.min(width, height)));
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}

async function scanSource(source) {
  const image = new Image();
  image.src = source;
  await image.decode().catch(() => {
    throw new Error('this is no picture that can be read');
  });
  await scanPng(toPng(image, image.naturalWidth || 400, image.naturalHeight || 400));
}

const scanPng = (image) => call('phone/scan', { image, ...account() });

const scan = (read) => act('Scanning', async () => ((await read()), 'Linked by QR code.'));

function scanFile(file) {
  const source = URL.createObjectURL(file);
  return scan(() => scanSource(source).finally(() => URL.revokeObjectURL(source)));
}

/** What was pasted or dropped: a file, or a picture given as a data URL. */
function scanTransfer(data) {
  const file = [...data.files].find((one) => one.type.startsWith('image/'));
  if (file) return scanFile(file);
  const html = new DOMParser().parseFromString(data.getData('text/html'), 'text/html');
  const source = [html.querySelector('img')?.src, data.getData('text/uri-list'), data.getData('text/plain')].find((one) => one?.trim().startsWith('data:image/'));
  if (source) return scan(() => scanSource(source.trim()));
  say('There is no picture in that. Copy or drag the image of the code itself.', true);
  return undefined;
}

async function captureWindow() {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
  try {
    const video = document.createElement('video');
    video.srcObject = stream;
    await video.play();
    await new Promise((drawn) => video.requestVideoFrameCallback(drawn));
    await scanPng(toPng(video, video.videoWidth, video.videoHeight));
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}

// --- lists ------------------------------------------------------------------

function item(title, note, buttons) {
  const line = document.createElement('li');
  const name = document.createElement('strong');
  name.textContent = title;
  const small = document.createElement('small');
  small.textContent = note;
  const actions = document.createElement('div');
  actions.className = 'actions';
  for (const [text, doing, action] of buttons) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.setAttribute('aria-label', `${text}: ${title}`);
    button.onclick = () => act(doing, action);
    actions.append(button);
  }
  line.append(name, small, actions);
  return line;
}

const trouble = (text, target, fault, done) => [text, text, async () => (await call('faults', { ...fault, target }), done)];

function deviceItem(device) {
  const target = { browser: device.browser };
  return item(`${device.name}, +${device.phoneNumber}`, `${device.online ? 'Online' : 'Offline'} · browser ${device.browser}`, [
    ['Unlink', 'Unlinking', async () => (await call('phone/unlink', { deviceId: device.deviceId }), 'Unlinked.')],
    ...(device.online
      ? [
          trouble('Use elsewhere', target, { kind: 'conflict' }, 'The console’s page now says that it is used elsewhere.'),
          trouble('Cut for 10 s', target, { kind: 'socketLost', ms: 10000 }, 'The page is offline for 10 seconds.'),
          trouble('Crash page', target, { kind: 'rendererCrash' }, 'The page’s renderer will die within two seconds.'),
        ]
      : []),
  ]);
}

function pageItem(page) {
  const target = { connection: page.connection };
  const waiting = page.state.startsWith('UNPAIRED');
  return item(`Browser ${page.browser}`, page.state + (page.codeFor ? ` · code asked for +${page.codeFor}` : ''), [
    ...(waiting
      ? [
          trouble('Next code', target, { kind: 'rotateRef' }, 'The page shows the next code.'),
          trouble('Let codes run out', target, { kind: 'refsRunOut' }, 'The page has no valid code now.'),
        ]
      : []),
    trouble('Reload', target, { kind: 'reload', ms: 0 }, 'The page reloads.'),
  ]);
}

let shown = '';

async function refresh() {
  const answer = await fetch('/__standin/state').catch(() => null);
  if (!answer?.ok) return;
  const { devices, pages } = await answer.json();
  // Redrawn only on a change, so that a focused button stays focused.
  const now = JSON.stringify([devices, pages]);
  if (now === shown) return;
  shown = now;
  byId('devices').replaceChildren(...devices.map(deviceItem));
  byId('pages').replaceChildren(...pages.map(pageItem));
  byId('no-devices').hidden = devices.length > 0;
  byId('no-pages').hidden = pages.length > 0;
}

// --- start ------------------------------------------------------------------

for (const [id, fallback] of [['number', '5511987654321'], ['name', 'Demo Phone']]) {
  byId(id).value = localStorage.getItem(id) ?? fallback;
  byId(id).onchange = () => localStorage.setItem(id, byId(id).value);
}

const drop = byId('drop');
drop.ondragover = (event) => {
  event.preventDefault();
  drop.classList.add('over');
};
drop.ondragleave = () => drop.classList.remove('over');
drop.ondrop = (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  scanTransfer(event.dataTransfer);
};
document.addEventListener('paste', (event) => {
  if (event.target instanceof HTMLInputElement) return;
  scanTransfer(event.clipboardData);
});
byId('choose').onclick = () => byId('file').click();
byId('file').onchange = ({ target }) => {
  if (target.files[0]) scanFile(target.files[0]);
  target.value = '';
};
byId('capture').hidden = !navigator.mediaDevices?.getDisplayMedia;
byId('capture').onclick = () => scan(captureWindow);
byId('code-form').onsubmit = (event) => {
  event.preventDefault();
  act('Linking', async () => (await call('phone/enter-code', { code: byId('code').value, ...account() }), 'Linked by code.'));
};

refresh();
setInterval(refresh, 1000);
