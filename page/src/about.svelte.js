/** What there is to show: kinds, states, posts and tables, from the server, or from the file that the page is. */
export const about = $state({ it: null, trouble: "" });

const asked = globalThis.mirrorfieldAbout ? null : fetch("api/about"); // while the page is still set up
asked?.catch(() => {});

export async function learnAbout() {
  try {
    about.it = globalThis.mirrorfieldAbout ?? (await (await asked).json());
  } catch {
    about.trouble = "The server does not answer. Is `mirrorfield serve` still running?";
  }
}
