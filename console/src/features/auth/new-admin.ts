import { texts } from "@/lib/texts";

const SHORTEST_PASSWORD = 15;

/** What is wrong with a new administrator, by field. The host judges again, and more strictly. */
export function checkNewAdmin(username: string, password: string, repeated: string): Record<string, string> {
  const wrong: Record<string, string> = {};
  const name = username.trim().toLowerCase();
  const missing = SHORTEST_PASSWORD - [...password].length;
  if (!name) wrong.username = texts.setup.usernameMissing;
  if (missing > 0) wrong.password = texts.setup.tooShort(missing);
  else if (name.length > 3 && password.toLowerCase().includes(name)) wrong.password = texts.setup.likeName;
  if (!wrong.password && password !== repeated) wrong.repeated = texts.setup.different;
  return wrong;
}
