/** What there is to show: kinds, states, posts and tables, from the server, or from the file that the page is. */
export const about = $state({ it: null, trouble: "" });

export async function learnAbout() {
  try {
    about.it = globalThis.mirrorfieldAbout ?? (await (await fetch("api/about")).json());
  } catch {
    about.trouble = "The server does not answer. Is `mirrorfield serve` still running?";
  }
}
