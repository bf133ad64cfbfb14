// Ids of accounts. Builds since July 2026 give `_serialized` another name, so
// a reader should use `user` + '@' + `server` or toString().

let serializedField = '_serialized';

export function minifyIds() {
  serializedField = '$1';
}

class Wid {
  constructor(user, server) {
    this.user = user;
    this.server = server;
    this[serializedField] = `${user}@${server}`;
  }

  toString() {
    return `${this.user}@${this.server}`;
  }
}

export function wid(user, server) {
  return new Wid(user, server);
}
