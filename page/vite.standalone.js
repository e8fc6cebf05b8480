/** The page as one classic script and one style sheet with its fonts inside, for `mirrorfield page --static`. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  base: "./",
  publicDir: false,
  build: {
    outDir: "../src/mirrorfield/server/standalone",
    emptyOutDir: true,
    assetsInlineLimit: 1_000_000,
    cssCodeSplit: false,
    rolldownOptions: {
      input: "src/main.js",
      output: { format: "iife", entryFileNames: "page.js", assetFileNames: "page[extname]", codeSplitting: false },
    },
  },
});
