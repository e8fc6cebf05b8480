import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: {
    outDir: "../src/mirrorfield/server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    license: { fileName: "LICENSES.md" },
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: { entryFileNames: "page.js", assetFileNames: "[name][extname]", chunkFileNames: "[name].js" },
    },
  },
});
