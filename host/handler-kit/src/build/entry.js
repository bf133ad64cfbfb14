// What is compiled: the handler, with the place of each mistake told.
import { handler as own } from "../handler.js";

export const handler = {
  ...own,
  async handle(event, delivery) {
    try {
      await own.handle(event, delivery);
    } catch (error) {
      // What a handler throws on purpose is no Error.
      if (error instanceof Error) console.error(`${error}\n${error.stack}`);
      throw error;
    }
  },
};
