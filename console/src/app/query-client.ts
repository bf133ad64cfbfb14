import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "@/lib/api-client";
import { toProblem } from "@/lib/problem";

export function makeQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Events keep the cache fresh; what may have been missed is invalidated by name.
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        networkMode: "always",
        retry: (failures, error) => failures < 3 && isPassing(toProblem(error)),
        retryDelay: (failures) => Math.min(4_000, 500 * 2 ** failures),
      },
      mutations: { networkMode: "always" },
    },
  });
}
