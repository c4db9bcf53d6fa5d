import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The service sets the base of the page by the depth of its address; the development server has only the root. */
const baseInDevelopment: Plugin = {
  name: "base-in-development",
  apply: "serve",
  transformIndexHtml: (html) => html.replace('<base href="./" />', '<base href="/" />'),
};

const service = process.env.APUS_URL ?? "http://127.0.0.1:8000";
const apis = ["/v1", "/h5grove", "/token", "/protected", "/healthz", "/openapi.json", "/docs", "/hdfstream"];

export default defineConfig({
  base: "./",
  plugins: [react(), baseInDevelopment],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: "index.html", raw: "raw.html" } },
  },
  server: { proxy: Object.fromEntries(apis.map((path) => [path, service])) },
});
