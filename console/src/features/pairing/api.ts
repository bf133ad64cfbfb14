import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type { CodeAnswer, SessionStatus } from "@/lib/api-types";
import { sessionKeys } from "@/lib/session-queries";

export function useRequestCode(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (phoneNumber: string) =>
      request<CodeAnswer>("POST", `/whatsapp/pair/${encodeURIComponent(name)}`, { body: { phoneNumber } }),
    // The same comes by the socket; the answer is shown without waiting for that.
    onSuccess: (answer) =>
      client.setQueryData<SessionStatus>(
        sessionKeys.status(name),
        (status) =>
          status && {
            ...status,
            qrCode: null,
            qrExpiresAt: null,
            pairingCode: answer.pairingCode,
            pairingCodeExpiresAt: answer.expiresAt ?? null,
          },
      ),
  });
}
