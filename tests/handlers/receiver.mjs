// Receivers of webhooks that fail in every way, and judge what they get with the
// reference library. Usage: receiver.mjs [PORT]. It listens on 127.0.0.1 and writes
// one JSON value a line: first `{"port":…}`, then each request as it came, of
// `/NAME` to the receiver NAME. Each line of its input sets a receiver up:
// `{"name":…,"keys":[…],"answers":[…]}`. Each request takes the next answer; the last
// one stays. An answer is a status, `[status, headers]`, or one of the words below.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const receivers = new Map();
const CHUNK = Buffer.alloc(64 * 1024, "x");

const answers = {
  // Nothing at all; the connection stays.
  silence: () => {},
  // In its own time.
  slow: (response) => setTimeout(() => answer(200, response), 1000),
  // Cut off within the answer.
  "reset-in-answer": (response) => {
    response.writeHead(500, { "content-length": 1000 });
    response.write("only the beginn", () => response.socket.resetAndDestroy());
  },
  // Its status says all, whatever its body does.
  "success-with-reset": (response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("only the beginn", () => response.socket.resetAndDestroy());
  },
  // 64 MiB of error.
  huge: (response) => stream(response, 500, 1024),
  // Success, and words without end.
  endless: (response) => stream(response, 200, Infinity),
  // Errors without end.
  "endless-error": (response) => stream(response, 500, Infinity),
  // An error, a byte at a time.
  drip: (response) => {
    response.writeHead(500);
    drip(response, () => response.write("x"));
  },
  // Headers that never end, a byte at a time.
  "drip-in-headers": (response) => {
    response.socket.write("HTTP/1.1 200 OK\r\nx-long: ");
    drip(response, () => response.socket.write("x"));
  },
  // What is no HTTP.
  garbage: (response) => response.socket.end("220 mail.example ESMTP\r\n"),
};

function drip(response, drop) {
  const drops = setInterval(drop, 100);
  response.socket.on("close", () => clearInterval(drops));
}

function stream(response, status, chunks) {
  response.writeHead(status);
  let left = chunks;
  const more = () => {
    while (left > 0 && !response.socket?.destroyed) {
      left -= 1;
      if (!response.write(CHUNK)) return response.once("drain", more);
    }
    response.end();
  };
  more();
}

function answer(how, response) {
  if (typeof how === "string") return answers[how](response);
  const [status, headers] = Array.isArray(how) ? how : [how, {}];
  response.writeHead(status, headers);
  response.end(status === 204 ? undefined : `answer ${status}`);
}

// Which of the keys have signed this.
function signedBy(keys, body, headers) {
  return keys.filter((key) => {
    try {
      new Webhook(key).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

const server = createServer((request, response) => {
  const name = request.url.slice(1);
  const receiver = receivers.get(name);
  if (!receiver) {
    say({ stray: request.url });
    return answer(404, response);
  }
  const how = receiver.answers.length > 1 ? receiver.answers.shift() : receiver.answers[0];
  if (how === "reset-in-question") {
    say({ name, cut: true });
    return request.socket.resetAndDestroy();
  }
  const chunks = [];
  request.on("error", () => {});
  response.on("error", () => {});
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString();
    const { method, headers } = request;
    const signed = signedBy(receiver.keys, body, headers);
    say({ name, at: Date.now(), method, headers, body, signedBy: signed, answer: how });
    answer(how, response);
  });
});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { name, keys, answers } = JSON.parse(line);
    receivers.set(name, { keys, answers });
    say({ ready: name });
  })
  .on("close", () => process.exit());
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => say({ port: server.address().port }));
