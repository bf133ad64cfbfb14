import { Navigate, type RouteObject } from "react-router";
import { FailedRoute } from "@/routes/failed";
import { LoginRoute } from "@/routes/login";
import { NotFoundRoute } from "@/routes/not-found";
import { PageHooksRoute } from "@/routes/page-hooks";
import { PairingRoute } from "@/routes/pairing";
import { PluginsRoute } from "@/routes/plugins";
import { SetupRoute } from "@/routes/setup";
import { Shell } from "./shell";

export const routes: RouteObject[] = [
  {
    errorElement: <FailedRoute />,
    children: [
      { path: "/login", element: <LoginRoute /> },
      { path: "/setup", element: <SetupRoute /> },
      {
        element: <Shell />,
        children: [
          { index: true, element: <Navigate to="/whatsapp-pairing" replace /> },
          { path: "/whatsapp-pairing", element: <PairingRoute /> },
          { path: "/whatsapp-pairing/:name", element: <PairingRoute /> },
          // For sessions whose name is that of a page.
          { path: "/whatsapp-pairing/session/:name", element: <PairingRoute /> },
          { path: "/whatsapp-pairing/page", element: <PageHooksRoute /> },
          { path: "/whatsapp-pairing/plugins", element: <PluginsRoute /> },
          { path: "/whatsapp-pairing/plugins/:slot", element: <PluginsRoute /> },
        ],
      },
      { path: "*", element: <NotFoundRoute /> },
    ],
  },
];
