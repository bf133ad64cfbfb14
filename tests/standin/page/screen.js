// What a person sees: enough to know where the page stands. The text of the
// QR is on the element `data-ref`, as in the real page; no image is drawn.

const STEPS = {
  UNLAUNCHED: 'Starting…',
  OPENING: 'Connecting…',
  PAIRING: 'Linking…',
  UNPAIRED: 'Scan the code to link this browser',
  UNPAIRED_IDLE: 'The code has run out: reload it',
  CONNECTED: 'Linked',
  TIMEOUT: 'Connection lost, trying again…',
  CONFLICT: 'In use in another window',
};

export function showSteps({ Socket, Conn, linkedAccount }) {
  const app = document.getElementById('app');
  const show = () => {
    const line = document.createElement('p');
    line.className = 'step';
    line.textContent = STEPS[Socket.state] ?? Socket.state;
    const note = document.createElement('p');
    note.textContent = linkedAccount() ? `${Conn.pushname ?? ''} +${linkedAccount().phoneNumber}` : 'This is the stand-in, not WhatsApp.';
    app.replaceChildren(line, note);
    app.dataset.state = Socket.state;
    if (Conn.ref) app.dataset.ref = Conn.ref;
    else delete app.dataset.ref;
  };
  Socket.on('change', show);
  Conn.on('change', show);
  show();
  return show;
}

export function showUnsupportedBrowser() {
  const title = document.createElement('h1');
  title.textContent = 'WhatsApp works with Google Chrome 85+';
  const note = document.createElement('p');
  note.textContent = 'Update your browser to use WhatsApp Web.';
  document.getElementById('app').replaceChildren(title, note);
}

export function showElement(testId, text = '', parent = document.body) {
  const element = document.createElement('section');
  element.dataset.testid = testId;
  element.textContent = text;
  parent.append(element);
}

export function showPasskeyScreen() {
  showElement('shortcake_passkey_screen', 'This account asks for a passkey to link a device.', document.getElementById('app'));
}
