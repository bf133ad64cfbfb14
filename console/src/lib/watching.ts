// The host makes codes for a session only while somebody looks at it: the page says
// which one is open.
import { createContext, useContext, useEffect } from "react";

export type Watch = (sessions: string[]) => void;

export const Watching = createContext<Watch>(() => undefined);

/** For as long as the component is on the page. */
export function useWatching(session: string) {
  const watch = useContext(Watching);
  useEffect(() => {
    watch([session]);
    return () => watch([]);
  }, [watch, session]);
}
