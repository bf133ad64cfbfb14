// Written by hand after the contract until `npm run generate` writes it from openapi.json.

export interface components {
  schemas: {
    AccountBody: { phoneNumber: string; name?: string | null };
    DetailBody: {
      percent?: number | null;
      attempt?: number | null;
      nextTryAt?: string | null;
      message?: string | null;
      step?: string | null;
    };
    SessionStatusBody: {
      sessionName: string;
      status: string;
      qrCode?: string | null;
      pairingCode?: string | null;
      reason?: string | null;
      detail?: components["schemas"]["DetailBody"] | null;
      account?: components["schemas"]["AccountBody"] | null;
      qrExpiresAt?: string | null;
      pairingCodeExpiresAt?: string | null;
      sequence: number;
      serverTime: string;
      createdAt?: string | null;
      updatedAt?: string | null;
      expectedPhoneNumber?: string | null;
      linked: boolean;
    };
    SessionsBody: { sessions: components["schemas"]["SessionStatusBody"][] };
    HistoryBody: {
      id: string;
      at: string;
      status: string;
      reason?: string | null;
      detail?: components["schemas"]["DetailBody"] | null;
      cause: string;
    };
    HistoryPageBody: { history: components["schemas"]["HistoryBody"][]; next?: string | null };
    DoneBody: { success: boolean; message: string; warning?: string | null };
    CodeBody: { pairingCode: string; expiresAt: string; warning?: string | null };
    LoginBody: { accessToken: string; expiresAt: string; user: { username: string } };
    SetupBody: { needed: boolean };
    TicketBody: { ticket: string; expiresAt: string };
    ProblemBody: {
      type: string;
      title: string;
      status: number;
      detail: string;
      code: string;
      message: string;
      retryAfter?: number | null;
    };
  };
}
