// The WebSocket to the stand-in's server: JSON frames with a `type`.

export class Wire {
  #socket = null;

  /** Opens a fresh socket, dropping the one before without its `onClose`. */
  open({ onFrame, onClose }) {
    this.close();
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws/chat`);
    this.#socket = socket;
    socket.onmessage = (message) => {
      if (this.#socket === socket) onFrame(JSON.parse(message.data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      onClose();
    };
  }

  send(type, fields = {}) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type, ...fields }));
    }
  }

  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
