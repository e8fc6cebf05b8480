/** Recorded runs: who stands where after how many posts. The form is that of scripts/record_page.py. */
const MAGIC = 0x4d465231;
const UNLED = 4; // before the first post no kind leads
const kept = new Map();

/** The bytes of a recording: from the server, or from the file that the page is. */
async function bytesOf(name) {
  const inside = globalThis.mirrorfieldRecorded?.[name];
  if (!inside) {
    const answer = await fetch(`recorded/${name}`);
    if (!answer.ok) throw new Error(`the recording ${name} is not there`);
    return answer.arrayBuffer();
  }
  const packed = Uint8Array.from(atob(inside), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const once = (name, make) => {
  if (!kept.has(name)) kept.set(name, bytesOf(name).then(make));
  return kept.get(name);
};

const spot = (byte) => ((2 * byte - 255) * 32000) / 255;

/** People over frames: { n, steps, frames: [{ places, kind }] }, places in units of 1/32,000, y up, x and y in turn. */
export const peopleOf = (name) => once(name, (bytes) => {
  const head = new Uint32Array(bytes, 0, 3);
  if (head[0] !== MAGIC) throw new Error(`${name} is not a recording`);
  const [, n, f] = head;
  const steps = [...new Uint32Array(bytes, 12, f)];
  const planes = [new Uint8Array(n), new Uint8Array(n), new Uint8Array(n)];
  const frames = steps.map((_, i) => {
    const [x, y, kind] = planes.map((plane, p) => {
      const change = new Uint8Array(bytes, 12 + 4 * f + (3 * i + p) * n, n);
      for (let j = 0; j < n; j++) plane[j] += change[j];
      return plane.slice();
    });
    const places = new Int16Array(2 * n);
    for (let j = 0; j < n; j++) [places[2 * j], places[2 * j + 1]] = [spot(x[j]), spot(y[j])];
    return { places, kind: steps[i] ? kind : kind.fill(UNLED) };
  });
  return { n, steps, frames };
});

/** Figures of a recording. */
export const figuresOf = (name) => once(name, (bytes) => JSON.parse(new TextDecoder().decode(bytes)));
