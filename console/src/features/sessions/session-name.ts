import { texts } from "@/lib/texts";

/** What is wrong with a name for a new session, or null. */
export function checkSessionName(name: string, taken: string[]): string | null {
  if (name === "") return texts.sessions.nameMissing;
  if (name.length > 64) return texts.sessions.nameLong;
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) return texts.sessions.nameWrong;
  if (taken.includes(name)) return texts.sessions.nameTaken;
  return null;
}
