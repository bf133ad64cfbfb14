import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/lib/api-client";
import type { CodeAnswer, SessionStatus } from "@/lib/api-types";
import { sessionKeys } from "@/lib/session-queries";

export function useRequestCode(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (phoneNumber: string) =>
      request<CodeAnswer>("POST", `/whatsapp/pair/${encodeURIComponent(name)}`, { body: { phoneNumber } }),
    // The same comes by the socket, with its end, often sooner; else it is shown without.
    onSuccess: ({ pairingCode }) =>
      client.setQueryData<SessionStatus>(sessionKeys.status(name), (status) =>
        !status || status.pairingCode === pairingCode
          ? status
          : { ...status, qrCode: null, qrExpiresAt: null, pairingCode, pairingCodeExpiresAt: null },
      ),
  });
}
