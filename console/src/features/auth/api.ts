import { queryOptions, useMutation } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type { LoginAnswer, SetupAnswer } from "@/lib/api-types";
import { signedIn, signedOut } from "@/lib/login";

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => request<SetupAnswer>("GET", "/auth/setup", { signal, anonymous: true }),
});

export function useSignIn() {
  return useMutation({
    mutationFn: (body: { username: string; password: string }) =>
      request<LoginAnswer>("POST", "/auth/login", { body, anonymous: true }),
    onSuccess: signedIn,
  });
}

export function useSetUp() {
  return useMutation({
    mutationFn: (body: { token: string; username: string; password: string }) =>
      request<LoginAnswer>("POST", "/auth/setup", { body, anonymous: true }),
    onSuccess: signedIn,
  });
}

/** Signed out here in any case; the host is told if it can be reached. */
export async function signOut() {
  await request("POST", "/auth/logout").catch(() => undefined);
  signedOut(true);
}
