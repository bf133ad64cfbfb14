// Written by hand after the contract until `npm run generate` writes it from openapi.json.

export interface components {
  schemas: {
    Status: "DISCONNECTED" | "CONNECTING" | "QR_READY" | "AUTHENTICATED" | "CONNECTED";
    AccountBody: { phoneNumber: string; name?: string | null };
    DetailBody: {
      percent?: number | null;
      attempt?: number | null;
      nextTryAt?: string | number | null;
      message?: string | null;
      step?: string | null;
    };
    SessionStatusBody: {
      sessionName: string;
      status: components["schemas"]["Status"];
      qrCode: string | null;
      pairingCode: string | null;
      reason: string | null;
      detail: components["schemas"]["DetailBody"] | null;
      account: components["schemas"]["AccountBody"] | null;
      qrExpiresAt: string | null;
      pairingCodeExpiresAt: string | null;
      sequence: number;
      serverTime: string;
      createdAt: string | null;
      updatedAt: string | null;
      expectedPhoneNumber: string | null;
      warning?: string | null;
    };
    SessionsBody: { sessions: components["schemas"]["SessionStatusBody"][] };
    HistoryEntry: {
      id: string | number;
      at: string;
      status: components["schemas"]["Status"];
      reason: string | null;
      detail: components["schemas"]["DetailBody"] | null;
      cause: string | null;
    };
    HistoryBody: { history: components["schemas"]["HistoryEntry"][]; next: string | null };
    CommandAnswer: { success: boolean; message: string; warning?: string | null };
    PairAnswer: { pairingCode: string; expiresAt: string; warning?: string | null };
    LoginAnswer: { accessToken: string; expiresAt: string; user: { username: string } };
    SetupAnswer: { needed: boolean };
    TicketAnswer: { ticket: string; expiresAt: string };
    ProblemBody: {
      type: string;
      title: string;
      status: number;
      detail?: string | null;
      code: string;
      message: string;
      errors?: { field: string; message: string }[] | null;
      retryAfter?: number | null;
    };
  };
}
