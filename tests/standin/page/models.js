// Event emitters and models in the manner of the real page: `on/off/once`,
// several names in one string, `change:<field>` called with (model, value).

export class Emitter {
  #handlers = new Map();

  on(names, handler) {
    for (const name of names.split(/\s+/)) {
      const list = this.#handlers.get(name) ?? [];
      this.#handlers.set(name, [...list, handler]);
    }
    return this;
  }

  once(names, handler) {
    const wrapped = (...args) => {
      this.off(names, wrapped);
      return handler(...args);
    };
    return this.on(names, wrapped);
  }

  off(names, handler) {
    for (const name of names.split(/\s+/)) {
      const list = this.#handlers.get(name) ?? [];
      this.#handlers.set(name, handler ? list.filter((one) => one !== handler) : []);
    }
    return this;
  }

  trigger(name, ...args) {
    for (const handler of this.#handlers.get(name) ?? []) {
      // One listener that throws must not keep the others from hearing.
      try {
        handler(...args);
      } catch (error) {
        reportError(error);
      }
    }
    return this;
  }
}

export class Model extends Emitter {
  #values;

  constructor(fields) {
    super();
    this.#values = { ...fields };
    for (const name of Object.keys(fields)) {
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => this.#values[name],
        set: (value) => this.set({ [name]: value }),
      });
    }
  }

  /** Sets fields; each one that differs fires `change:<field>`, unless silent. */
  set(values, { silent = false } = {}) {
    const changed = Object.keys(values).filter((name) => this.#values[name] !== values[name]);
    Object.assign(this.#values, values);
    if (silent || changed.length === 0) return this;
    for (const name of changed) this.trigger(`change:${name}`, this, values[name]);
    this.trigger('change', this);
    return this;
  }

  serialize() {
    return { ...this.#values };
  }
}

/** A list of models (messages, chats); nothing is ever in it here. */
export class Collection extends Emitter {
  #byId = new Map();

  get(id) {
    return this.#byId.get(String(id));
  }

  getModelsArray() {
    return [...this.#byId.values()];
  }

  async getMessagesById() {
    return { messages: [] };
  }
}
