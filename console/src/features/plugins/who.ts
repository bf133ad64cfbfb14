import { queryOptions, useQuery } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type { Me } from "@/lib/api-types";

const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => request<Me>("GET", "/auth/me", { signal }),
});

/** The host notes the subject of a token; only of the person who looks the console knows the name. */
export function useNameOf(): (who: string) => string {
  const me = useQuery(meQuery).data;
  return (who) => (me?.username && me.subject === who ? me.username : who);
}
