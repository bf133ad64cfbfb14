// What fills the slots, as queries. No event tells how plugins do, and other operators
// may push and activate too: what is on the page is asked for again every few seconds.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type {
  Activated,
  ChangesPage,
  JudgedVersion,
  ParkedPage,
  ReplayReport,
  Slot,
  SlotsPage,
  VersionsPage,
} from "@/lib/api-types";
import { confirmDone } from "@/lib/confirmation";
import { texts } from "@/lib/texts";

const HEALTH_EVERY_MS = 5_000;
const REST_EVERY_MS = 15_000;
const CHANGES_AT_ONCE = 50;

const all = ["plugins"] as const;
const at = (slot: Slot) => `/plugins/${encodeURIComponent(slot)}`;

export const slotsQuery = queryOptions({
  queryKey: [...all, "slots"],
  queryFn: ({ signal }) => request<SlotsPage>("GET", "/plugins", { signal }),
  refetchInterval: HEALTH_EVERY_MS,
});

export const versionsQuery = (slot: Slot) =>
  queryOptions({
    queryKey: [...all, "versions", slot],
    queryFn: ({ signal }) => request<VersionsPage>("GET", `${at(slot)}/versions`, { signal }),
    refetchInterval: REST_EVERY_MS,
  });

/** A version with what the gates said of it. */
export const judgedVersionQuery = (slot: Slot, digest: string) =>
  queryOptions({
    queryKey: [...all, "version", slot, digest],
    queryFn: ({ signal }) => request<JudgedVersion>("GET", `${at(slot)}/versions/${digest}`, { signal }),
  });

/** What was done to a slot, newest first. */
export const changesQuery = (slot: Slot) =>
  infiniteQueryOptions({
    queryKey: [...all, "changes", slot],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: `${CHANGES_AT_ONCE}` });
      if (pageParam !== null) query.set("before", `${pageParam}`);
      return request<ChangesPage>("GET", `${at(slot)}/history?${query}`, { signal });
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: REST_EVERY_MS,
  });

export const parkedQuery = (slot: Slot) =>
  queryOptions({
    queryKey: [...all, "parked", slot],
    queryFn: ({ signal }) => request<ParkedPage>("GET", `${at(slot)}/parked`, { signal }),
    refetchInterval: REST_EVERY_MS,
  });

/** Refused or not, it is in the history now; so all is looked at anew. */
function useAskAnew() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: all });
}

export function useActivate(slot: Slot) {
  return useMutation({
    mutationFn: (body: { digest: string; canary?: number; why?: string }) =>
      request<Activated>("POST", `${at(slot)}/activate`, { body }),
    onSuccess: (_answer, { canary }) =>
      confirmDone(canary ? texts.plugins.done.canary(canary) : texts.plugins.done.activate),
    onSettled: useAskAnew(),
  });
}

export function useRollBack(slot: Slot) {
  return useMutation({
    mutationFn: (body: { to?: string; why?: string }) =>
      request<Activated>("POST", `${at(slot)}/rollback`, { body }),
    onSuccess: () => confirmDone(texts.plugins.done.rollback),
    onSettled: useAskAnew(),
  });
}

/** Changes nothing on the host. */
export function useReplay(slot: Slot) {
  return useMutation({
    mutationFn: (digest: string) => request<ReplayReport>("POST", `${at(slot)}/replay`, { body: { digest } }),
  });
}

type Push = { component: Blob; signature: string | null; acceptUnsigned: string | null };

export function usePush(slot: Slot) {
  return useMutation({
    mutationFn: ({ component, signature, acceptUnsigned }: Push) => {
      const query = acceptUnsigned ? `?${new URLSearchParams({ acceptUnsigned })}` : "";
      return request<JudgedVersion>("POST", `${at(slot)}/versions${query}`, {
        body: component,
        headers: { "content-type": "application/wasm", ...(signature && { "plugin-signature": signature }) },
      });
    },
    onSuccess: ({ name, version }) => confirmDone(texts.plugins.done.push(name, version)),
    onSettled: useAskAnew(),
  });
}
