// The knowledge of the page, as queries. Other operators may push and activate too.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type { HooksInUse, PageHooks, PageLook } from "@/lib/api-types";
import { confirmDone } from "@/lib/confirmation";
import { texts } from "@/lib/texts";

const EVERY_MS = 15_000;
const key = ["page-hooks"] as const;

export const pageHooksQuery = queryOptions({
  queryKey: key,
  queryFn: ({ signal }) => request<PageHooks>("GET", "/page-hooks", { signal }),
  refetchInterval: EVERY_MS,
});

function useAskAnew() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: key });
}

/** `digest` null: the file that came with the host. */
export type Change = { kind: "activate"; digest: string | null } | { kind: "rollback" };

export function useChangeHooks() {
  return useMutation({
    mutationFn: (change: Change) =>
      change.kind === "activate"
        ? request<HooksInUse>("POST", "/page-hooks/activate", { body: { digest: change.digest } })
        : request<HooksInUse>("POST", "/page-hooks/rollback"),
    onSuccess: (_answer, { kind }) => confirmDone(texts.pageHooks.done[kind]),
    onSettled: useAskAnew(),
  });
}

export function useCheckPage() {
  return useMutation({
    mutationFn: () => request<PageLook>("POST", "/page-hooks/check"),
    onSettled: useAskAnew(),
  });
}
