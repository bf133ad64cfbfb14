// FinBot's front end as far as sockets go. Usage: client.mjs URL TRANSPORTS, where
// TRANSPORTS is `polling,websocket` (the library's default) or `websocket`. Its first
// line of input is the token. Every further line is `[event, argument]` to emit with
// an acknowledgement. What happens is written as one JSON value a line.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, transports] = process.argv.slice(2);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const lines = createInterface({ input: process.stdin });
let socket;

lines.on("line", (line) => {
  if (!socket) {
    socket = connect(line);
    return;
  }
  const [event, argument] = JSON.parse(line);
  socket.timeout(10_000).emit(event, argument, (error, answer) => {
    say({ ack: event, answer: error ? String(error) : answer });
  });
});
lines.on("close", () => process.exit());

function connect(token) {
  const socket = io(url, { transports: transports.split(","), auth: { token }, reconnectionDelay: 200 });
  socket.io.on("open", () => say({ opened: socket.io.engine.transport.name }));
  socket.io.engine.on("upgrade", (transport) => say({ upgraded: transport.name }));
  socket.on("connect", () => say({ connected: true }));
  socket.on("connect_error", (error) => say({ refused: error.message }));
  socket.on("disconnect", (reason) => say({ disconnected: reason }));
  socket.onAny((event, ...args) => say({ event, args }));
  return socket;
}
