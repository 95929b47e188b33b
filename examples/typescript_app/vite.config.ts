import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

// The page asks the server that it came from, which adds the token: no browser ever has it.
export default defineConfig(({ mode }) => {
  const { TRC_ENGAGE_URL, TRC_ENGAGE_WEB_READ_TOKEN } = loadEnv(mode, ".", "TRC_ENGAGE_");
  const target = TRC_ENGAGE_URL ?? "http://127.0.0.1:8000";
  const headers = { Authorization: `Bearer ${TRC_ENGAGE_WEB_READ_TOKEN ?? ""}` };
  const proxy = { "/api": { target, headers } };
  return { plugins: [react()], server: { proxy }, preview: { proxy } };
});
