import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider } from "react-router";
import { makeQueryClient } from "@/app/query-client";
import { routes } from "@/app/router";
import { applyTheme } from "@/lib/theme";
import "./styles.css";

applyTheme();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={createBrowserRouter(routes, { basename: "/admin" })} />
    </QueryClientProvider>
  </StrictMode>,
);
